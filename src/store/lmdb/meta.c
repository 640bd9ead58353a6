// SPDX-License-Identifier: MIT
#include "store/lmdb/meta.h"

#include "store/layout.h"
#include "store/lmdb/datafile.h"

#include <string.h>

/*
 * The last seq stands beside the names of the sub-databases, in LMDB's tree of
 * them. Each commit writes that one anyway, because it says where the trees of
 * the sub-databases begin: so the number costs no page. In "meta" it would.
 */
#define NAMES 1

const char *const lmdb_meta_names[LMDB_DB_MAX] = {
    [LMDB_DB_META] = "meta",
    [LMDB_DB_CONFIG] = "config",
    [LMDB_DB_HISTORY] = "history",
};

MDB_val
lmdb_meta_key(const char *text)
{
    union {
        const char *in;
        void *out; /* MDB_val is not const, also where LMDB only reads */
    } bytes = {.in = text};

    return (MDB_val){strlen(text), bytes.out};
}

/* MDB_NOTFOUND if there is none, MDB_CORRUPTED if it is no number. */
static int
get(MDB_txn *txn, MDB_dbi dbi, const char *name, uint64_t *number_out)
{
    MDB_val key = lmdb_meta_key(name);
    MDB_val value;
    int rc = mdb_get(txn, dbi, &key, &value);

    if (rc == 0 && value.mv_size != sizeof(uint64_t))
        rc = MDB_CORRUPTED;
    if (rc == 0)
        *number_out = store_number_decode(value.mv_data);
    return rc;
}

static int
put(MDB_txn *txn, MDB_dbi dbi, const char *name, uint64_t number)
{
    unsigned char bytes[sizeof(number)];
    MDB_val key = lmdb_meta_key(name);
    MDB_val value = {sizeof(bytes), bytes};

    store_number_encode(number, bytes);
    return mdb_put(txn, dbi, &key, &value, 0);
}

bool
lmdb_meta_is_known(uint64_t format)
{
    return format <= LMDB_META_FORMAT;
}

enum err
lmdb_meta_check_format(const char *path, uint64_t format, char *why,
                       size_t why_size)
{
    if (!lmdb_meta_is_known(format))
        return store_file_refuse(why, why_size,
                                 "%s/%s was written by a newer version: it has "
                                 "format %llu, and this one reads format %d",
                                 path, STORE_FILE_DATA,
                                 (unsigned long long)format, LMDB_META_FORMAT);
    if (format == 0)
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: it has no format", path,
                                 STORE_FILE_DATA);
    return ERR_OK;
}

uint64_t
lmdb_meta_format(MDB_txn *txn, MDB_dbi meta)
{
    uint64_t format = 0;

    (void)get(txn, meta, LMDB_META_FORMAT_KEY, &format);
    return format;
}

int
lmdb_meta_set_format(MDB_txn *txn, MDB_dbi meta)
{
    return put(txn, meta, LMDB_META_FORMAT_KEY, LMDB_META_FORMAT);
}

int
lmdb_meta_seq(MDB_txn *txn, uint64_t *seq_out)
{
    int rc = get(txn, NAMES, LMDB_META_SEQ_KEY, seq_out);

    if (rc == MDB_NOTFOUND)
        *seq_out = 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int
lmdb_meta_set_seq(MDB_txn *txn, uint64_t seq)
{
    return put(txn, NAMES, LMDB_META_SEQ_KEY, seq);
}

int
lmdb_meta_advance_seq(MDB_txn *txn, uint64_t seq)
{
    uint64_t last;
    int rc = lmdb_meta_seq(txn, &last);

    return rc != 0 || last >= seq ? rc : lmdb_meta_set_seq(txn, seq);
}
