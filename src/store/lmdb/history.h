// SPDX-License-Identifier: MIT
/*
 * The history in LMDB. Older versions than the last env->history ones of their
 * key are gone for whoever asks. They are removed a few at a time, because the
 * oldest are on other pages than the newest: to go there with every write
 * would double its cost.
 */
#ifndef STORE_LMDB_HISTORY_H
#define STORE_LMDB_HISTORY_H

#include "store/layout.h"
#include "store/lmdb/env.h"

/* Of a key whose newest version this is, the newest of those that are gone; 0
 * if none is. */
uint64_t lmdb_history_newest_gone(const struct lmdb_env *env, uint64_t newest);

/* Removes what is gone, now and then, once the version that name says is in
 * the history as its key's newest. An error of LMDB, or 0. */
int lmdb_history_prune(const struct lmdb_env *env, MDB_txn *txn,
                       const struct store_name *name);

/* As store_history. Has a read transaction of its own: see
 * store/lmdb/visit.h. */
enum err lmdb_history_visit(struct lmdb_env *env, const char *tenant,
                            const char *key, uint64_t before, size_t limit,
                            store_history_fn *visit, void *ctx);

#endif
