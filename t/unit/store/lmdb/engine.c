// SPDX-License-Identifier: MIT
/* Opening and creating the LMDB store, and sharing it among processes. */
#include "store/store.h"

#include "base/util.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"
#include "store/open.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

TestSuite(store_lmdb, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 60);

Test(store_lmdb, everything_is_there_after_reopening)
{
    struct store *store = open_store();
    size_t count = 0;

    cr_assert_eq(put(store, "acme", "one"), ERR_OK);
    cr_assert_eq(put(store, "acme", "two"), ERR_OK);
    cr_assert_eq(put(store, "brio", "x"), ERR_OK);
    store_close(store);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "two@2");
    cr_expect_str_eq(value(store, "brio"), "x@1");
    assert_whole_history(store, "acme", 2);
    cr_assert_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, 2);
    cr_assert_eq(put(store, "acme", "three"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "three@3");
    store_close(store);
}

Test(store_lmdb, closing_nothing_is_fine)
{
    store_close(NULL);
}

Test(store_lmdb, directory_and_files_are_made_for_the_group_to_read)
{
    mode_t before = umask(0);

    store_close(open_store());
    umask(before);
    cr_expect_eq(mode_of(db), 0750);
    cr_expect_eq(mode_of(data), 0640);
}

Test(store_lmdb, parents_are_not_made)
{
    free(db);
    db = scratch_path(scratch, "a/b");
    assert_refused(db, "No such file or directory");
    free(db);
    db = scratch_path(scratch, "a");
    cr_expect_not(exists(db));
}

Test(store_lmdb, a_file_is_not_a_directory)
{
    spit(db, "mine", 4);
    assert_refused(db, "Not a directory");
    assert_untouched(db, "mine", 4);
}

Test(store_lmdb, many_processes_may_create_it_at_once)
{
    enum { PROCESSES = 8 };
    pid_t pids[PROCESSES];
    struct store *store;
    size_t count = 0;

    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] == 0) {
            open_and_put();
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_expect_eq(status, 0);
    }
    store = open_store();
    cr_assert_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, PROCESSES);
    store_close(store);
}

Test(store_lmdb, what_a_crash_left_while_creating_is_cleared)
{
    auto_char *left = scratch_path(db, "data.mdb.new");
    struct store *store;

    cr_assert_eq(mkdir(db, 0750), 0);
    spit(left, "half", 4);
    store = open_store();
    cr_expect_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    cr_expect_not(exists(left));
}

Test(store_lmdb, a_map_too_small_to_start_with_leaves_nothing)
{
    struct store_options options = {.path = db, .map_size = 8192};
    struct store *store = NULL;
    char why[512] = "";

    cr_assert_neq(store_open(&options, &store, why, sizeof(why)), ERR_OK);
    cr_expect_not_null(strstr(why, db), "%s", why);
    cr_expect_not(exists(data));
    store_close(open_store());
}

/* Runs as a user who is not root, if we are. Undone by become_root. */
static void
become_nobody(void)
{
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
}

static void
become_root(void)
{
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
}

Test(store_lmdb, no_permission_to_make_the_directory)
{
    cr_assert_eq(chmod(scratch, 0555), 0);
    become_nobody();
    assert_refused(db, "Permission denied");
    become_root();
    cr_assert_eq(chmod(scratch, 0755), 0);
    cr_expect_not(exists(db));
}

Test(store_lmdb, no_permission_to_write_in_the_directory)
{
    cr_assert_eq(chmod(scratch, 0755), 0);
    cr_assert_eq(mkdir(db, 0555), 0);
    become_nobody();
    assert_refused(db, "Permission denied");
    become_root();
    cr_assert_eq(chmod(db, 0755), 0);
    cr_expect_not(exists(data));
}

Test(store_lmdb, no_permission_to_write_the_data_file)
{
    struct bytes before;

    cr_assert_eq(chmod(scratch, 0755), 0);
    store_close(open_store());
    before = slurp(data);
    cr_assert_eq(chmod(db, 0777), 0);
    cr_assert_eq(chmod(data, 0444), 0);
    become_nobody();
    assert_refused(data, "Permission denied");
    become_root();
    assert_untouched(data, before.bytes, before.len);
    free(before.bytes);
}

Test(store_lmdb, a_read_only_mount)
{
    struct bytes before;

    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, "size=1m");
    store_close(open_store());
    before = slurp(data);
    cr_assert_eq(mount("none", db, "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_refused(data, "Read-only file system");
    assert_untouched(data, before.bytes, before.len);
    free(before.bytes);
    umount(db);
}

Test(store_lmdb, a_read_only_mount_without_a_store)
{
    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(MS_RDONLY, "size=1m");
    assert_refused(db, "Read-only file system");
    umount(db);
}

enum { RACERS = 4, ROUNDS = 100 };

/* Reads the version, and writes over just that one. */
static void
race(void)
{
    struct store *store = open_store();
    int won = 0;

    while (won < ROUNDS) {
        struct store_write write = write_of("acme", "timer", "x");
        struct record record;
        enum err err;

        cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
        write.base = record.version;
        record_clear(&record);
        err = store_commit_one(store, &write);
        cr_assert(err == ERR_OK || err == ERR_CONFLICT);
        if (err == ERR_OK) {
            cr_assert_eq(write.version, write.base + 1);
            won++;
        } else {
            cr_assert_gt(write.version, write.base);
        }
    }
    store_close(store);
}

Test(store_lmdb, racing_processes_never_win_the_same_version)
{
    pid_t pids[RACERS];
    struct store *store;

    for (int i = 0; i < RACERS; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] == 0) {
            race();
            _exit(0);
        }
    }
    for (int i = 0; i < RACERS; i++) {
        int status;

        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_expect_eq(status, 0);
    }
    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "x@400");
    assert_whole_history(store, "acme", RACERS * ROUNDS);
    store_close(store);
}

static struct store_write *
take_and_die(void *ctx)
{
    (void)ctx;
    die();
    return NULL;
}

static void
die_with_the_write_lock(void)
{
    store_commit(open_store(), take_and_die, NULL);
}

Test(store_lmdb, the_write_lock_of_the_dead_is_freed)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    in_child(die_with_the_write_lock);
    cr_expect_eq(put(store, "acme", "2"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "2@2");
    store_close(store);
}

/* How many slots of readers have the pid, in the lock file; replaces it. Before
 * the first slot there is none. */
static size_t
rename_slots(pid_t from, pid_t to)
{
    auto_char *path = scratch_path(db, "lock.mdb");
    struct bytes lock = slurp(path);
    size_t count = 0;

    for (size_t at = 128; at + sizeof(from) <= lock.len; at += sizeof(from))
        if (memcmp(lock.bytes + at, &from, sizeof(from)) == 0) {
            memcpy(lock.bytes + at, &to, sizeof(to));
            count++;
        }
    spit(path, lock.bytes, lock.len);
    free(lock.bytes);
    return count;
}

/* Another process that has the store open, until the pipe is closed. Without
 * one, LMDB would make all slots anew. */
static pid_t
start_other(const int *ends)
{
    pid_t pid = fork();
    struct store *store;
    char byte;

    if (pid != 0)
        return pid;
    close(ends[1]);
    store = open_store();
    if (put(store, "acme", "one") != ERR_OK)
        _exit(1);
    (void)!read(ends[0], &byte, 1);
    store_close(store);
    _exit(0);
}

/* As if the pid had been given to us since. */
Test(store_lmdb, the_slot_of_a_dead_process_that_had_our_pid_is_freed)
{
    pid_t own = getpid(), other, dead;
    struct store *store;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    other = start_other(ends);
    store = open_store();
    while (*value(store, "acme") == '@')
        usleep(1000);
    store_close(store);
    dead = fork();
    if (dead == 0)
        die_reading();
    cr_assert_eq(waitpid(dead, NULL, 0), dead);
    cr_assert_eq(rename_slots(dead, own), 1);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "one@1");
    cr_expect_eq(rename_slots(own, own), 1);
    store_close(store);
    cr_expect_eq(rename_slots(own, own), 0);
    close(ends[1]);
    cr_expect_eq(waitpid(other, NULL, 0), other);
}

/* Takes every reader slot that is left, and dies. */
static void
hog_readers(void)
{
    struct raw raw = raw_open(MDB_RDONLY);
    int taken = 1;

    for (MDB_txn *txn; mdb_txn_begin(raw.env, NULL, MDB_RDONLY, &txn) == 0;)
        taken++;
    cr_assert_gt(taken, 1000);
    die();
}

Test(store_lmdb, reader_slots_of_the_dead_are_freed)
{
    struct store *store = open_store();
    size_t count = 0;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    in_child(hog_readers);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, 1);

    in_child(hog_readers);
    in_child(open_and_put);
    store_close(store);
}

Test(store_lmdb, a_live_process_with_all_reader_slots_is_not_an_error_of_ours)
{
    struct store *store = open_store();
    struct raw raw;
    size_t count = 0;
    pid_t pid;
    int ready[2];
    char byte;

    cr_assert_eq(pipe(ready), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        raw = raw_open(MDB_RDONLY);
        for (MDB_txn *txn; mdb_txn_begin(raw.env, NULL, MDB_RDONLY, &txn) == 0;)
            ;
        if (write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_BUSY);
    cr_expect_eq(put(store, "acme", "1"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
    store_close(store);
}

Test(store_lmdb, a_dead_reader_does_not_make_the_file_grow_for_ever)
{
    struct store *store = open_store();
    struct stat status;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    in_child(die_reading);
    for (int i = 0; i < 1500; i++)
        cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    /* About 20 KiB a commit if no page is ever used again. */
    cr_assert_eq(stat(data, &status), 0);
    cr_expect_lt(status.st_size, 10 << 20, "%jd bytes",
                 (intmax_t)status.st_size);
}
