// SPDX-License-Identifier: MIT
/*
 * Commits, each durable when it is answered, for one flush of the disk. For
 * store/lmdb/engine.c and below only.
 *
 * LMDB flushes twice: the pages, then the meta page that makes them count. With
 * MDB_NOMETASYNC the meta page stays in the cache until the next commit's
 * flush. So a commit first notes its writes in the data file a second time,
 * beside the pages, where the flush of these takes them along; and whoever
 * opens the store repeats a commit that was noted but did not happen.
 *
 * The invariant: let N be the commit that the data file would show after a loss
 * of power now. Every commit that was answered is at most N, or it is N + 1 and
 * its note is on the disk as a whole; and no commit that was answered as failed
 * is noted as N + 1 for longer than until the next transaction begins.
 *
 * - N is the last commit or the one before: the flush of a commit's pages takes
 *   the meta page of the one before along.
 * - A note cannot be cut by the loss: a hash covers it, and the slot of the one
 *   before is another.
 * - What does not fit a note, and what replaces what was stored, of which no
 *   note may be left in the file, has LMDB's two flushes.
 * - When a meta page could not be written, which of two is on the disk nobody
 *   knows: it is flushed before anything else is written, for the other one's
 *   pages count as free.
 *
 * The proof: t/e2e/store/power_loss.mjs loses power at every flush of a real
 * service and opens what is left; t/e2e/store/kill.mjs does so with SIGKILL.
 * t/unit/store/lmdb/redo.c takes meta pages back by hand, one case each, counts
 * the flushes, and lets them fail; t/unit/store/lmdb/env.c, with meta pages
 * that could not be written. t/unit/store/lmdb/raise.c: a note of an older
 * program.
 */
#ifndef STORE_LMDB_COMMIT_H
#define STORE_LMDB_COMMIT_H

#include <lmdb.h>
#include <sys/types.h>

struct lmdb_env;
struct store_write;

/* What commits to an environment know from each other; one thread's. */
struct lmdb_commit {
    struct lmdb_env *env;

    /* Read by nobody else. */
    size_t last;         /* the last one that was made here, or 0 */
    off_t notes;         /* where they are in the data file; 0: nowhere */
    size_t failed;       /* a commit whose note is to be forgotten, or 0 */
    unsigned int opened; /* env's, when the data file was last on disk as it
                            reads */
};

/* Makes ready for the next two, after repeating the last commit, if it was
 * noted but did not happen. Takes the write lock in that case only. 0, or
 * LMDB's error. */
int lmdb_commit_open(struct lmdb_commit *commit, struct lmdb_env *env);

/* Begins a transaction that writes. 0, or an error as of lmdb_env_begin, or
 * MDB_VERSION_MISMATCH if the store's format is not this program's any more.
 * The next one ends it, or lmdb_env_abort. */
int lmdb_commit_begin(struct lmdb_commit *commit, MDB_txn **txn_out);

/*
 * Ends a transaction in which the writes from first up to end have got their
 * results. 0, and it is on disk; or an error of LMDB, and nothing of it is
 * stored, unless the process dies at once, and another finds it noted. Without
 * a write that is new nothing is flushed.
 */
int lmdb_commit_end(struct lmdb_commit *commit, MDB_txn *txn,
                    const struct store_write *first,
                    const struct store_write *end);

/* Repeats the last commit within txn, which writes and has written nothing yet,
 * if it was noted but did not happen. 0, or LMDB's error. */
int lmdb_commit_repeat(struct lmdb_env *env, MDB_txn *txn);

#endif
