// SPDX-License-Identifier: MIT
/* A snapshot of a store that is opened for nothing else. For
 * store/lmdb/check.c only. */
#ifndef STORE_LMDB_SNAPSHOT_H
#define STORE_LMDB_SNAPSHOT_H

#include "base/err.h"
#include "store/lmdb/format.h"

#include <lmdb.h>

/* As long as it is open, LMDB leaves its pages as they are. */
struct lmdb_snapshot {
    MDB_env *env;
    MDB_txn *txn;
    int fd; /* the data file, for reading; the snapshot's */
    struct lmdb_meta meta;
};

/* Opens the data file for reading only. No page but the first two, which were
 * checked, is read. A failure is explained in why. */
enum err lmdb_snapshot_open(struct lmdb_snapshot *snapshot, const char *path,
                            char *why, size_t why_size);

void lmdb_snapshot_close(struct lmdb_snapshot *snapshot);

#endif
