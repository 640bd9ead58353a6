// SPDX-License-Identifier: MIT
/* The numbers that a store keeps of itself. For store/lmdb/engine.c and below
 * only. */
#ifndef STORE_LMDB_META_H
#define STORE_LMDB_META_H

#include <lmdb.h>
#include <stdint.h>

/* The layout of the whole store, in its sub-database "meta". Tests have a
 * program of another one. */
#ifndef LMDB_META_FORMAT
#define LMDB_META_FORMAT 2
#endif

/* 0 if there is none. */
uint64_t lmdb_meta_format(MDB_txn *txn, MDB_dbi meta);

/* 0, or LMDB's error. */
int lmdb_meta_set_format(MDB_txn *txn, MDB_dbi meta);

/* The last place in the store's order that was given to a version; 0: none
 * was. 0, or LMDB's error. */
int lmdb_meta_seq(MDB_txn *txn, uint64_t *seq_out);

/* Makes it seq, which is later. 0, or LMDB's error. */
int lmdb_meta_set_seq(MDB_txn *txn, uint64_t seq);

/* Makes it seq, unless it is that or later already. 0, or LMDB's error. */
int lmdb_meta_advance_seq(MDB_txn *txn, uint64_t seq);

#endif
