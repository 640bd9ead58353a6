// SPDX-License-Identifier: MIT
/* Writes, and the records they make, within a transaction of LMDB. For
 * store/lmdb/engine.c only. */
#ifndef STORE_LMDB_WRITE_H
#define STORE_LMDB_WRITE_H

#include "base/err.h"

#include <lmdb.h>
#include <stdint.h>

struct lmdb_env;
struct store_name;
struct store_stamp;
struct store_record;
struct store_write;

/* Points record_out into the transaction's pages; version 0 if there is none.
 * What is neither LMDB's error nor a record is MDB_CORRUPTED. */
int lmdb_write_look_up(const struct lmdb_env *env, MDB_txn *txn,
                       struct store_name *name,
                       struct store_record *record_out);

/* The same for what was noted in the data file (a lmdb_redo_fn; ctx is the
 * struct lmdb_env), unless it is there: a copy of the file may have commits
 * that its notes are older than. */
int lmdb_write_again(void *ctx, MDB_txn *txn, struct store_name *name,
                     const struct store_record *record);

/* What is said of a write that nothing is known about. */
void lmdb_write_reset(struct store_write *write, enum err result);

/* Applies the writes from first up to end, all of them or none. What one does
 * wrong is its own result; an error of LMDB is returned, and ends the
 * transaction. */
int lmdb_write_apply(const struct lmdb_env *env, MDB_txn *txn,
                     struct store_write *first, const struct store_write *end,
                     int64_t now, struct store_stamp *stamp);

#endif
