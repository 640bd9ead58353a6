// SPDX-License-Identifier: MIT
/* The names of what is in a store, and the numbers that it keeps of itself. For
 * store/lmdb/engine.c and below only. */
#ifndef STORE_LMDB_META_H
#define STORE_LMDB_META_H

#include "base/err.h"

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

/* The layout of the whole store, in its sub-database "meta". Tests have a
 * program of another one. */
#ifndef LMDB_META_FORMAT
#define LMDB_META_FORMAT 2
#endif

/* The sub-databases. */
enum { LMDB_DB_META, LMDB_DB_CONFIG, LMDB_DB_HISTORY, LMDB_DB_MAX };
extern const char *const lmdb_meta_names[LMDB_DB_MAX];

/* In "meta". */
#define LMDB_META_FORMAT_KEY "format"
#define LMDB_META_REDO_KEY "redo" /* see store/lmdb/redo.h */

/* Beside the names of the sub-databases. */
#define LMDB_META_SEQ_KEY "seq"

/* A name, as LMDB takes one; the text's own bytes. */
MDB_val lmdb_meta_key(const char *text);

/* False of a format that this program cannot read. */
bool lmdb_meta_is_known(uint64_t format);

/* An older format can be read, and raised. Of another one, why says so, and
 * that it is that of the store at path. */
enum err lmdb_meta_check_format(const char *path, uint64_t format, char *why,
                                size_t why_size);

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
