// SPDX-License-Identifier: MIT
#include "store/lmdb/env.h"

#include "base/log.h"
#include "base/util.h"
#include "store/lmdb/datafile.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a transaction is tried, with mending in between. */
#define TRIES_MAX 3

/* Opens what is not open. Called with the lock held, or by the only user. */
static enum err
open_again(struct lmdb_env *env, char *why, size_t why_size)
{
    struct store_file file;
    enum err err;
    int fd, rc;

    err = lmdb_file_open(env->path, env->map_size, &env->db, why, why_size);
    if (err != ERR_OK) {
        env->db.env = NULL;
        return err;
    }
    rc = mdb_txn_begin(env->db.env, NULL, MDB_RDONLY, &env->reader);
    if (rc != 0) {
        mdb_env_close(env->db.env);
        env->db.env = NULL;
        return store_file_refuse(why, why_size, "could not read store %s: %s",
                                 env->path, mdb_strerror(rc));
    }
    mdb_txn_reset(env->reader);
    env->opened++;
    if (mdb_env_get_fd(env->db.env, &fd) == 0 && store_file_read(fd, &file))
        env->known_size = file.map_size;
    return ERR_OK;
}

static void
close_again(struct lmdb_env *env)
{
    if (env->db.env == NULL)
        return;
    mdb_txn_abort(env->reader);
    mdb_env_close(env->db.env);
    env->db.env = NULL;
}

enum err
lmdb_env_open(struct lmdb_env *env, const struct store_options *options,
              char *why, size_t why_size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    enum err err = ERR_OK;

    env->history = options->history;
    env->map_size = options->map_size - options->map_size % page;
    env->path = strdup(options->path);
    if (env->path == NULL)
        return store_file_refuse(why, why_size, "out of memory");
    if (!options->must_exist)
        err = lmdb_file_create(env->path, env->map_size, why, why_size);
    if (err == ERR_OK)
        err = open_again(env, why, why_size);
    if (err != ERR_OK) {
        free(env->path);
        return err;
    }
    pthread_rwlock_init(&env->lock, NULL);
    return ERR_OK;
}

void
lmdb_env_close(struct lmdb_env *env)
{
    close_again(env);
    pthread_rwlock_destroy(&env->lock);
    free(env->path);
}

int
lmdb_env_check_readers(struct lmdb_env *env)
{
    int dead = 0;

    pthread_rwlock_rdlock(&env->lock);
    if (env->db.env != NULL)
        (void)mdb_reader_check(env->db.env, &dead); /* 0 if it cannot */
    pthread_rwlock_unlock(&env->lock);
    return dead;
}

/* When the meta page could not be written, LMDB has put the old one back, but
 * lets nobody use the environment again, not even to read. */
static bool
reopen(struct lmdb_env *env)
{
    char why[512];
    enum err err;

    close_again(env);
    err = open_again(env, why, sizeof(why));
    if (err != ERR_OK)
        log_event(LOG_LEVEL_ERR, "store_not_reopened", LOG_TEXT("why", why));
    else
        log_event(LOG_LEVEL_WARNING, "store_reopened",
                  LOG_TEXT("path", env->path));
    return err == ERR_OK;
}

/* True if what failed with rc is worth trying again. */
static bool
mend(struct lmdb_env *env, int rc)
{
    bool is_mended = false;

    if (rc == MDB_READERS_FULL)
        return lmdb_env_check_readers(env) > 0;
    if (rc != MDB_MAP_RESIZED && rc != MDB_PANIC)
        return false;

    /* Waits for the other thread's transaction. If that one mends the same,
     * doing it twice is harmless. */
    pthread_rwlock_wrlock(&env->lock);
    if (rc == MDB_PANIC)
        is_mended = reopen(env);
    else if (env->db.env != NULL)
        is_mended = mdb_env_set_mapsize(env->db.env, 0) == 0;
    pthread_rwlock_unlock(&env->lock);
    return is_mended;
}

/*
 * LMDB reads the number of the last commit, and then that commit's meta page,
 * which the next but one overwrites. A reader that is held up in between sees
 * what is still being committed, and the next one may see less. So it looks
 * again if it was overtaken like that.
 */
static int
read_current(struct lmdb_env *env, MDB_txn *txn)
{
    MDB_envinfo info;
    int rc;

    while ((rc = mdb_env_info(env->db.env, &info)) == 0 &&
           info.me_last_txnid > mdb_txn_id(txn) + 1) {
        mdb_txn_reset(txn);
        rc = mdb_txn_renew(txn);
        if (rc != 0)
            break;
    }
    return rc;
}

static int
begin_once(struct lmdb_env *env, unsigned int flags, MDB_txn **txn_out)
{
    MDB_txn *txn;
    int rc;

    if (env->db.env == NULL)
        return MDB_PANIC;
    rc = mdb_txn_begin(env->db.env, NULL, flags, &txn);
    if (rc != 0)
        return rc;
    if (flags & MDB_RDONLY)
        rc = read_current(env, txn);
    if (rc == 0)
        *txn_out = txn;
    else
        mdb_txn_abort(txn);
    return rc;
}

static int
renew_once(struct lmdb_env *env)
{
    int rc;

    if (env->db.env == NULL)
        return MDB_PANIC;
    rc = mdb_txn_renew(env->reader);
    return rc != 0 ? rc : read_current(env, env->reader);
}

/* Begins, or renews the kept reader if txn_out is NULL. */
static int
begin(struct lmdb_env *env, unsigned int flags, MDB_txn **txn_out)
{
    for (int tries = 1;; tries++) {
        int rc;

        pthread_rwlock_rdlock(&env->lock);
        rc =
            txn_out != NULL ? begin_once(env, flags, txn_out) : renew_once(env);
        if (rc == 0)
            return 0;
        pthread_rwlock_unlock(&env->lock);
        if (tries == TRIES_MAX || !mend(env, rc))
            return rc;
    }
}

int
lmdb_env_begin(struct lmdb_env *env, unsigned int flags, MDB_txn **txn_out)
{
    return begin(env, flags, txn_out);
}

void
lmdb_env_release(struct lmdb_env *env)
{
    pthread_rwlock_unlock(&env->lock);
}

void
lmdb_env_abort(struct lmdb_env *env, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    lmdb_env_release(env);
}

int
lmdb_env_renew(struct lmdb_env *env)
{
    return begin(env, 0, NULL);
}

void
lmdb_env_reset(struct lmdb_env *env)
{
    mdb_txn_reset(env->reader);
    pthread_rwlock_unlock(&env->lock);
}

/* What is known from the start does not count: an operator may have lowered
 * the size since. */
static bool
adopt_map(struct lmdb_env *env)
{
    struct store_file file;
    bool is_larger = false;
    int fd;

    pthread_rwlock_wrlock(&env->lock);
    if (env->db.env != NULL && mdb_env_get_fd(env->db.env, &fd) == 0 &&
        store_file_read(fd, &file) && file.map_size > env->known_size) {
        env->known_size = file.map_size;
        is_larger = mdb_env_set_mapsize(env->db.env, file.map_size) == 0;
    }
    pthread_rwlock_unlock(&env->lock);
    return is_larger;
}

bool
lmdb_env_make_room(struct lmdb_env *env)
{
    return lmdb_env_check_readers(env) > 0 || adopt_map(env);
}
