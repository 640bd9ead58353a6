// SPDX-License-Identifier: MIT
/* What went wrong in LMDB, in our words and in the log. */
#include "store/lmdb/env.h"

#include "base/log.h"
#include "store/lmdb/datafile.h"

#include <errno.h>

static bool
is_disk_full(struct lmdb_env *env)
{
    bool is_full;
    int fd;

    pthread_rwlock_rdlock(&env->lock);
    is_full = env->db.env != NULL && mdb_env_get_fd(env->db.env, &fd) == 0 &&
              store_file_is_disk_full(fd);
    pthread_rwlock_unlock(&env->lock);
    return is_full;
}

static enum err
translate(struct lmdb_env *env, int rc)
{
    switch (rc) {
    case 0:
        return ERR_OK;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case EIO: /* also for a write that was cut short */
        return is_disk_full(env) ? ERR_FULL : ERR_STORE;
    case ENOMEM:
        return ERR_NOMEM;
    case MDB_READERS_FULL:
        return ERR_BUSY;
    default:
        return ERR_STORE;
    }
}

static const char *
explain(int rc)
{
    return rc == MDB_VERSION_MISMATCH
               ? "the store has another format now: restart with the program "
                 "that has written it"
               : mdb_strerror(rc);
}

enum err
lmdb_env_failed(struct lmdb_env *env, int rc)
{
    enum err err = translate(env, rc);

    if (err != ERR_FULL)
        log_event(LOG_LEVEL_ERR, "store_failed", LOG_TEXT("path", env->path),
                  LOG_TEXT("reason", explain(rc)));
    return err;
}

enum err
lmdb_env_damaged(const struct lmdb_env *env, const char *tenant,
                 const char *key)
{
    log_event(LOG_LEVEL_ERR, "record_damaged", LOG_TEXT("path", env->path),
              LOG_TEXT("tenant", tenant), LOG_TEXT("key", key));
    return ERR_STORE;
}
