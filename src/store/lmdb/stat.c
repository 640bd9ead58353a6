// SPDX-License-Identifier: MIT
#include "store/lmdb/stat.h"

#include "base/log.h"
#include "store/lmdb/commit.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/env.h"
#include "store/store.h"

#include <string.h>

/* LMDB's own tree of free pages. An entry each for the transactions that freed
 * some; there are many only while a reader is in the way, and then the first
 * ones have to do. */
#define FREE_TREE 0
#define FREE_ENTRIES_MAX 4096

/* A probe stores more than a small write does, page by page: where it fits,
 * such a write does, with the pages that its commit takes. */
#define PROBE_RECORDS 8
#define PROBE_RECORD_SIZE 1500

/* Pages that were freed, and can be used again. LMDB's error. */
static int
count_free(MDB_txn *txn, size_t *count_out)
{
    MDB_val key, data;
    MDB_cursor *cursor;
    size_t count = 0, pages;
    int rc = mdb_cursor_open(txn, FREE_TREE, &cursor);

    if (rc != 0)
        return rc;
    for (int i = 0; i < FREE_ENTRIES_MAX &&
                    mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0;
         i++) {
        /* A list of page numbers, after how many there are. */
        memcpy(&pages, data.mv_data, sizeof(pages));
        count += pages;
    }
    mdb_cursor_close(cursor);
    *count_out = count;
    return 0;
}

/* A line of mdb_reader_list: a heading, or "pid thread transaction". */
static int
count_reader(const char *line, void *ctx)
{
    uint64_t *readers = ctx;

    line += strspn(line, " ");
    *readers += *line >= '0' && *line <= '9';
    return 0;
}

static uint64_t
count_entries(const struct lmdb_env *env, MDB_dbi dbi)
{
    MDB_stat tree = {0};

    (void)mdb_stat(env->reader, dbi, &tree); /* fails without a reader only */
    return tree.ms_entries;
}

enum err
lmdb_stat_read(struct lmdb_env *env, struct store_stat *stat_out)
{
    struct store_stat stat = {0};
    MDB_envinfo info;
    MDB_stat tree;
    size_t free_pages;
    int rc = lmdb_env_renew(env);

    if (rc != 0)
        return lmdb_env_failed(env, rc);
    rc = count_free(env->reader, &free_pages);
    if (rc != 0) {
        lmdb_env_reset(env);
        return lmdb_env_failed(env, rc);
    }
    (void)mdb_env_info(env->db.env, &info); /* fails without env only */
    (void)mdb_env_stat(env->db.env, &tree);
    (void)mdb_reader_list(env->db.env, count_reader, &stat.readers);
    stat.readers_max = info.me_maxreaders;
    stat.map_bytes = info.me_mapsize;
    stat.used_bytes = (info.me_last_pgno + 1 - free_pages) * tree.ms_psize;
    stat.records = count_entries(env, env->db.config);
    stat.versions = count_entries(env, env->db.history);
    stat.format = env->db.format;
    lmdb_env_reset(env);
    *stat_out = stat;
    return ERR_OK;
}

/* Puts what a write might, and takes it back. */
static int
try_to_put(struct lmdb_commit *commit)
{
    struct lmdb_env *env = commit->env;
    MDB_txn *txn;
    int rc = lmdb_commit_begin(commit, &txn);

    if (rc != 0)
        return rc;
    for (char i = 0; rc == 0 && i < PROBE_RECORDS; i++) {
        /* No tenant's: those begin with a letter or a digit. */
        char name[] = {0, 0, 0, i};
        MDB_val key = {sizeof(name), name};
        MDB_val data = {PROBE_RECORD_SIZE, NULL};

        rc = mdb_put(txn, env->db.config, &key, &data, MDB_RESERVE);
    }
    lmdb_env_abort(env, txn);
    return rc;
}

/* Says once what keeps writes from the file, and once that it is gone. */
static void
note_fault(struct lmdb_env *env, const char *fault)
{
    if (fault == env->fault)
        return;
    env->fault = fault;
    if (fault != NULL)
        log_event(LOG_LEVEL_ERR, "store_not_writable",
                  LOG_TEXT("path", env->path), LOG_TEXT("reason", fault));
    else
        log_event(LOG_LEVEL_NOTICE, "store_writable",
                  LOG_TEXT("path", env->path));
}

static const char elsewhere[] =
    "the directory was moved, or has another data file now; to use what is "
    "there, restart the service";

/* What a transaction that is taken back does not find out. */
static enum err
check_file(struct lmdb_env *env)
{
    const char *fault = "the store could not be opened again";
    bool is_full = false, is_elsewhere = false;
    int fd;

    pthread_rwlock_rdlock(&env->lock);
    if (env->db.env != NULL && mdb_env_get_fd(env->db.env, &fd) == 0) {
        fault = store_file_find_fault(fd);
        is_full = store_file_is_disk_full(fd);
        is_elsewhere = fault == NULL && store_file_is_elsewhere(fd, env->path);
    }
    pthread_rwlock_unlock(&env->lock);
    note_fault(env, is_elsewhere ? elsewhere : fault);
    if (is_elsewhere)
        return ERR_NOTFOUND;
    if (fault != NULL)
        return ERR_STORE;
    return is_full ? ERR_FULL : ERR_OK;
}

enum err
lmdb_stat_probe(struct lmdb_commit *commit)
{
    struct lmdb_env *env = commit->env;
    int rc = try_to_put(commit);

    if (rc == MDB_MAP_FULL && lmdb_env_make_room(env))
        rc = try_to_put(commit);
    return rc == 0 ? check_file(env) : lmdb_env_failed(env, rc);
}
