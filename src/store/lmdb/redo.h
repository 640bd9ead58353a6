// SPDX-License-Identifier: MIT
/*
 * What lets a commit do with one flush. For store/lmdb/engine.c and below only.
 *
 * LMDB flushes twice: the pages, then the meta page that makes them count. With
 * MDB_NOMETASYNC the meta page stays in the cache until the next commit's
 * flush, so that a power loss undoes the last commit, and no more. Its writes
 * are therefore in the data file a second time, where the flush of its pages
 * takes them along: in the value "redo", whose pages LMDB never moves, because
 * they are overwritten in place and not by a transaction. Two slots take turns
 * by the number of the commit: while one is being written, the other still
 * holds the commit whose meta page may not be on the disk yet.
 */
#ifndef STORE_LMDB_REDO_H
#define STORE_LMDB_REDO_H

#include "store/layout.h"
#include "store/store.h"

#include <lmdb.h>
#include <sys/types.h>

/* Makes the value, in a new store. 0, or LMDB's error. */
int lmdb_redo_create(MDB_txn *txn, MDB_dbi meta);

/* Where the value is in the data file fd; 0 if it cannot be used. */
off_t lmdb_redo_find(MDB_txn *txn, MDB_dbi meta, int fd);

/* True if one of the writes replaces what was stored, which may be why it must
 * not be found in the data file any longer. */
bool lmdb_redo_is_barred(const struct store_write *first,
                         const struct store_write *end);

/* Overwrites all that was noted, once it is not needed: when the last commit is
 * on the disk as a whole. With the write lock held. 0, or errno. */
int lmdb_redo_wipe(MDB_env *env, off_t at);

/* True if a slot has room for the writes from first up to end. */
bool lmdb_redo_fits(const struct store_write *first,
                    const struct store_write *end);

/* Notes the writes that are new, one at least, as those of commit number, which
 * must not have happened yet and whose write lock is held. 0, or errno. */
int lmdb_redo_write(int fd, off_t at, size_t number,
                    const struct store_write *first,
                    const struct store_write *end);

/* What was noted for commit number shall not be read again. */
void lmdb_redo_forget(int fd, off_t at, size_t number);

/* As long as it returns 0, it is called for the next one. */
typedef int lmdb_redo_fn(void *ctx, MDB_txn *txn, struct store_name *name,
                         const struct store_record *record);

/* True if commit number was noted, and as a whole. */
bool lmdb_redo_has(int fd, off_t at, size_t number);

/* Visits its records with the transaction that will be this commit. Nothing
 * was noted: 0; otherwise the last result. */
int lmdb_redo_read(int fd, off_t at, MDB_txn *txn, lmdb_redo_fn *visit,
                   void *ctx);

#endif
