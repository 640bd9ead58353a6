// SPDX-License-Identifier: MIT
/*
 * The notes of the last commits, in the data file. For store/lmdb/commit.c,
 * which says what they are for; store/lmdb/create.c makes the room for them.
 *
 * That is the value "redo" of the sub-database "meta", whose pages LMDB never
 * moves, because it is overwritten in place and not by a transaction. Its two
 * slots take turns by the number of the commit: while one is being written, the
 * other still holds the commit before.
 *
 * Except to find them and to look, a transaction is one that writes, so that
 * the write lock is held, and "this commit" is the one that it may become.
 */
#ifndef STORE_LMDB_REDO_H
#define STORE_LMDB_REDO_H

#include <lmdb.h>
#include <stdbool.h>
#include <sys/types.h>

struct store_name;
struct store_record;
struct store_write;

/* Makes the value, in a new store. 0, or LMDB's error. */
int lmdb_redo_create(MDB_txn *txn, MDB_dbi meta);

/* Where the value is in the data file; 0 if it cannot be used. */
off_t lmdb_redo_find(MDB_txn *txn, MDB_dbi meta);

/* Notes those of the writes from first up to end that are new, one at least.
 * 0, errno, or E2BIG if there is no room for them. */
int lmdb_redo_write(MDB_txn *txn, off_t at, const struct store_write *first,
                    const struct store_write *end);

/* Makes a note of this commit unreadable, if there is one. */
void lmdb_redo_forget(MDB_txn *txn, off_t at);

/* Overwrites all that was ever noted. 0, or errno. */
int lmdb_redo_wipe(MDB_txn *txn, off_t at);

/* True if commit number was noted, and as a whole. */
bool lmdb_redo_has(MDB_txn *txn, off_t at, size_t number);

/* As long as it returns 0, it is called for the next one. */
typedef int lmdb_redo_fn(void *ctx, MDB_txn *txn, struct store_name *name,
                         const struct store_record *record);

/* Visits the records that were noted of this commit. Nothing was: 0; otherwise
 * the last result. */
int lmdb_redo_read(MDB_txn *txn, off_t at, lmdb_redo_fn *visit, void *ctx);

#endif
