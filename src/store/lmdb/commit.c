// SPDX-License-Identifier: MIT
#include "store/lmdb/commit.h"

#include "base/util.h"
#include "metrics/metrics.h"
#include "store/lmdb/env.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/redo.h"
#include "store/lmdb/write.h"
#include "store/store.h"

#include <errno.h>

int
lmdb_commit_repeat(struct lmdb_env *env, MDB_txn *txn)
{
    off_t notes = lmdb_redo_find(txn, env->db.meta);

    return notes != 0 ? lmdb_redo_read(txn, notes, lmdb_write_again, env) : 0;
}

/* Does nothing if somebody else was quicker. */
static int
repeat(struct lmdb_commit *commit)
{
    MDB_txn *txn;
    int rc = lmdb_commit_begin(commit, &txn);

    if (rc != 0)
        return rc;
    rc = lmdb_commit_repeat(commit->env, txn);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    lmdb_env_release(commit->env);
    return rc;
}

int
lmdb_commit_open(struct lmdb_commit *commit, struct lmdb_env *env)
{
    off_t notes;
    bool is_noted;
    int rc = lmdb_env_renew(env);

    if (rc != 0)
        return rc;
    notes = lmdb_redo_find(env->reader, env->db.meta);
    is_noted = notes != 0 &&
               lmdb_redo_has(env->reader, notes, mdb_txn_id(env->reader) + 1);
    lmdb_env_reset(env);
    *commit =
        (struct lmdb_commit){.env = env, .notes = notes, .opened = env->opened};
    return is_noted ? repeat(commit) : 0;
}

/* Of an environment that was opened again. */
static int
settle(struct lmdb_commit *commit, MDB_txn *txn)
{
    int rc = mdb_env_sync(commit->env->db.env, 1);

    if (rc != 0)
        return rc;
    commit->notes = lmdb_redo_find(txn, commit->env->db.meta);
    commit->opened = commit->env->opened;
    return 0;
}

/* If somebody else has committed under the number that failed here, the note is
 * theirs. LMDB may have been opened again since, so it is looked for. */
static void
forget(struct lmdb_commit *commit, MDB_txn *txn)
{
    off_t notes = lmdb_redo_find(txn, commit->env->db.meta);

    if (notes != 0 && mdb_txn_id(txn) == commit->failed)
        lmdb_redo_forget(txn, notes);
    commit->failed = 0;
}

/* True unless somebody has changed it: then nothing may be written. */
static bool
is_our_format(const struct lmdb_commit *commit, MDB_txn *txn)
{
    return mdb_txn_id(txn) == commit->last + 1 || /* nobody else wrote since */
           lmdb_meta_format(txn, commit->env->db.meta) == LMDB_META_FORMAT;
}

int
lmdb_commit_begin(struct lmdb_commit *commit, MDB_txn **txn_out)
{
    MDB_txn *txn;
    int rc = lmdb_env_begin(commit->env, 0, &txn);

    if (rc != 0)
        return rc;
    if (!is_our_format(commit, txn))
        rc = MDB_VERSION_MISMATCH;
    else if (commit->opened != commit->env->opened)
        rc = settle(commit, txn);
    if (rc != 0) {
        lmdb_env_abort(commit->env, txn);
        return rc;
    }
    if (commit->failed != 0)
        forget(commit, txn);
    *txn_out = txn;
    return 0;
}

/* At once, and not with the next write: before that one, somebody may open the
 * store. Unlike what lmdb_commit_begin begins, this needs no flush, for it
 * writes to no page that LMDB may have freed. */
static void
try_forget(struct lmdb_commit *commit)
{
    MDB_txn *txn;

    if (lmdb_env_begin(commit->env, 0, &txn) == 0) {
        forget(commit, txn);
        lmdb_env_abort(commit->env, txn);
    }
}

/* With the writes noted, the flush of the meta page can wait. */
static int
commit_noted(struct lmdb_commit *commit, MDB_txn *txn)
{
    MDB_env *env = commit->env->db.env;
    int rc;

    (void)mdb_env_set_flags(env, MDB_NOMETASYNC, 1); /* cannot fail */
    rc = mdb_txn_commit(txn);
    (void)mdb_env_set_flags(env, MDB_NOMETASYNC, 0);
    return rc;
}

static int
note_and_commit(struct lmdb_commit *commit, MDB_txn *txn,
                const struct store_write *first, const struct store_write *end)
{
    size_t number = mdb_txn_id(txn);
    int rc = lmdb_redo_write(txn, commit->notes, first, end);

    if (rc == E2BIG)
        return mdb_txn_commit(txn);
    if (rc == 0)
        rc = commit_noted(commit, txn);
    else
        mdb_txn_abort(txn);
    if (rc != 0)
        commit->failed = number;
    return rc;
}

static bool
has_replacement(const struct store_write *first, const struct store_write *end)
{
    while (first != end && first->op != STORE_REPLACE)
        first = first->next;
    return first != end;
}

/* What is replaced must not live on in a note; and those can be overwritten as
 * soon as the last commit is on the disk as a whole. */
static int
commit_replaced(struct lmdb_commit *commit, MDB_txn *txn)
{
    int rc = mdb_env_sync(commit->env->db.env, 1);

    if (rc == 0)
        rc = lmdb_redo_wipe(txn, commit->notes);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int
commit_writes(struct lmdb_commit *commit, MDB_txn *txn,
              const struct store_write *first, const struct store_write *end)
{
    if (commit->notes == 0)
        return mdb_txn_commit(txn);
    return has_replacement(first, end)
               ? commit_replaced(commit, txn)
               : note_and_commit(commit, txn, first, end);
}

int
lmdb_commit_end(struct lmdb_commit *commit, MDB_txn *txn,
                const struct store_write *first, const struct store_write *end)
{
    uint64_t started = now_ns(), stored = 0;
    size_t number = mdb_txn_id(txn);
    int rc;

    for (const struct store_write *write = first; write != end;
         write = write->next)
        stored += write->is_new;
    rc = stored > 0 ? commit_writes(commit, txn, first, end)
                    : mdb_txn_commit(txn);
    if (rc == 0 && stored > 0) {
        commit->last = number;
        metrics_observe_time(METRIC_FLUSH_TIMES, now_ns() - started);
        metrics_observe_count(METRIC_COMMIT_WRITES, stored);
    }
    lmdb_env_release(commit->env);
    if (commit->failed != 0)
        try_forget(commit);
    return rc;
}
