// SPDX-License-Identifier: MIT
#include "store/lmdb/engine.h"

#include "base/log.h"
#include "store/layout.h"
#include "store/lmdb/commit.h"
#include "store/lmdb/copy.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/env.h"
#include "store/lmdb/history.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/raise.h"
#include "store/lmdb/stat.h"
#include "store/lmdb/timeline.h"
#include "store/lmdb/visit.h"
#include "store/lmdb/write.h"
#include "store/stamp.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A process that dies while it reads keeps old pages from being used again,
 * until its slot is freed. */
#define COMMITS_PER_READER_CHECK 256

struct store_lmdb {
    struct store store;
    struct lmdb_env env;
    struct lmdb_commit commit;
    struct store_stamp stamp;
    unsigned int commits; /* of the committing thread, as is the next */
    bool is_full;
};

static struct store_lmdb *
lmdb(struct store *store)
{
    return (struct store_lmdb *)store;
}

static void
close_store(struct store *store)
{
    lmdb_env_close(&lmdb(store)->env);
    free(store);
}

static enum err
get(struct store *base, const char *tenant, const char *key,
    struct record *record_out)
{
    struct store_lmdb *store = lmdb(base);
    struct store_name name;
    struct store_record found;
    enum err err = ERR_OK;
    int rc;

    if (!store_name_encode(tenant, key, &name))
        return ERR_INVALID;
    rc = lmdb_env_renew(&store->env);
    if (rc != 0)
        return lmdb_env_failed(&store->env, rc);
    rc = lmdb_write_look_up(&store->env, store->env.reader, &name, &found);
    if (rc == 0 && found.version == 0)
        *record_out = (struct record){0};
    else if (rc == 0)
        err = store_record_copy(&found, record_out, NULL);
    lmdb_env_reset(&store->env);

    if (rc == MDB_CORRUPTED)
        return lmdb_env_damaged(&store->env, tenant, key);
    return rc == 0 ? err : lmdb_env_failed(&store->env, rc);
}

/* The writes from first up to end, which share one fate. */
static enum err
fail_all(struct store_lmdb *store, int rc, struct store_write *first,
         const struct store_write *end)
{
    enum err err = lmdb_env_failed(&store->env, rc);

    for (struct store_write *write = first; write != end; write = write->next)
        lmdb_write_reset(write, err);
    return err;
}

/* Applies them in txn, and ends it. */
static enum err
finish(struct store_lmdb *store, MDB_txn *txn, struct store_write *first,
       const struct store_write *end)
{
    struct store_write *group, *next;
    struct store_stamp *stamp = &store->stamp;
    int64_t now = time(NULL);
    uint64_t seq = 0;
    int rc = lmdb_meta_seq(txn, &seq);

    stamp->seq = seq;
    for (group = first; rc == 0 && group != end; group = next) {
        next = store_group_end(group, end);
        rc = lmdb_write_apply(&store->env, txn, group, next, now, stamp);
    }
    if (rc == 0 && stamp->seq != seq)
        rc = lmdb_meta_set_seq(txn, stamp->seq);
    if (rc == 0)
        rc = lmdb_commit_end(&store->commit, txn, first, end);
    else
        lmdb_env_abort(&store->env, txn);
    return rc == 0 ? ERR_OK : fail_all(store, rc, first, end);
}

static enum err
try_again(struct store_lmdb *store, struct store_write *first,
          const struct store_write *end)
{
    MDB_txn *txn;
    int rc = lmdb_commit_begin(&store->commit, &txn);

    if (rc != 0)
        return fail_all(store, rc, first, end);
    return finish(store, txn, first, end);
}

/* When the batch does not fit, what fits is stored: group by group. */
static enum err
try_each(struct store_lmdb *store, struct store_write *first)
{
    enum err result = ERR_OK;
    struct store_write *next;

    for (; first != NULL; first = next) {
        enum err err;

        next = store_group_end(first, NULL);
        err = try_again(store, first, next);
        if (err != ERR_OK && result != ERR_FULL)
            result = err;
    }
    return result;
}

static bool
has_new(const struct store_write *writes)
{
    while (writes != NULL && !writes->is_new)
        writes = writes->next;
    return writes != NULL;
}

/* Says once that the store is full, and once that it no longer is. */
static void
note_full(struct store_lmdb *store, bool is_full)
{
    if (is_full == store->is_full)
        return;
    store->is_full = is_full;
    log_event(is_full ? LOG_LEVEL_ERR : LOG_LEVEL_NOTICE,
              is_full ? "store_full" : "store_has_room",
              LOG_TEXT("path", store->env.path));
}

static enum err
commit(struct store *base, store_take_fn *take, void *ctx)
{
    struct store_lmdb *store = lmdb(base);
    struct store_write *writes;
    MDB_txn *txn;
    enum err err;
    int rc = lmdb_commit_begin(&store->commit, &txn);

    writes = take(ctx);
    if (rc != 0)
        err = fail_all(store, rc, writes, NULL);
    else
        err = finish(store, txn, writes, NULL);
    if (err == ERR_FULL && lmdb_env_make_room(&store->env))
        err = try_again(store, writes, NULL);
    if (err == ERR_FULL && store_group_end(writes, NULL) != NULL)
        err = try_each(store, writes);

    /* What failed otherwise, or stored nothing, says nothing about room. */
    if (err == ERR_FULL || (err == ERR_OK && has_new(writes)))
        note_full(store, err == ERR_FULL);
    if (++store->commits % COMMITS_PER_READER_CHECK == 0)
        (void)lmdb_env_check_readers(&store->env);
    return err;
}

static enum err
probe(struct store *base)
{
    struct store_lmdb *store = lmdb(base);
    enum err err = lmdb_stat_probe(&store->commit);

    if (err == ERR_FULL || err == ERR_OK)
        note_full(store, err == ERR_FULL);
    return err;
}

static enum err
list(struct store *store, const char *tenant, store_visit_fn *visit, void *ctx)
{
    return lmdb_visit_list(&lmdb(store)->env, tenant, visit, ctx);
}

static enum err
history(struct store *store, const char *tenant, const char *key,
        uint64_t before, size_t limit, store_history_fn *visit, void *ctx)
{
    return lmdb_history_visit(&lmdb(store)->env, tenant, key, before, limit,
                              visit, ctx);
}

static enum err
timeline(struct store *store, const char *tenant,
         enum store_direction direction, const struct store_place *from,
         store_timeline_fn *visit, void *ctx)
{
    return lmdb_timeline_visit(&lmdb(store)->env, tenant, direction, from,
                               visit, ctx);
}

static enum err
scan(struct store *store, store_visit_fn *visit, void *ctx)
{
    return lmdb_visit_scan(&lmdb(store)->env, visit, ctx);
}

static enum err
stat_store(struct store *store, struct store_stat *stat_out)
{
    return lmdb_stat_read(&lmdb(store)->env, stat_out);
}

static enum err
copy(struct store *store, const char *dir, store_progress_fn *progress,
     void *ctx, struct store_copied *copied_out, char *why, size_t why_size)
{
    return lmdb_copy(&lmdb(store)->env, dir, progress, ctx, copied_out, why,
                     why_size);
}

static enum err
open_commits(struct store_lmdb *store, char *why, size_t why_size)
{
    int rc = lmdb_commit_open(&store->commit, &store->env);

    if (rc == 0)
        return ERR_OK;
    return store_file_refuse(why, why_size,
                             "could not repeat the last commit in %s: %s",
                             store->env.path, mdb_strerror(rc));
}

static const struct store_ops ops = {
    .close = close_store,
    .get = get,
    .list = list,
    .commit = commit,
    .probe = probe,
    .history = history,
    .timeline = timeline,
    .scan = scan,
    .stat = stat_store,
    .copy = copy,
};

enum err
store_lmdb_open(const struct store_options *options, struct store **store_out,
                char *why, size_t why_size)
{
    struct store_lmdb *store = calloc(1, sizeof(*store));
    enum err err;

    if (store == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_NOMEM;
    }
    store->store.ops = &ops;
    err = lmdb_raise_open(&store->env, options, why, why_size);
    if (err != ERR_OK) {
        free(store);
        return err;
    }
    err = open_commits(store, why, why_size);
    if (err != ERR_OK) {
        close_store(&store->store);
        return err;
    }
    *store_out = &store->store;
    return ERR_OK;
}
