// SPDX-License-Identifier: MIT
#include "store/lmdb/visit.h"

#include "model/tenant.h"
#include "store/layout.h"
#include "store/lmdb/env.h"

#include <string.h>

/* Visits the records whose names start with prefix, all of them if it is
 * empty. */
static enum err
visit_all(struct lmdb_env *env, struct store_name *prefix,
          store_visit_fn *visit, void *ctx)
{
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1];
    MDB_val name = {prefix->len, prefix->bytes};
    MDB_val data;
    MDB_cursor *cursor = NULL;
    MDB_txn *txn;
    enum err err = ERR_OK;
    int rc = lmdb_env_begin(env, MDB_RDONLY, &txn);

    if (rc != 0)
        return lmdb_env_failed(env, rc);
    rc = mdb_cursor_open(txn, env->db.config, &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &name, &data,
                            prefix->len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && err == ERR_OK && name.mv_size >= prefix->len &&
           memcmp(name.mv_data, prefix->bytes, prefix->len) == 0) {
        struct store_record found;
        struct record record;

        if (!store_name_decode(name.mv_data, name.mv_size, tenant, key))
            err = lmdb_env_damaged(env, "", "");
        else if (!store_record_decode(data.mv_data, data.mv_size, &found))
            err = lmdb_env_damaged(env, tenant, key);
        else
            err = store_record_copy(&found, &record, NULL);
        if (err != ERR_OK)
            break;
        err = visit(ctx, tenant, key, &record);
        record_clear(&record);
        rc = mdb_cursor_get(cursor, &name, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    lmdb_env_abort(env, txn);
    return rc == 0 || rc == MDB_NOTFOUND ? err : lmdb_env_failed(env, rc);
}

enum err
lmdb_visit_list(struct lmdb_env *env, const char *tenant, store_visit_fn *visit,
                void *ctx)
{
    struct store_name prefix;

    if (!store_name_encode_tenant(tenant, &prefix))
        return ERR_INVALID;
    return visit_all(env, &prefix, visit, ctx);
}

enum err
lmdb_visit_scan(struct lmdb_env *env, store_visit_fn *visit, void *ctx)
{
    struct store_name prefix = {.len = 0};

    return visit_all(env, &prefix, visit, ctx);
}
