// SPDX-License-Identifier: MIT
/*
 * Stores of format 1, which are raised when they are opened, but never beside
 * a program that knows no better.
 *
 * t/data/store_1 is of revision 2bc5426. data.mdb was made by its orderconf,
 * with import, set and unset. noted.mdb is the same after one more import, with
 * the meta pages from before: as a power loss leaves it, the import is only in
 * the note.
 */
#include "store/store.h"

#include "base/util.h"
#include "lib/bad_disk.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

TestSuite(store_lmdb_raise, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 120);

#define TIMER "on_hold_timer_duration"
#define HOOK "external_order_webhook"
#define HOOK_VALUE                                                             \
    "{\"url\":\"https://hooks.example.com/\",\"api_key\":\"s3cret\","          \
    "\"timeout\":7}"

static void
make_old(const char *name)
{
    const char *srcdir = getenv("SRCDIR");
    struct bytes file;
    char path[4096];

    snprintf(path, sizeof(path), "%s/t/data/store_1/%s",
             srcdir != NULL ? srcdir : ".", name);
    file = slurp(path);
    cr_assert(mkdir(db, 0750) == 0 || errno == EEXIST);
    spit(data, file.bytes, file.len);
    free(file.bytes);
}

/* The format that is on disk, read without any lock. */
static uint64_t
format_on_disk(void)
{
    char key_bytes[] = "format";
    MDB_val value, key = {strlen(key_bytes), key_bytes};
    uint64_t format = 0;
    MDB_dbi meta;
    MDB_env *env;
    MDB_txn *txn;

    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, 4), 0);
    cr_assert_eq(mdb_env_open(env, db, MDB_RDONLY | MDB_NOLOCK, 0), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    cr_assert_eq(mdb_get(txn, meta, &key, &value), 0);
    for (size_t i = 0; i < value.mv_size; i++)
        format = format << 8 | ((unsigned char *)value.mv_data)[i];
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return format;
}

static struct record
got(struct store *store, const char *tenant, const char *key)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get(store, tenant, key, &record), ERR_OK);
    return record;
}

/* Appends "version=value(author)#seq ". */
static enum err
see(void *ctx, const struct record *record, const struct record_origin *origin)
{
    char *text = ctx;
    size_t len = strlen(text);

    snprintf(text + len, 1024 - len, "%ju=%s(%s)#%ju ",
             (uintmax_t)record->version,
             record_is_set(record) ? record->value : "", record->author,
             (uintmax_t)record->seq);
    return *origin->request_id != '\0' && origin->note == NULL ? ERR_OK
                                                               : ERR_STORE;
}

static void
assert_versions(struct store *store, const char *tenant, const char *key,
                const char *expected)
{
    char text[1024] = "";

    cr_expect_eq(store_history(store, tenant, key, 0, SIZE_MAX, see, text),
                 ERR_OK);
    cr_expect_str_eq(text, expected);
}

/* As 2bc5426 left data.mdb. */
static void
assert_all_there(struct store *store)
{
    struct store_stat stat;

    cr_assert_eq(store_stat(store, &stat), ERR_OK);
    cr_expect_eq(stat.format, 2);
    cr_expect_eq(stat.records, 5);
    cr_expect_eq(stat.versions, 8);
    assert_versions(store, "acme", TIMER,
                    "4=180(ada)#0 3=(ada)#0 2=120(bob)#0 1=60(ada)#0 ");
    assert_versions(store, "acme", HOOK, "1=" HOOK_VALUE "(bob)#0 ");
    assert_versions(store, "globex", "external_oms",
                    "1={\"enabled\":true}(zoe)#0 ");
}

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

static void
assert_note_is_there(struct store *store)
{
    assert_versions(store, "acme", TIMER,
                    "5=240(zoe)#0 4=180(ada)#0 3=(ada)#0 2=120(bob)#0 "
                    "1=60(ada)#0 ");
    assert_versions(store, "acme", "big_sales_order",
                    "1={\"soft_limit_for_big_orders\":42}(zoe)#0 ");
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

/* --- beside others -------------------------------------------------------- */

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

Test(store_lmdb_raise, an_old_store_that_others_have_open_is_refused)
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
Test(store_lmdb_raise, others_who_end_soon_are_waited_for)
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
Test(store_lmdb_raise, a_store_is_raised_once)
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
Test(store_lmdb_raise, many_open_an_old_store_at_once)
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

/* --- each write transaction --------------------------------------------- */

/* Whatever it was that changed it, nothing is written to what is not known. */
Test(store_lmdb_raise, a_format_that_changes_ends_writing)
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
