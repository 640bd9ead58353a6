// SPDX-License-Identifier: MIT
#include "store/lmdb/history.h"

#include <string.h>

/* So many versions are removed at once: one for each eighth that is kept. */
#define HANDFUL_MAX 64
#define KEPT_PER_GONE 8

static MDB_val
name_val(struct store_name *name)
{
    return (MDB_val){name->len, name->bytes};
}

uint64_t
lmdb_history_newest_gone(const struct lmdb_env *env, uint64_t newest)
{
    bool keeps_all = env->history == 0 || newest <= env->history;

    return keeps_all ? 0 : newest - env->history;
}

/* True if this write is the one to remove what the last few left. */
static bool
is_due(const struct lmdb_env *env, uint64_t newest)
{
    uint64_t handful = env->history / KEPT_PER_GONE + 1;

    return newest % (handful < HANDFUL_MAX ? handful : HANDFUL_MAX) == 0;
}

int
lmdb_history_prune(const struct lmdb_env *env, MDB_txn *txn,
                   const struct store_name *name)
{
    struct store_name last = *name;
    uint64_t newest = store_name_version(name);
    uint64_t gone = lmdb_history_newest_gone(env, newest);
    MDB_val found, data;
    MDB_cursor *cursor;
    int rc;

    if (gone == 0 || !is_due(env, newest))
        return 0;
    rc = mdb_cursor_open(txn, env->db.history, &cursor);
    if (rc != 0)
        return rc;
    store_name_set_version(&last, 0);
    found = name_val(&last);
    rc = mdb_cursor_get(cursor, &found, &data, MDB_SET_RANGE);
    store_name_set_version(&last, gone);
    for (int i = 0; rc == 0 && i < STORE_PRUNE_MAX; i++) {
        if (found.mv_size != last.len ||
            memcmp(found.mv_data, last.bytes, last.len) > 0)
            break;
        rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &found, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* A walk through the versions of a key. */
struct walk {
    MDB_cursor *cursor;
    struct store_name name; /* the version below which it starts */
    uint64_t gone;          /* versions up to this one are not shown */
    MDB_val found, data;    /* where it is */
};

/* Finds out what is gone. What is no record is MDB_CORRUPTED. */
static int
look_up_gone(const struct lmdb_env *env, MDB_txn *txn, struct walk *walk)
{
    struct store_record current;
    MDB_val key = name_val(&walk->name);
    MDB_val data;
    int rc = mdb_get(txn, env->db.config, &key, &data);

    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    if (!store_record_decode(data.mv_data, data.mv_size, &current))
        return MDB_CORRUPTED;
    walk->gone = lmdb_history_newest_gone(env, current.version);
    return 0;
}

/* Goes to the newest version below that of the name. */
static int
go_below(struct walk *walk)
{
    int rc;

    walk->found = name_val(&walk->name);
    rc = mdb_cursor_get(walk->cursor, &walk->found, &walk->data, MDB_SET_RANGE);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    return mdb_cursor_get(walk->cursor, &walk->found, &walk->data,
                          rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int
start(const struct lmdb_env *env, MDB_txn *txn, uint64_t before,
      struct walk *walk)
{
    int rc = look_up_gone(env, txn, walk);

    if (rc == 0)
        rc = mdb_cursor_open(txn, env->db.history, &walk->cursor);
    if (rc != 0)
        return rc;
    store_name_add_version(&walk->name, before == 0 ? UINT64_MAX : before);
    return go_below(walk);
}

/* True if the walk is at a version of its key, and not at one that is gone. */
static bool
is_shown(const struct walk *walk)
{
    size_t prefix_len = walk->name.len - sizeof(uint64_t);
    const unsigned char *found = walk->found.mv_data;

    return walk->found.mv_size == walk->name.len &&
           memcmp(found, walk->name.bytes, prefix_len) == 0 &&
           store_number_decode(found + prefix_len) > walk->gone;
}

/* Shows where the walk is. MDB_CORRUPTED if that is no record. */
static int
show(const struct walk *walk, store_history_fn *visit, void *ctx,
     enum err *err_out)
{
    struct store_record view;
    struct record record;
    struct record_origin origin;

    if (!store_record_decode(walk->data.mv_data, walk->data.mv_size, &view))
        return MDB_CORRUPTED;
    *err_out = store_record_copy(&view, &record, &origin);
    if (*err_out == ERR_OK) {
        *err_out = visit(ctx, &record, &origin);
        record_clear(&record);
        record_origin_clear(&origin);
    }
    return 0;
}

enum err
lmdb_history_visit(struct lmdb_env *env, const char *tenant, const char *key,
                   uint64_t before, size_t limit, store_history_fn *visit,
                   void *ctx)
{
    struct walk walk = {.cursor = NULL};
    MDB_txn *txn;
    enum err err = ERR_OK;
    int rc;

    if (!store_name_encode(tenant, key, &walk.name))
        return ERR_INVALID;
    rc = lmdb_env_begin(env, MDB_RDONLY, &txn);
    if (rc != 0)
        return lmdb_env_failed(env, rc);
    rc = start(env, txn, before, &walk);
    for (; rc == 0 && err == ERR_OK && limit > 0 && is_shown(&walk); limit--) {
        rc = show(&walk, visit, ctx, &err);
        if (rc == 0)
            rc = mdb_cursor_get(walk.cursor, &walk.found, &walk.data, MDB_PREV);
    }
    mdb_cursor_close(walk.cursor);
    lmdb_env_abort(env, txn);
    if (rc == MDB_CORRUPTED)
        return lmdb_env_damaged(env, tenant, key);
    return rc == 0 || rc == MDB_NOTFOUND ? err : lmdb_env_failed(env, rc);
}
