// SPDX-License-Identifier: MIT
/* Stores of format 1, which are raised when they are opened, and what may be in
 * the way of that. */
#include "store/store.h"

#include "base/util.h"
#include "lib/bad_disk.h"
#include "lib/old_store.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/mount.h>

TestSuite(store_lmdb_raise, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 120);

Test(store_lmdb_raise, an_old_store_is_read_and_written)
{
    struct store_write write = write_of("acme", TIMER, "240");
    struct record record;
    struct store *store;

    make_old("data.mdb");
    cr_assert_eq(format_on_disk(), 1);
    store = open_store();
    cr_expect_eq(format_on_disk(), 2);
    assert_all_there(store);
    record = got(store, "acme", TIMER);
    cr_expect_str_eq(record.value, "180");
    cr_expect_null(record.author); /* not known */
    cr_expect_not(record.has_write_id);
    cr_expect_eq(record.seq, 0);
    record_clear(&record);

    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.version, 5);
    cr_expect_eq(write.seq, 1);
    store_close(store);
    store = open_store();
    assert_versions(store, "acme", TIMER,
                    "5=240(alice)#1 4=180(ada)#0 3=(ada)#0 2=120(bob)#0 "
                    "1=60(ada)#0 ");
    record = got(store, "acme", TIMER);
    cr_expect_str_eq(record.author, "alice");
    cr_expect_arr_eq(record.write_id, write.write_id, STORE_WRITE_ID_SIZE);
    record_clear(&record);
    store_close(store);
}

/* A secret that is encrypted anew is the same version, of the same layout. */
Test(store_lmdb_raise, a_replacement_in_an_old_record_adds_nothing_to_it)
{
    struct store_write write = write_of("acme", HOOK, "other");
    struct record record;
    struct store *store;

    make_old("data.mdb");
    store = open_store();
    write.base = 1;
    write.op = STORE_REPLACE;
    write.replaces = HOOK_VALUE;
    write.replaces_len = strlen(HOOK_VALUE);
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect(write.is_new);
    assert_versions(store, "acme", HOOK, "1=other(bob)#0 ");
    record = got(store, "acme", HOOK);
    cr_expect_str_eq(record.value, "other");
    cr_expect_not(record.has_write_id);
    cr_expect_null(record.author);
    record_clear(&record);
    write = write_of("acme", TIMER, "1");
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.seq, 1); /* the first that has one */
    store_close(store);
}

Test(store_lmdb_raise, the_last_commit_of_the_old_program_is_repeated)
{
    struct store *store;

    make_old("noted.mdb");
    store = open_store();
    assert_note_is_there(store);
    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    store = open_store();
    assert_note_is_there(store);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
}

static enum err
never_mind(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)done;
    (void)total;
    return ERR_OK;
}

/* A backup, also of a store whose last version of all has no place in it. */
Test(store_lmdb_raise, a_backup_goes_on_where_the_store_was)
{
    auto_char *dir = scratch_path(scratch, "copy");
    auto_char *path = scratch_path(dir, "data.mdb");
    struct store_write write = write_of("acme", TIMER, "300");
    struct store_copied copied;
    struct store *store;
    struct bytes copy;
    char why[512];

    make_old("data.mdb");
    store = open_store();
    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_assert_eq(put(store, "acme", "2"), ERR_OK);
    cr_assert_eq(mkdir(dir, 0700), 0);
    cr_assert_eq(
        store_copy(store, dir, never_mind, NULL, &copied, why, sizeof(why)),
        ERR_OK, "%s", why);
    cr_expect_eq(copied.versions, 10);
    store_close(store);

    copy = slurp(path);
    spit(data, copy.bytes, copy.len);
    free(copy.bytes);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(dir), 0);
    cr_expect_eq(format_on_disk(), 2);
    store = open_store();
    assert_versions(store, "acme", TIMER,
                    "4=180(ada)#0 3=(ada)#0 2=120(bob)#0 1=60(ada)#0 ");
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.seq, 3);
    store_close(store);
}

/* --- when something is in the way ------------------------------------------*/

/* What a power loss leaves of a file that is never flushed. */
Test(store_lmdb_raise, any_lock_file_will_do)
{
    auto_char *lock = scratch_path(db, "lock.mdb");
    char garbage[70000];

    for (int round = 0; round < 3; round++) {
        struct store *store;

        make_old("noted.mdb");
        memset(garbage, round == 1 ? 0 : 0xa5, sizeof(garbage));
        if (round > 0)
            spit(lock, garbage, sizeof(garbage));
        else
            (void)unlink(lock);
        store = open_store();
        assert_note_is_there(store);
        store_close(store);
        cr_expect_eq(format_on_disk(), 2);
    }
}

static void
raise_and_die(void)
{
    struct store *store = open_store();

    disk.kill_before = 0;
    store_close(store);
}

/* Dead before each write and flush, until there is none left. */
Test(store_lmdb_raise, death_at_any_write_leaves_one_or_the_other)
{
    int formats[3] = {0};

    for (int n = 1; formats[2] < 4; n++) {
        struct store *store;

        cr_assert_lt(n, 40);
        make_old("noted.mdb");
        disk.kill_before = n;
        in_child(raise_and_die);
        disk.kill_before = 0;
        cr_assert(format_on_disk() == 1 || format_on_disk() == 2);
        formats[format_on_disk()]++;
        store = open_store();
        assert_note_is_there(store);
        cr_expect_eq(put(store, "acme", "1"), ERR_OK);
        store_close(store);
    }
    cr_expect_geq(formats[1], 3); /* pages, a flush, the meta page */
}

Test(store_lmdb_raise, a_disk_that_fails_leaves_it_as_it_was)
{
    struct bytes before;
    struct store *store;

    make_old("data.mdb");
    before = slurp(data);
    disk.sync_error = EIO;
    assert_refused(db, "could not raise store");
    assert_refused(db, "format 2: Input/output error");
    disk.sync_error = 0;
    cr_expect_eq(format_on_disk(), 1);
    store = open_store();
    assert_all_there(store);
    store_close(store);
    free(before.bytes);
}

/* In place: a transaction would free pages, and could use them. */
static void
make_format_1(void)
{
    static const char format_2[] = "format\0\0\0\0\0\0\0\2";
    struct bytes file = slurp(data);
    size_t len = sizeof(format_2) - 1;
    char *at = memmem(file.bytes, file.len, format_2, len);

    cr_assert_not_null(at);
    at[len - 1] = 1;
    spit(data, file.bytes, file.len);
    free(file.bytes);
    cr_assert_eq(format_on_disk(), 1);
}

/* No page of it is free, and its map ends where it does. */
Test(store_lmdb_raise, a_full_store_is_raised)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    make_format_1();
    store = open_with(4096);
    cr_expect_eq(format_on_disk(), 2);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_expect_eq(put(store, "acme", "2"), ERR_FULL);
    store_close(store);
}

/* A read-only file system: the path and the reason, as of any other store. */
Test(store_lmdb_raise, what_cannot_be_written_is_refused)
{
    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, "size=4m");
    make_old("data.mdb");
    cr_assert_eq(mount("tmpfs", db, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_refused(data, "Read-only file system");
    cr_assert_eq(umount(db), 0);
}
