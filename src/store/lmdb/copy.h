// SPDX-License-Identifier: MIT
/*
 * A copy of the store while it is written to. For store/lmdb/engine.c only.
 *
 * Record by record, into a new store of our own: it holds no free page and no
 * note of a commit (store/lmdb/commit.h), every record on its way is looked at,
 * and the snapshot is ours, so that the copy can be compared with it. LMDB's
 * own compacting copy chooses its snapshot itself, takes the notes along as
 * they are at that moment, renumbers commits from 1, and does not work once
 * the environment has lost track of a page.
 */
#ifndef STORE_LMDB_COPY_H
#define STORE_LMDB_COPY_H

#include "store/store.h"

struct lmdb_env;

/* As store_copy. */
enum err lmdb_copy(struct lmdb_env *env, const char *dir,
                   store_progress_fn *progress, void *ctx,
                   struct store_copied *copied_out, char *why, size_t why_size);

#endif
