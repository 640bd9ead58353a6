// SPDX-License-Identifier: MIT
/* What is damaged is found, whatever it is; what is sound is said to be so,
 * also while it is written to; and the check itself bears everything. */
#include "store/open.h"

#include "base/util.h"
#include "lib/on_disk.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(store_check, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 120);

enum {
    PAGE = 4096,
    META_SIZE = 152,
    TENANTS = 100,
    FILES = 400,
    BYTES_MAX = 20
};

/* As LMDB has them in front of each page. */
enum { AT_FLAGS = 10, AT_LOWER = 12, HEAD = 16, OVERFLOW = 4 };

static char why[512];

static enum err
check(struct store_checked *checked_out)
{
    *why = '\0';
    return store_check(db, checked_out, why, sizeof(why));
}

static void
assert_sound(uint64_t records, uint64_t versions)
{
    struct store_checked checked = {0};

    cr_assert_eq(check(&checked), ERR_OK, "%s", why);
    cr_expect_eq(checked.records, records);
    cr_expect_eq(checked.versions, versions);
}

static void
assert_damaged(const char *because)
{
    struct store_checked checked;

    cr_assert_eq(check(&checked), ERR_STORE, "not %s", because);
    cr_expect_not_null(strstr(why, data), "%s", why);
    cr_expect_not_null(strstr(why, "is damaged: "), "%s", why);
    cr_expect_not_null(strstr(why, because), "%s", why);
}

/* Values in leaves and in pages of their own, free pages, keys unset. */
static void
fill_store(void)
{
    static char text[9000];
    struct store *store = open_store();

    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < TENANTS; i++) {
        char tenant[8];

        snprintf(tenant, sizeof(tenant), "t%02zu", i);
        cr_assert_eq(put(store, tenant, text + 80 * i), ERR_OK);
        if (i % 3 == 0)
            cr_assert_eq(put(store, tenant, i % 2 == 0 ? "" : "1"), ERR_OK);
    }
    store_close(store);
}

static unsigned int
random_below(unsigned int *state, unsigned int bound)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 8) % bound;
}

Test(store_check, a_store_that_was_used_is_sound)
{
    struct bytes before;

    store_close(open_store());
    assert_sound(0, 0);
    fill_store();
    before = slurp(data);
    assert_sound(TENANTS, TENANTS + 34);
    assert_untouched(data, before.bytes, before.len);
    free(before.bytes);
}

static void
write_on(void)
{
    struct store_options options = {
        .path = db, .map_size = MAP_SIZE, .history = 3};
    struct store *store = NULL;
    char text[6000];

    if (store_open(&options, &store, why, sizeof(why)) != ERR_OK)
        _exit(1);
    memset(text, 'y', sizeof(text));
    for (unsigned int state = 7;;) {
        char tenant[16];

        snprintf(tenant, sizeof(tenant), "t%u", random_below(&state, 200));
        text[sizeof(text) - 1] = '\0';
        if (put(store, tenant, text + random_below(&state, sizeof(text) - 1)) !=
            ERR_OK)
            _exit(1);
    }
}

Test(store_check, a_store_that_is_written_to_is_sound)
{
    struct store_checked checked;
    uint64_t versions = 0;
    pid_t pid;

    store_close(open_store());
    pid = fork();
    if (pid == 0)
        write_on();
    for (int i = 0; i < 100 || versions == 0; i++) {
        cr_assert_eq(check(&checked), ERR_OK, "%s", why);
        versions = checked.versions;
    }
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(check(&checked), ERR_OK, "%s", why);
}

/* A use of the store that must end well, in a child. */
static void
use_store(void)
{
    struct store *store = open_store();
    size_t count = 0;

    if (store_scan(store, count_record, &count) != ERR_OK ||
        put(store, "t01", "new") != ERR_OK || put(store, "t99", "") != ERR_OK)
        _exit(1);
    store_close(store);
}

/* A fixed choice of files with 1 to 20 bytes that are others. */
Test(store_check, what_is_not_found_does_no_harm)
{
    struct store_checked checked;
    struct bytes whole;
    unsigned int state = 1;
    size_t found = 0;

    fill_store();
    whole = slurp(data);
    for (int i = 0; i < FILES; i++) {
        struct bytes file = {malloc(whole.len), whole.len};
        unsigned int count = 1 + random_below(&state, BYTES_MAX);

        memcpy(file.bytes, whole.bytes, whole.len);
        while (count-- > 0) {
            size_t at = random_below(&state, (unsigned int)file.len);

            file.bytes[at] = (char)random_below(&state, 256);
        }
        spit(data, file.bytes, file.len);
        if (check(&checked) != ERR_OK) {
            found++;
            cr_expect_not_null(strstr(why, "damaged"), "%s", why);
        } else {
            in_child(use_store);
        }
        free(file.bytes);
    }
    cr_expect_gt(found, FILES / 2);
    free(whole.bytes);
}

/* Each byte that LMDB has in a meta page, in both of them. */
Test(store_check, a_meta_page_is_not_believed)
{
    struct store_checked checked;
    struct bytes whole;
    size_t found = 0;

    fill_store();
    whole = slurp(data);
    for (size_t i = 0; i < 2 * META_SIZE; i++) {
        char *byte = whole.bytes + i / META_SIZE * PAGE + i % META_SIZE;

        *byte ^= 0x41;
        spit(data, whole.bytes, whole.len);
        *byte ^= 0x41;
        if (check(&checked) == ERR_OK) {
            in_child(use_store);
            continue;
        }
        found++;
        cr_expect_not_null(strstr(why, "damaged"), "%zu: %s", i, why);
    }
    cr_expect_gt(found, META_SIZE / 2);
    free(whole.bytes);
}

/* The head of each page that is in use matters, byte by byte, but for two that
 * LMDB does not use. */
Test(store_check, a_head_of_a_page_is_looked_at_as_a_whole)
{
    struct bytes whole;
    size_t in_use = 0;

    fill_store();
    whole = slurp(data);
    for (size_t page = 2; page < whole.len / PAGE; page++) {
        char *head = whole.bytes + page * PAGE;
        size_t found = 0, count = 0;
        uint64_t number;

        memcpy(&number, head, sizeof(number));
        if (number != page) /* within an overflow value */
            continue;
        for (size_t i = 0; i < HEAD; i++) {
            struct store_checked checked;

            if (i == sizeof(number))
                i = AT_FLAGS;
            count++;
            head[i] ^= 4;
            spit(data, whole.bytes, whole.len);
            found += check(&checked) != ERR_OK;
            head[i] ^= 4;
        }
        cr_expect(found == 0 || found == count, "page %zu: %zu of %zu", page,
                  found, count);
        in_use += found > 0;
    }
    cr_expect_gt(in_use, TENANTS / 2);
    free(whole.bytes);
}

Test(store_check, a_file_cut_at_any_page_is_sound_only_if_it_opens)
{
    struct store_checked checked;
    struct bytes whole;

    fill_store();
    whole = slurp(data);
    for (size_t len = 0; len < whole.len; len += PAGE) {
        struct store *store = NULL;
        enum err err;

        spit(data, whole.bytes, len);
        err = check(&checked);
        cr_expect_eq(store_open(&(struct store_options){.path = db,
                                                        .map_size = MAP_SIZE},
                                &store, why, sizeof(why)),
                     err, "%zu: %s", len, why);
        store_close(store);
    }
    free(whole.bytes);
}

/* Puts the first of the redo value's pages, which is always in use, in the
 * place of the lowest page of the first list of free ones. */
Test(store_check, a_page_that_is_free_and_in_use_is_found)
{
    size_t redo = 2, pages[64], count, i = 1;
    struct bytes file;
    MDB_cursor *cursor;
    MDB_val key, list;
    struct raw raw;
    char *at;

    fill_store();
    raw = raw_open(MDB_RDONLY);
    cr_assert_eq(mdb_cursor_open(raw.txn, 0, &cursor), 0);
    cr_assert_eq(mdb_cursor_get(cursor, &key, &list, MDB_FIRST), 0);
    cr_assert_leq(list.mv_size, sizeof(pages));
    memcpy(pages, list.mv_data, list.mv_size);
    count = pages[0];
    cr_assert(count > 0 && (count + 1) * sizeof(*pages) <= list.mv_size);
    mdb_cursor_close(cursor);
    mdb_txn_abort(raw.txn);
    mdb_env_close(raw.env);

    file = slurp(data);
    while (file.bytes[redo * PAGE + AT_FLAGS] != OVERFLOW ||
           file.bytes[redo * PAGE + AT_LOWER] != 33)
        redo++;
    while (i < count && pages[i + 1] > redo)
        i++;
    at = file.bytes;
    while ((at = memmem(at, (size_t)(file.bytes + file.len - at), pages,
                        (count + 1) * sizeof(*pages))) != NULL) {
        at += i * sizeof(*pages);
        memcpy(at, &redo, sizeof(redo));
    }
    spit(data, file.bytes, file.len);
    free(file.bytes);
    assert_damaged("has a free page that is in use");
}

/* The value is in the file as the current one and in the history, and beside
 * these in notes and in pages that are free. */
Test(store_check, a_value_that_differs_from_its_history_is_found)
{
    static const char text[] = "a value of which there are two";
    struct store_checked checked;
    struct store *store = open_store();
    struct bytes file;
    size_t found = 0;

    cr_assert_eq(put(store, "acme", text), ERR_OK);
    store_close(store);
    file = slurp(data);
    for (size_t at = 0; at + sizeof(text) < file.len; at++) {
        if (memcmp(file.bytes + at, text, strlen(text)) != 0)
            continue;
        file.bytes[at] = 'A';
        spit(data, file.bytes, file.len);
        file.bytes[at] = 'a';
        if (check(&checked) == ERR_OK)
            continue;
        found++;
        cr_expect_not_null(strstr(why, "tenant acme, key timer"), "%s", why);
    }
    cr_expect_eq(found, 2);
    free(file.bytes);
}

static void
put_raw(const char *database, const char *key, size_t key_len,
        const char *bytes, size_t len)
{
    struct raw raw = raw_open(0);

    raw_put(&raw, database, key, key_len, bytes, len);
    raw_commit(&raw);
}

Test(store_check, a_damaged_record_is_named)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    put_raw("config", "acme\0timer", 10, "\1short", 6);
    assert_damaged("a damaged record of tenant acme, key timer");
}

Test(store_check, a_damaged_name_is_found)
{
    store_close(open_store());
    put_raw("config", "nonul", 5, "x", 1);
    assert_damaged("has a damaged name");
}

Test(store_check, somebody_elses_database_is_found)
{
    store_close(open_store());
    put_raw("phones", "alice", 5, "123", 3);
    assert_damaged("has a sub-database that is none of orderconf's");
}

Test(store_check, a_newer_format_is_not_called_damaged)
{
    struct store_checked checked;

    store_close(open_store());
    put_raw("meta", "format", 6, "\0\0\0\0\0\0\0\3", 8);
    put_raw("meta", "other", 5, "1", 1);
    put_raw("fourth", "key", 3, "1", 1);
    cr_assert_eq(check(&checked), ERR_STORE);
    cr_expect_not_null(strstr(why, "was written by a newer version"), "%s",
                       why);
    cr_expect_null(strstr(why, "damaged"), "%s", why);
}
