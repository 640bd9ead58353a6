// SPDX-License-Identifier: MIT
#include "store/lmdb/raise.h"

#include "base/log.h"
#include "base/util.h"
#include "store/lmdb/commit.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/env.h"
#include "store/lmdb/meta.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define NS_PER_MS UINT64_C(1000000)
#define WAIT_NS (5000 * NS_PER_MS)
#define TRY_AGAIN_NS (20 * NS_PER_MS)

/* A full store is raised, too: room for the last commit and a few pages. */
#define ROOM ((size_t)1 << 20)

/* A store that others have open. */
struct others {
    pid_t pid; /* of one of them; 0: unknown, or there is none */
};

/*
 * As long as a process has the store open, LMDB holds the first byte of the
 * lock file for it, shared. The lock is the process's and not its descriptor's:
 * by another descriptor we make our own exclusive, which succeeds only if no
 * other process has one. It is let go when either descriptor is closed, so
 * *fd_out is to be closed after the environment. 0, errno, or EAGAIN.
 *
 * LMDB itself goes on as ever meanwhile, with its lock file. A transaction that
 * left it out (MDB_NOLOCK) would not do: whoever waits for the lock then takes
 * the number of the last commit from that file, and writes over ours.
 */
static int
lock_out_others(const char *path, int *fd_out, struct others *others_out)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    auto_char *name = NULL;

    if (asprintf(&name, "%s/%s", path, STORE_FILE_LOCK) < 0) {
        name = NULL;
        return ENOMEM;
    }
    *fd_out = open(name, O_RDWR | O_CLOEXEC);
    if (*fd_out < 0)
        return errno == EAGAIN ? EIO : errno;
    if (fcntl(*fd_out, F_SETLK, &lock) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return errno;
    if (fcntl(*fd_out, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        others_out->pid = lock.l_pid;
    return EAGAIN;
}

/* In one transaction with the last commit, if a power loss has undone that: it
 * is noted by the number that is this one's now. */
static int
try_raise(struct lmdb_env *env)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->db.env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    rc = lmdb_commit_repeat(env, txn);
    if (rc == 0)
        rc = lmdb_meta_set_format(txn, env->db.meta);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int
raise_format(struct lmdb_env *env)
{
    MDB_envinfo info;
    int rc = try_raise(env);

    if (rc != MDB_MAP_FULL)
        return rc;
    rc = mdb_env_info(env->db.env, &info);
    if (rc == 0)
        rc = mdb_env_set_mapsize(env->db.env, info.me_mapsize + ROOM);
    return rc == 0 ? try_raise(env) : rc;
}

/* Closes the store, in every case. ERR_BUSY if others have it open. */
static enum err
raise_and_close(struct lmdb_env *env, const char *path,
                struct others *others_out, char *why, size_t why_size)
{
    uint64_t format = env->db.format;
    int fd = -1;
    int rc = lock_out_others(path, &fd, others_out);
    bool is_busy = rc == EAGAIN;

    if (rc == 0)
        rc = raise_format(env);
    lmdb_env_close(env);
    close_fd(&fd);
    if (is_busy)
        return ERR_BUSY;
    if (rc != 0)
        return store_file_refuse(why, why_size,
                                 "could not raise store %s to format %d: %s",
                                 path, LMDB_META_FORMAT, mdb_strerror(rc));
    log_event(LOG_LEVEL_NOTICE, "store_raised", LOG_TEXT("path", path),
              LOG_NUMBER("from", (int64_t)format),
              LOG_NUMBER("to", LMDB_META_FORMAT));
    return ERR_OK;
}

/* ERR_BUSY if others have it open; then it is not open here. */
static enum err
try_open(struct lmdb_env *env, const struct store_options *options,
         struct others *others_out, char *why, size_t why_size)
{
    enum err err = lmdb_env_open(env, options, why, why_size);

    if (err != ERR_OK || env->db.format == LMDB_META_FORMAT)
        return err;
    err = raise_and_close(env, options->path, others_out, why, why_size);
    return err == ERR_OK ? lmdb_env_open(env, options, why, why_size) : err;
}

static enum err
refuse(const char *path, const struct others *others, char *why,
       size_t why_size)
{
    char who[64] = "another process";

    if (others->pid > 0)
        snprintf(who, sizeof(who), "process %ld", (long)others->pid);
    return store_file_refuse(why, why_size,
                             "needs a restart: store format %d. Store %s has "
                             "an older one, and %s has it open; stop the older "
                             "version everywhere, then start this one",
                             LMDB_META_FORMAT, path, who);
}

/* Of several processes that start at once one tries, and the others wait for
 * it, with the store closed: else they would be in each other's way. */
static enum err
take_turns(struct lmdb_env *env, const struct store_options *options, int dir,
           char *why, size_t why_size)
{
    const struct timespec pause = {.tv_nsec = TRY_AGAIN_NS};
    uint64_t end = now_ns() + WAIT_NS;
    struct others others = {0};
    bool is_ours = false;

    for (; now_ns() < end; nanosleep(&pause, NULL)) {
        enum err err = ERR_BUSY;

        is_ours = is_ours || flock(dir, LOCK_EX | LOCK_NB) == 0;
        if (is_ours)
            err = try_open(env, options, &others, why, why_size);
        if (err != ERR_BUSY)
            return err;
    }
    return refuse(options->path, &others, why, why_size);
}

enum err
lmdb_raise_open(struct lmdb_env *env, const struct store_options *options,
                char *why, size_t why_size)
{
    enum err err = lmdb_env_open(env, options, why, why_size);
    auto_fd dir = -1;

    if (err != ERR_OK || env->db.format == LMDB_META_FORMAT)
        return err;
    lmdb_env_close(env);
    err = store_file_open_dir(options->path, &dir, why, why_size);
    if (err != ERR_OK)
        return err;
    return take_turns(env, options, dir, why, why_size);
}
