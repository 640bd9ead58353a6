// SPDX-License-Identifier: MIT
#include "old_store.h"

#include "base/util.h"
#include "on_disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>

void
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

uint64_t
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

struct record
got(struct store *store, const char *tenant, const char *key)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get(store, tenant, key, &record), ERR_OK);
    return record;
}

enum err
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

void
assert_versions(struct store *store, const char *tenant, const char *key,
                const char *expected)
{
    char text[1024] = "";

    cr_expect_eq(store_history(store, tenant, key, 0, SIZE_MAX, see, text),
                 ERR_OK);
    cr_expect_str_eq(text, expected);
}

void
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

void
assert_note_is_there(struct store *store)
{
    assert_versions(store, "acme", TIMER,
                    "5=240(zoe)#0 4=180(ada)#0 3=(ada)#0 2=120(bob)#0 "
                    "1=60(ada)#0 ");
    assert_versions(store, "acme", "big_sales_order",
                    "1={\"soft_limit_for_big_orders\":42}(zoe)#0 ");
}
