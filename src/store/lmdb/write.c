// SPDX-License-Identifier: MIT
#include "store/lmdb/write.h"

#include "store/layout.h"
#include "store/lmdb/env.h"
#include "store/lmdb/history.h"
#include "store/lmdb/meta.h"
#include "store/stamp.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static MDB_val
name_val(struct store_name *name)
{
    return (MDB_val){name->len, name->bytes};
}

int
lmdb_write_look_up(const struct lmdb_env *env, MDB_txn *txn,
                   struct store_name *name, struct store_record *record_out)
{
    MDB_val key = name_val(name);
    MDB_val data;
    int rc = mdb_get(txn, env->db.config, &key, &data);

    if (rc == MDB_NOTFOUND) {
        *record_out = (struct store_record){0};
        return 0;
    }
    if (rc != 0)
        return rc;
    return store_record_decode(data.mv_data, data.mv_size, record_out)
               ? 0
               : MDB_CORRUPTED;
}

static int
put(MDB_txn *txn, MDB_dbi dbi, struct store_name *name,
    const struct store_record *record)
{
    MDB_val key = name_val(name);
    MDB_val data = {store_record_size(record), NULL};
    int rc = mdb_put(txn, dbi, &key, &data, MDB_RESERVE);

    if (rc == 0)
        store_record_encode(record, data.mv_data);
    return rc;
}

static int
store_version(const struct lmdb_env *env, MDB_txn *txn, struct store_name *name,
              const struct store_record *record)
{
    struct store_record current = store_record_current(record);
    int rc = put(txn, env->db.config, name, &current);

    if (rc != 0)
        return rc;
    store_name_add_version(name, record->version);
    rc = put(txn, env->db.history, name, record);
    return rc == 0 ? lmdb_history_prune(env, txn, name) : rc;
}

int
lmdb_write_again(void *ctx, MDB_txn *txn, struct store_name *name,
                 const struct store_record *record)
{
    const struct lmdb_env *env = ctx;
    struct store_record current;
    int rc = lmdb_write_look_up(env, txn, name, &current);

    if (rc == 0)
        rc = lmdb_meta_advance_seq(txn, record->seq);
    if (rc != 0 || record->version != current.version + 1)
        return rc;
    return store_version(env, txn, name, record);
}

void
lmdb_write_reset(struct store_write *write, enum err result)
{
    write->result = result;
    write->version = 0;
    write->updated_at = 0;
    write->seq = 0;
    write->has_write_id = false;
    write->is_new = false;
}

/* Judges one write. What it does wrong is its own result; an error of LMDB
 * is returned, and ends the transaction. */
static int
judge(const struct lmdb_env *env, MDB_txn *txn, struct store_write *write,
      int64_t now, struct store_stamp *stamp)
{
    struct store_name name;
    struct store_record current;
    int rc;

    lmdb_write_reset(write, ERR_INVALID);
    if (write->value_len > UINT32_MAX || !store_write_is_valid(write) ||
        !store_name_encode(write->tenant, write->key, &name))
        return 0;
    rc = lmdb_write_look_up(env, txn, &name, &current);
    if (rc == MDB_CORRUPTED)
        write->result = lmdb_env_damaged(env, write->tenant, write->key);
    if (rc != 0)
        return rc == MDB_CORRUPTED ? 0 : rc;

    write->version = current.version;
    write->updated_at = current.updated_at;
    write->seq = current.seq;
    write->has_write_id = current.seq > 0;
    memcpy(write->write_id, current.write_id, STORE_WRITE_ID_SIZE);
    store_judge(write, current.value, current.value_len, now);
    store_stamp_note_clock(stamp, write, current.updated_at);
    return 0;
}

/* Stores a write that has been judged. */
static int
store_judged(const struct lmdb_env *env, MDB_txn *txn,
             struct store_write *write, struct store_stamp *stamp)
{
    struct store_record record;
    struct store_name name;
    int rc = store_stamp(stamp, write);

    if (rc != 0)
        return rc;
    record = store_record_of(write);
    (void)store_name_encode(write->tenant, write->key, &name); /* as before */
    return store_version(env, txn, &name, &record);
}

/* True if the record is of the version, and has the value, that the write
 * replaces. */
static bool
is_replaced(const struct store_record *record, const struct store_write *write)
{
    return record->version == write->base &&
           record->value_len == write->replaces_len &&
           memcmp(record->value, write->replaces, record->value_len) == 0;
}

/* Puts the write's value in the place of what it replaces. */
static int
replace_in(MDB_txn *txn, MDB_dbi dbi, struct store_name *name,
           struct store_write *write)
{
    struct store_record record;
    MDB_val key = name_val(name);
    MDB_val data;
    int rc = mdb_get(txn, dbi, &key, &data);

    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    if (!store_record_decode(data.mv_data, data.mv_size, &record))
        return MDB_CORRUPTED;
    if (!is_replaced(&record, write))
        return 0;
    record.value = write->value;
    record.value_len = (uint32_t)write->value_len;
    data = (MDB_val){store_record_size(&record), NULL};
    /* Not MDB_RESERVE: parts of the record are in the page that changes. */
    data.mv_data = malloc(data.mv_size);
    if (data.mv_data == NULL)
        return ENOMEM;
    store_record_encode(&record, data.mv_data);
    rc = mdb_put(txn, dbi, &key, &data, 0);
    free(data.mv_data);
    write->is_new = write->is_new || rc == 0;
    return rc;
}

/* Where it is the current one, and in the history. */
static int
replace(const struct lmdb_env *env, MDB_txn *txn, struct store_write *write)
{
    struct store_name name;
    int rc;

    if (write->result != ERR_OK ||
        !store_name_encode(write->tenant, write->key, &name))
        return 0;
    rc = replace_in(txn, env->db.config, &name, write);
    store_name_add_version(&name, write->base);
    if (rc == 0)
        rc = replace_in(txn, env->db.history, &name, write);
    if (rc == MDB_CORRUPTED)
        write->result = lmdb_env_damaged(env, write->tenant, write->key);
    return rc == MDB_CORRUPTED ? 0 : rc;
}

int
lmdb_write_apply(const struct lmdb_env *env, MDB_txn *txn,
                 struct store_write *first, const struct store_write *end,
                 int64_t now, struct store_stamp *stamp)
{
    struct store_write *write;
    int rc = 0;

    for (write = first; rc == 0 && write != end; write = write->next)
        rc = judge(env, txn, write, now, stamp);
    if (rc == 0)
        store_judge_group(first, end);
    for (write = first; rc == 0 && write != end; write = write->next) {
        if (write->op == STORE_REPLACE)
            rc = replace(env, txn, write);
        else if (write->is_new)
            rc = store_judged(env, txn, write, stamp);
    }
    return rc;
}
