// SPDX-License-Identifier: MIT
/* Copies of a store that is in use: whole, compact, or not there at all. */
#include "store/store.h"

#include "base/util.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"
#include "store/open.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *copy; /* the directory of the copy, empty */

static void
set_up(void)
{
    on_disk_set_up();
    copy = scratch_path(scratch, "copy");
    cr_assert_eq(mkdir(copy, 0750), 0);
}

static void
tear_down(void)
{
    free(copy);
    on_disk_tear_down();
}

TestSuite(store_lmdb_copy, .init = set_up, .fini = tear_down);

static struct store *
open_at(const char *path)
{
    struct store_options options = {.path = path, .must_exist = true};
    struct store *store = NULL;
    char why[512] = "";

    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK, "%s",
                 why);
    return store;
}

/* How a copy went on, and when it is to end. */
struct watch {
    uint64_t last, total;
    size_t calls;
    uint64_t end_at;    /* fails when so much is done; 0: never */
    const char *spoils; /* what the disk does not keep, when all is written */
    size_t nth;         /* time that it is there, from 0 */
    bool is_spoilt;
};

static void
spoil(struct watch *watch)
{
    char *path = scratch_path(copy, "data.mdb");
    size_t len = strlen(watch->spoils), seen = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    static char bytes[1024 * 1024];
    ssize_t size = pread(fd, bytes, sizeof(bytes), 0);

    for (size_t at = 0; at + len <= (size_t)size; at++) {
        if (memcmp(bytes + at, watch->spoils, len) != 0 || seen++ != watch->nth)
            continue;
        bytes[at] ^= 1;
        cr_assert_eq(pwrite(fd, bytes + at, 1, (off_t)at), 1);
        watch->is_spoilt = true;
    }
    cr_assert_gt(size, 0);
    cr_assert_lt(size, (ssize_t)sizeof(bytes));
    close(fd);
    free(path);
}

static enum err
see(void *ctx, uint64_t done, uint64_t total)
{
    struct watch *watch = ctx;

    cr_expect_geq(done, watch->last);
    cr_expect_leq(done, total);
    watch->last = done;
    watch->total = total;
    watch->calls++;
    if (watch->spoils != NULL && done == total / 2)
        spoil(watch);
    return watch->end_at != 0 && done >= watch->end_at ? ERR_BUSY : ERR_OK;
}

static struct store_copied
assert_copied(struct store *store)
{
    struct store_copied copied = {0};
    struct watch watch = {0};
    char why[512] = "none";

    cr_assert_eq(
        store_copy(store, copy, see, &watch, &copied, why, sizeof(why)), ERR_OK,
        "%s", why);
    cr_expect_str_empty(why);
    cr_expect_eq(watch.total, 2 * (copied.records + copied.versions));
    return copied;
}

static size_t
count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    cr_assert_not_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2; /* . and .. */
}

/* It fails like this, and leaves nothing. */
static void
assert_not_copied(struct store *store, struct watch *watch, enum err expected,
                  const char *because)
{
    struct store_copied copied = {.bytes = 77};
    char why[512] = "none";

    cr_expect_eq(store_copy(store, copy, see, watch, &copied, why, sizeof(why)),
                 expected);
    cr_expect_not_null(strstr(why, because), "%s", why);
    cr_expect_eq(copied.bytes, 77);
}

/* Tenants p0, p1, … with a large value each; a batch at a time. */
static void
fill(struct store *store, size_t count)
{
    static char text[1000], tenants[100][16];
    struct store_write writes[100];

    memset(text, 'x', sizeof(text) - 1);
    for (size_t done = 0; done < count; done += ARRAY_SIZE(writes)) {
        for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
            snprintf(tenants[i], sizeof(tenants[i]), "p%zu", done + i);
            writes[i] = write_of(tenants[i], "timer", text);
            writes[i].next = i + 1 < ARRAY_SIZE(writes) ? &writes[i + 1] : NULL;
        }
        cr_assert_eq(store_commit(store, take_list, writes), ERR_OK);
    }
}

Test(store_lmdb_copy, it_holds_every_record_and_version)
{
    struct store *store = open_store();
    struct store_copied copied;

    for (int i = 0; i < 5; i++)
        cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_assert_eq(put(store, "brio", "2"), ERR_OK);
    copied = assert_copied(store);
    cr_expect_eq(copied.records, 2);
    cr_expect_eq(copied.versions, 6);
    cr_expect_eq(count_files(copy), 1);
    cr_assert_eq(put(store, "acme", "later"), ERR_OK);
    store_close(store);

    store = open_at(copy);
    cr_expect_str_eq(value(store, "acme"), "1@5");
    cr_expect_str_eq(value(store, "brio"), "2@1");
    assert_whole_history(store, "acme", 5);
    cr_expect_eq(put(store, "acme", "3"), ERR_OK); /* it is a store like any */
    cr_expect_str_eq(value(store, "acme"), "3@6");
    store_close(store);
    store = open_at(copy);
    cr_expect_str_eq(value(store, "acme"), "3@6");
    store_close(store);
}

Test(store_lmdb_copy, an_empty_store_can_be_copied)
{
    struct store *store = open_store();

    cr_expect_eq(assert_copied(store).records, 0);
    store_close(store);
    store = open_at(copy);
    cr_expect_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_copy, it_has_the_size_of_what_is_in_it)
{
    struct store *store = open_store();
    struct store_copied copied;
    struct stat before, after;
    char *path = scratch_path(copy, "data.mdb");

    fill(store, 5000);
    fill(store, 5000); /* again: 20 MB with the history */
    cr_assert_eq(stat(data, &before), 0);
    copied = assert_copied(store);
    cr_assert_eq(stat(path, &after), 0);
    cr_expect_eq((uint64_t)after.st_size, copied.bytes);
    cr_expect_lt(after.st_size, before.st_size);
    cr_expect_eq(after.st_mode & 07777, 0640);
    cr_expect_eq(copied.records, 5000);
    cr_expect_eq(copied.versions, 10000);
    store_close(store);
    free(path);
}

/* Writes both of a pair in each commit, until it is told to stop. */
static atomic_bool is_done;
static atomic_uint pairs;

static void *
write_pairs(void *ctx)
{
    while (!is_done) {
        struct store_write writes[] = {write_of("pair", "a", "x"),
                                       write_of("pair", "b", "x")};

        writes[0].next = &writes[1];
        if (store_commit(ctx, take_list, writes) != ERR_OK)
            return ctx; /* anything but NULL */
        pairs++;
    }
    return NULL;
}

Test(store_lmdb_copy, it_is_one_snapshot_while_somebody_writes)
{
    struct store *store = open_store();
    struct record a, b;
    void *failed = NULL;
    pthread_t writer;
    unsigned int before;

    fill(store, 3000);
    cr_assert_eq(pthread_create(&writer, NULL, write_pairs, store), 0);
    while (pairs < 20)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    before = pairs;
    assert_copied(store);
    is_done = true;
    pthread_join(writer, &failed);
    cr_expect_null(failed);
    cr_expect_gt(pairs, before, "the writer was held up");
    store_close(store);

    store = open_at(copy);
    cr_assert_eq(store_get(store, "pair", "a", &a), ERR_OK);
    cr_assert_eq(store_get(store, "pair", "b", &b), ERR_OK);
    cr_expect_eq(a.version, b.version);
    cr_expect_geq(a.version, before);
    cr_expect_leq(a.version, pairs);
    record_clear(&a);
    record_clear(&b);
    store_close(store);
}

Test(store_lmdb_copy, progress_can_end_it)
{
    struct store *store = open_store();

    fill(store, 5000);
    for (uint64_t at = 1; at <= 20000; at += 15000) { /* writing, comparing */
        struct watch watch = {.end_at = at};

        assert_not_copied(store, &watch, ERR_BUSY, "");
        cr_expect_geq(watch.last, at);
        cr_expect_lt(watch.last, watch.total);
        cr_expect_eq(count_files(copy), 0);
    }
    store_close(store);
}

Test(store_lmdb_copy, a_directory_that_cannot_be_written_is_named)
{
    struct store *store = open_store();
    struct watch watch = {0};

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_assert_eq(rmdir(copy), 0);
    assert_not_copied(store, &watch, ERR_STORE, "/copy/data.mdb: No such file");
    store_close(store);
}

Test(store_lmdb_copy, a_full_disk_leaves_nothing)
{
    auto_char *home = NULL;
    struct store_options options = {.map_size = MAP_SIZE};
    struct watch watch = {0};
    struct store *store = NULL;
    char why[512];

    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, "size=2m");
    options.path = home = scratch_path(scratch, "home");
    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK);
    fill(store, 5000);
    free(copy);
    copy = strdup(db);
    assert_not_copied(store, &watch, ERR_FULL, "No space left on device");
    cr_expect_eq(count_files(copy), 0);
    store_close(store);
}

/* The record, then its version, and the same of their names. */
Test(store_lmdb_copy, what_the_disk_does_not_keep_is_found)
{
    struct store *store = open_store();
    const char *const parts[] = {"4711", "acme"};

    cr_assert_eq(put(store, "acme", "4711"), ERR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        for (size_t nth = 0; nth < 2; nth++) {
            struct watch watch = {.spoils = parts[i], .nth = nth};

            assert_not_copied(store, &watch, ERR_STORE,
                              "/copy/data.mdb does not read as it was written");
            cr_expect(watch.is_spoilt);
            cr_expect_eq(count_files(copy), 0);
        }
    }
    (void)assert_copied(store);
    store_close(store);
}

Test(store_lmdb_copy, a_record_that_is_damaged_is_not_copied)
{
    struct store *store = open_store();
    struct watch watch = {0};
    struct raw raw;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    raw = raw_open(0);
    raw_put(&raw, "config", "brio\0timer", 10, "garbage", 7);
    raw_commit(&raw);
    store = open_store();
    cr_redirect_stderr();
    assert_not_copied(store, &watch, ERR_STORE, "could not read the store");
    cr_expect_eq(count_files(copy), 0);
    store_close(store);
}
