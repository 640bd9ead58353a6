// SPDX-License-Identifier: MIT
/*
 * An LMDB environment that stays usable: mended when LMDB asks for that,
 * because another process outgrew its map, dead processes hold reader slots,
 * or a meta page could not be written. For store/lmdb/engine.c and
 * below only.
 */
#ifndef STORE_LMDB_ENV_H
#define STORE_LMDB_ENV_H

#include "store/lmdb/create.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct store_options;

struct lmdb_env {
    struct lmdb_handles db; /* env NULL if it could not be opened again */
    MDB_txn *reader;        /* kept for short reads, reset between them */
    pthread_rwlock_t lock;  /* shared during a transaction, exclusive to map
                               or open the environment again */
    unsigned int opened;    /* how often: once, and after each commit that
                               failed to write the meta page */
    const char *fault;      /* why nothing could be written, as last found */
    char *path;
    uint64_t history;  /* versions kept of each key; 0: all */
    size_t map_size;   /* as the operator set it */
    size_t known_size; /* the largest map that anyone wrote with, as known */
};

/* Opens or creates. The explanation of a failure is in why. The store may be of
 * an older format (db.format), and can then only be raised or closed. */
enum err lmdb_env_open(struct lmdb_env *env,
                       const struct store_options *options, char *why,
                       size_t why_size);

void lmdb_env_close(struct lmdb_env *env);

/*
 * Begins a transaction (flags: MDB_RDONLY; or 0, for store/lmdb/commit.c only),
 * after mending what can be mended. 0, or LMDB's error. One of the next two
 * ends it, in this thread: the second one if the transaction has ended already.
 */
int lmdb_env_begin(struct lmdb_env *env, unsigned int flags, MDB_txn **txn_out);
void lmdb_env_abort(struct lmdb_env *env, MDB_txn *txn);
void lmdb_env_release(struct lmdb_env *env);

/* The same with the kept reader; one thread at a time. */
int lmdb_env_renew(struct lmdb_env *env);
void lmdb_env_reset(struct lmdb_env *env);

/* True if a full map may have room now: a dead reader was in the way, or
 * another process has written with a larger one, which is adopted. */
bool lmdb_env_make_room(struct lmdb_env *env);

/* Frees the reader slots of dead processes, and returns how many. */
int lmdb_env_check_readers(struct lmdb_env *env);

/* Translates an error of LMDB, and logs it; a full store is left to the
 * caller, who sees it come and go. */
enum err lmdb_env_failed(struct lmdb_env *env, int rc);

/* Logs that a record cannot be read. Returns ERR_STORE. */
enum err lmdb_env_damaged(const struct lmdb_env *env, const char *tenant,
                          const char *key);

#endif
