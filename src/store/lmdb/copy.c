// SPDX-License-Identifier: MIT
#include "store/lmdb/copy.h"

#include "base/util.h"
#include "store/layout.h"
#include "store/lmdb/create.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/env.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Flushed at once: little of it waits in the cache, where it would hold up
 * what the writers flush. */
#define BATCH_BYTES ((size_t)2 << 20)

/* A copy on its way. */
struct copying {
    struct lmdb_env *env;
    MDB_txn *from; /* the snapshot */
    struct lmdb_handles to;
    MDB_txn *txn; /* of to */
    char *path;   /* of to's data file */
    store_progress_fn *progress;
    void *ctx;
    uint64_t done, total; /* records, each copied and compared */
    size_t pending;       /* bytes since the last flush */
    char *why;
    size_t why_size;
};

static enum err
refuse(struct copying *copying, int rc)
{
    bool is_full = rc == ENOSPC || rc == EDQUOT;

    if (rc == EIO) { /* LMDB's word for a write that was cut short, too */
        auto_fd fd = open(copying->path, O_WRONLY | O_CLOEXEC);

        is_full = fd >= 0 && store_file_is_disk_full(fd);
    }
    snprintf(copying->why, copying->why_size, "could not write %s: %s",
             copying->path, mdb_strerror(is_full ? ENOSPC : rc));
    return is_full ? ERR_FULL : ERR_STORE;
}

/* The snapshot itself cannot be read; the log has it, too. */
static enum err
fail_reading(struct copying *copying, int rc)
{
    snprintf(copying->why, copying->why_size, "could not read the store: %s",
             mdb_strerror(rc));
    return lmdb_env_failed(copying->env, rc);
}

static enum err
fail_differing(struct copying *copying)
{
    snprintf(copying->why, copying->why_size,
             "%s does not read as it was written", copying->path);
    return ERR_STORE;
}

/* Ends what was written so far, on disk, and goes on. */
static enum err
flush(struct copying *copying)
{
    int rc = mdb_txn_commit(copying->txn);

    copying->txn = NULL;
    copying->pending = 0;
    if (rc == 0)
        rc = mdb_env_sync(copying->to.env, 1);
    if (rc != 0)
        return refuse(copying, rc);
    return copying->progress(copying->ctx, copying->done, copying->total);
}

static enum err
copy_record(struct copying *copying, MDB_dbi dbi, MDB_val *name, MDB_val *data)
{
    struct store_record record;
    int rc = 0;

    if (!store_record_decode(data->mv_data, data->mv_size, &record))
        return fail_reading(copying, MDB_CORRUPTED);
    if (copying->txn == NULL)
        rc = mdb_txn_begin(copying->to.env, NULL, 0, &copying->txn);
    if (rc == 0)
        rc = mdb_put(copying->txn, dbi, name, data, MDB_APPEND);
    if (rc != 0)
        return refuse(copying, rc);
    copying->done++;
    copying->pending += name->mv_size + data->mv_size;
    return copying->pending < BATCH_BYTES ? ERR_OK : flush(copying);
}

static enum err
copy_tree(struct copying *copying, MDB_dbi from, MDB_dbi to)
{
    MDB_val name, data;
    MDB_cursor *cursor;
    enum err err = ERR_OK;
    int rc = mdb_cursor_open(copying->from, from, &cursor);

    if (rc != 0)
        return fail_reading(copying, rc);
    while (err == ERR_OK &&
           (rc = mdb_cursor_get(cursor, &name, &data, MDB_NEXT)) == 0)
        err = copy_record(copying, to, &name, &data);
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return fail_reading(copying, rc);
    if (err == ERR_OK && copying->txn != NULL)
        err = flush(copying);
    return err;
}

static bool
equals(const MDB_val *a, const MDB_val *b)
{
    return a->mv_size == b->mv_size &&
           memcmp(a->mv_data, b->mv_data, a->mv_size) == 0;
}

/* Both cursors are new. */
static enum err
compare_records(struct copying *copying, MDB_cursor *one, MDB_cursor *other)
{
    MDB_val name, data, other_name, other_data;
    enum err err = ERR_OK;

    while (err == ERR_OK) {
        int rc = mdb_cursor_get(one, &name, &data, MDB_NEXT);
        int rc_other =
            mdb_cursor_get(other, &other_name, &other_data, MDB_NEXT);

        if (rc == MDB_NOTFOUND && rc_other == MDB_NOTFOUND)
            break;
        if (rc != 0 && rc != MDB_NOTFOUND)
            return fail_reading(copying, rc);
        if (rc != rc_other || !equals(&name, &other_name) ||
            !equals(&data, &other_data))
            return fail_differing(copying);
        copying->done++;
        copying->pending += name.mv_size + data.mv_size;
        if (copying->pending < BATCH_BYTES)
            continue;
        copying->pending = 0;
        err = copying->progress(copying->ctx, copying->done, copying->total);
    }
    return err;
}

static enum err
compare_tree(struct copying *copying, MDB_txn *txn, MDB_dbi from, MDB_dbi to)
{
    MDB_cursor *one = NULL, *other = NULL;
    enum err err = ERR_NOMEM;

    if (mdb_cursor_open(copying->from, from, &one) == 0 &&
        mdb_cursor_open(txn, to, &other) == 0)
        err = compare_records(copying, one, other);
    mdb_cursor_close(other); /* takes NULL, too */
    mdb_cursor_close(one);
    return err;
}

static enum err
compare_seq(struct copying *copying, MDB_txn *txn)
{
    uint64_t seq, other;
    int rc = lmdb_meta_seq(copying->from, &seq);

    if (rc != 0)
        return fail_reading(copying, rc);
    return lmdb_meta_seq(txn, &other) == 0 && other == seq
               ? ERR_OK
               : fail_differing(copying);
}

/* Opens the copy as the service would, and reads it from the disk. */
static enum err
compare(struct copying *copying, const char *dir, size_t map_size)
{
    const struct lmdb_handles *from = &copying->env->db;
    struct lmdb_handles to;
    MDB_txn *txn;
    enum err err;
    int rc;

    err = lmdb_file_open(dir, map_size, &to, copying->why, copying->why_size);
    if (err != ERR_OK)
        return err;
    rc = mdb_txn_begin(to.env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        err = compare_tree(copying, txn, from->config, to.config);
        if (err == ERR_OK)
            err = compare_tree(copying, txn, from->history, to.history);
        if (err == ERR_OK)
            err = compare_seq(copying, txn);
        mdb_txn_abort(txn);
    } else {
        err = rc == ENOMEM ? ERR_NOMEM : fail_differing(copying);
    }
    mdb_env_close(to.env);
    return err;
}

/* On disk for good, and no longer in the cache. */
static enum err
settle(struct copying *copying, const char *dir, uint64_t *bytes_out)
{
    auto_fd file = open(copying->path, O_RDONLY | O_CLOEXEC);
    auto_fd parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat stat;

    if (file < 0 || parent < 0 || fsync(file) != 0 || fsync(parent) != 0 ||
        fstat(file, &stat) != 0)
        return refuse(copying, errno);
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED); /* only an advice */
    *bytes_out = (uint64_t)stat.st_size;
    return ERR_OK;
}

/* The number of the last version, which may no longer be there itself. */
static enum err
copy_seq(struct copying *copying)
{
    uint64_t seq;
    int rc = lmdb_meta_seq(copying->from, &seq);

    if (rc != 0)
        return fail_reading(copying, rc);
    rc = mdb_txn_begin(copying->to.env, NULL, 0, &copying->txn);
    if (rc == 0)
        rc = lmdb_meta_advance_seq(copying->txn, seq);
    return rc == 0 ? flush(copying) : refuse(copying, rc);
}

static enum err
write_copy(struct copying *copying, size_t map_size)
{
    const struct lmdb_handles *from = &copying->env->db;
    enum err err;
    int rc = lmdb_file_make(copying->path, map_size, MDB_NOSYNC, &copying->to);

    if (rc == ENOMEM)
        return lmdb_refuse("could not write", copying->path, map_size, rc,
                           copying->why, copying->why_size);
    if (rc != 0)
        return refuse(copying, rc);
    err = copy_tree(copying, from->config, copying->to.config);
    if (err == ERR_OK)
        err = copy_tree(copying, from->history, copying->to.history);
    if (err == ERR_OK)
        err = copy_seq(copying);
    if (copying->txn != NULL)
        mdb_txn_abort(copying->txn);
    if (err == ERR_OK && (rc = mdb_env_sync(copying->to.env, 1)) != 0)
        err = refuse(copying, rc);
    mdb_env_close(copying->to.env);
    copying->to.env = NULL;
    return err;
}

static enum err
count(struct copying *copying, struct store_copied *copied_out,
      size_t *map_size_out)
{
    const struct lmdb_handles *from = &copying->env->db;
    MDB_stat config, history;
    MDB_envinfo info;
    int rc = mdb_stat(copying->from, from->config, &config);

    if (rc == 0)
        rc = mdb_stat(copying->from, from->history, &history);
    if (rc == 0)
        rc = mdb_env_info(from->env, &info);
    if (rc != 0)
        return fail_reading(copying, rc);
    copied_out->records = config.ms_entries;
    copied_out->versions = history.ms_entries;
    copying->total = 2 * (uint64_t)(config.ms_entries + history.ms_entries);
    *map_size_out = info.me_mapsize;
    return ERR_OK;
}

/* Needs no memory: it may be for want of that. */
static void
remove_file(const char *dir, const char *name)
{
    auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        (void)unlinkat(fd, name, 0); /* it need not be there */
}

enum err
lmdb_copy(struct lmdb_env *env, const char *dir, store_progress_fn *progress,
          void *ctx, struct store_copied *copied_out, char *why,
          size_t why_size)
{
    struct copying copying = {.env = env,
                              .progress = progress,
                              .ctx = ctx,
                              .why = why,
                              .why_size = why_size};
    struct store_copied copied;
    size_t map_size = 0;
    enum err err;
    int rc;

    *why = '\0';
    if (asprintf(&copying.path, "%s/%s", dir, STORE_FILE_DATA) < 0)
        return ERR_NOMEM;
    rc = lmdb_env_begin(env, MDB_RDONLY, &copying.from);
    if (rc != 0) {
        err = fail_reading(&copying, rc);
        free(copying.path);
        return err;
    }
    err = count(&copying, &copied, &map_size);
    if (err == ERR_OK)
        err = write_copy(&copying, map_size);
    if (err == ERR_OK)
        err = settle(&copying, dir, &copied.bytes);
    if (err == ERR_OK)
        err = compare(&copying, dir, map_size);
    lmdb_env_abort(env, copying.from);
    remove_file(dir, STORE_FILE_LOCK);
    if (err == ERR_OK)
        *copied_out = copied;
    else
        remove_file(dir, STORE_FILE_DATA);
    free(copying.path);
    return err;
}
