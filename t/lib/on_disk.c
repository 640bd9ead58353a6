// SPDX-License-Identifier: MIT
#include "on_disk.h"

#include "scratch.h"
#include "store/open.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

char *scratch, *db, *data;

void
on_disk_set_up(void)
{
    scratch = scratch_make();
    db = scratch_path(scratch, "db");
    data = scratch_path(db, "data.mdb");
}

void
on_disk_tear_down(void)
{
    free(db);
    free(data);
    scratch_remove(scratch);
}

struct store *
open_with(size_t map_size)
{
    struct store_options options = {.path = db, .map_size = map_size};
    struct store *store = NULL;
    char why[512] = "";

    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK, "%s",
                 why);
    return store;
}

struct store *
open_store(void)
{
    return open_with(MAP_SIZE);
}

void
assert_refused(const char *path, const char *because)
{
    struct store_options options = {.path = db, .map_size = MAP_SIZE};
    struct store *store = NULL;
    char why[512] = "";

    cr_assert_neq(store_open(&options, &store, why, sizeof(why)), ERR_OK,
                  "not %s", because);
    cr_expect_null(store);
    cr_expect_not_null(strstr(why, path), "%s", why);
    cr_expect_not_null(strstr(why, because), "%s", why);
}

enum err
put(struct store *store, const char *tenant, const char *text)
{
    struct store_write write = write_of(tenant, "timer", text);

    return store_commit_one(store, &write);
}

const char *
value(struct store *store, const char *tenant)
{
    static char text[256];
    struct record record;

    cr_assert_eq(store_get(store, tenant, "timer", &record), ERR_OK);
    snprintf(text, sizeof(text), "%.*s@%ju",
             record.value_len < 200 ? (int)record.value_len : 200,
             record.version > 0 ? record.value : "", (uintmax_t)record.version);
    record_clear(&record);
    return text;
}

struct store_write *
take_list(void *ctx)
{
    return ctx;
}

enum err
count_version(void *ctx, const struct record *record,
              const struct record_origin *origin)
{
    uint64_t *expected = ctx;

    (void)origin;
    return record->version == (*expected)-- ? ERR_OK : ERR_STORE;
}

void
assert_whole_history(struct store *store, const char *tenant, uint64_t newest)
{
    uint64_t next = newest;

    cr_expect_eq(store_history(store, tenant, "timer", 0, SIZE_MAX,
                               count_version, &next),
                 ERR_OK);
    cr_expect_eq(next, 0);
}

enum err
count_record(void *ctx, const char *tenant, const char *key,
             const struct record *record)
{
    (void)tenant;
    (void)key;
    (void)record;
    ++*(size_t *)ctx;
    return ERR_OK;
}

struct bytes
slurp(const char *path)
{
    struct bytes file = {NULL, 0};
    FILE *stream = fopen(path, "r");
    struct stat status;

    cr_assert_not_null(stream);
    cr_assert_eq(fstat(fileno(stream), &status), 0);
    file.len = (size_t)status.st_size;
    file.bytes = malloc(file.len + 1);
    cr_assert_eq(fread(file.bytes, 1, file.len, stream), file.len);
    fclose(stream);
    return file;
}

void
spit(const char *path, const char *bytes, size_t len)
{
    FILE *stream = fopen(path, "w");

    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(bytes, 1, len, stream), len);
    cr_assert_eq(fclose(stream), 0);
}

void
assert_untouched(const char *path, const char *bytes, size_t len)
{
    struct bytes now = slurp(path);

    cr_expect_eq(now.len, len);
    cr_expect(now.len == len && memcmp(now.bytes, bytes, len) == 0);
    free(now.bytes);
}

bool
exists(const char *path)
{
    return access(path, F_OK) == 0;
}

mode_t
mode_of(const char *path)
{
    struct stat status;

    cr_assert_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

void
in_child(void (*body)(void))
{
    int status;
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(status == 0 || WTERMSIG(status) == SIGKILL, "status %#x",
              (unsigned int)status);
}

void
die(void)
{
    kill(getpid(), SIGKILL);
}

void
open_and_put(void)
{
    char tenant[16];
    struct store *store = open_store();

    snprintf(tenant, sizeof(tenant), "t%d", getpid());
    cr_assert_eq(put(store, tenant, "x"), ERR_OK);
    store_close(store);
}

void
mount_or_skip(unsigned long flags, const char *options)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", db, "tmpfs", flags, options) != 0)
        cr_skip_test("not allowed to mount");
}

struct raw
raw_open(unsigned int flags)
{
    struct raw raw;

    cr_assert_eq(mdb_env_create(&raw.env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(raw.env, 4), 0);
    cr_assert_eq(mdb_env_set_maxreaders(raw.env, 2000), 0);
    cr_assert_eq(mdb_env_set_mapsize(raw.env, MAP_SIZE), 0);
    cr_assert_eq(mdb_env_open(raw.env, db, MDB_NOTLS, 0640), 0);
    cr_assert_eq(mdb_txn_begin(raw.env, NULL, flags, &raw.txn), 0);
    return raw;
}

void
raw_put(struct raw *raw, const char *database, const char *key, size_t key_len,
        const char *bytes, size_t len)
{
    char key_copy[64], copy[64];
    MDB_val name = {key_len, key_copy};
    MDB_val content = {len, copy};
    MDB_dbi dbi;

    memcpy(key_copy, key, key_len);
    memcpy(copy, bytes, len);
    cr_assert_eq(mdb_dbi_open(raw->txn, database, MDB_CREATE, &dbi), 0);
    cr_assert_eq(mdb_put(raw->txn, dbi, &name, &content, 0), 0);
}

void
raw_commit(struct raw *raw)
{
    cr_assert_eq(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

void
die_reading(void)
{
    struct raw raw = raw_open(MDB_RDONLY);

    die();
    mdb_txn_abort(raw.txn); /* is not reached, but in use: not lost */
}
