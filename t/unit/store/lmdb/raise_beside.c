// SPDX-License-Identifier: MIT
/* Stores of format 1 that are raised while other processes have them open. */
#include "store/store.h"

#include "base/util.h"
#include "lib/old_store.h"
#include "lib/on_disk.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

TestSuite(store_lmdb_raise_beside, .init = on_disk_set_up,
          .fini = on_disk_tear_down, .timeout = 120);

/* A child that has the store open, as 2bc5426 had it. */
struct older {
    pid_t pid;
    int is_open[2], end[2]; /* pipes */
};

/* Is not told of it when the format changes, and would write on. */
static void
be_older(struct older *older, const char *key)
{
    struct raw raw = raw_open(MDB_RDONLY);
    char byte = 0;

    mdb_txn_abort(raw.txn);
    cr_assert_eq(write(older->is_open[1], "", 1), 1);
    cr_assert_geq(read(older->end[0], &byte, 1), 0);
    cr_assert_eq(mdb_txn_begin(raw.env, NULL, 0, &raw.txn), 0);
    raw_put(&raw, "meta", key, strlen(key), "", 0);
    raw_commit(&raw);
    _exit(0);
}

static struct older
start_older(const char *key)
{
    struct older older;
    char byte;

    cr_assert_eq(pipe(older.is_open), 0);
    cr_assert_eq(pipe(older.end), 0);
    older.pid = fork();
    cr_assert_geq(older.pid, 0);
    if (older.pid == 0)
        be_older(&older, key);
    cr_assert_eq(read(older.is_open[0], &byte, 1), 1);
    return older;
}

static void
end_older(struct older *older)
{
    int status;

    cr_assert_eq(write(older->end[1], "", 1), 1);
    cr_assert_eq(waitpid(older->pid, &status, 0), older->pid);
    cr_assert_eq(status, 0);
    for (int i = 0; i < 2; i++) {
        close(older->is_open[i]);
        close(older->end[i]);
    }
}

/* True if "meta" has the key. */
static bool
has_meta(const char *key)
{
    struct raw raw = raw_open(MDB_RDONLY);
    char bytes[16];
    MDB_val value, name = {strlen(key), bytes};
    MDB_dbi meta;
    int rc;

    memcpy(bytes, key, strlen(key));
    cr_assert_eq(mdb_dbi_open(raw.txn, "meta", 0, &meta), 0);
    rc = mdb_get(raw.txn, meta, &name, &value);
    mdb_txn_abort(raw.txn);
    mdb_env_close(raw.env);
    return rc == 0;
}

Test(store_lmdb_raise_beside, an_old_store_that_others_have_open_is_refused)
{
    struct older older;
    struct store *store;
    char pid[32];

    make_old("data.mdb");
    older = start_older("still");
    snprintf(pid, sizeof(pid), "process %d has it open", (int)older.pid);
    assert_refused(db, "needs a restart: store format 2");
    assert_refused(db, pid);
    cr_expect_eq(format_on_disk(), 1);
    end_older(&older);
    cr_expect(has_meta("still"));
    cr_expect_eq(format_on_disk(), 1);

    store = open_store();
    assert_all_there(store);
    store_close(store);
    cr_expect(has_meta("still"));
}

static struct older other;

static void
end_other_soon(int signal)
{
    (void)signal;
    cr_assert_eq(write(other.end[1], "", 1), 1);
}

/* A command, or a CGI program, that ends by itself. */
Test(store_lmdb_raise_beside, others_who_end_soon_are_waited_for)
{
    struct store *store;

    make_old("data.mdb");
    other = start_older("short");
    signal(SIGALRM, end_other_soon);
    alarm(1);
    store = open_store();
    assert_all_there(store);
    store_close(store);
    cr_expect(has_meta("short"));
    cr_assert_eq(waitpid(other.pid, NULL, 0), other.pid);
}

/* Whoever has the store open already, when another one of the new program
 * comes, is in nobody's way. */
Test(store_lmdb_raise_beside, a_store_is_raised_once)
{
    struct older older;
    struct store *store;

    make_old("data.mdb");
    store_close(open_store());
    older = start_older("reader");
    store = open_store();
    assert_all_there(store);
    end_older(&older);
    store_close(store);
}

/* Many workers start at once, some of them slow to have it open. */
Test(store_lmdb_raise_beside, many_open_an_old_store_at_once)
{
    enum { MANY = 24 };
    pid_t pids[MANY];
    int gate[2], status;
    struct store *store;
    char byte;

    make_old("noted.mdb");
    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < MANY; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] == 0) {
            close(gate[1]);
            (void)!read(gate[0], &byte, 1); /* until all are there */
            open_and_put();
            _exit(0);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_expect_eq(status, 0);
    }
    store = open_store();
    assert_note_is_there(store);
    for (int i = 0; i < MANY; i++) {
        char tenant[16];

        snprintf(tenant, sizeof(tenant), "t%d", pids[i]);
        cr_expect_str_eq(value(store, tenant), "x@1");
    }
    store_close(store);
}

/* --- each write transaction --------------------------------------------- */

/* Whatever it was that changed it, nothing is written to what is not known. */
Test(store_lmdb_raise_beside, a_format_that_changes_ends_writing)
{
    static struct store *store; /* the child does not lose it */
    struct older older;

    store = open_store();
    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    older = start_older("none");
    store = open_store();
    kill(older.pid, SIGKILL);
    cr_assert_eq(waitpid(older.pid, NULL, 0), older.pid);
    older.pid = fork();
    if (older.pid == 0) {
        struct raw raw = raw_open(0);

        raw_put(&raw, "meta", "format", 6, "\0\0\0\0\0\0\0\3", 8);
        raw_commit(&raw);
        _exit(0);
    }
    cr_assert_eq(waitpid(older.pid, NULL, 0), older.pid);

    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    cr_expect_eq(store_probe(store), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
    assert_refused(data, "it has format 3, and this one reads format 2");
}
