// SPDX-License-Identifier: MIT
#include "store/lmdb/snapshot.h"

#include "store/lmdb/datafile.h"
#include "store/lmdb/refuse.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* How often others may commit while the meta pages are read. */
#define TRIES_MAX 1000

static bool
read_metas(int fd, size_t page_size, struct lmdb_meta metas_out[2])
{
    for (size_t i = 0; i < 2; i++)
        if (pread(fd, &metas_out[i], sizeof(metas_out[i]),
                  (off_t)(i * page_size)) != sizeof(metas_out[i]))
            return false;
    return true;
}

/*
 * The meta page of commit number, if the other one is of the commit before or
 * after it, as it is when they are written by turns. They are read twice,
 * because somebody may be writing to them.
 */
static bool
find_meta(int fd, size_t page_size, size_t number, struct lmdb_meta *meta_out)
{
    struct lmdb_meta metas[2], again[2];
    const struct lmdb_meta *meta = &metas[number % 2];
    size_t other;

    if (!read_metas(fd, page_size, metas) || !read_metas(fd, page_size, again))
        return false;
    other = metas[1 - number % 2].transaction;
    if (memcmp(metas, again, sizeof(metas)) != 0 ||
        meta->transaction != number ||
        (other + 1 != number && other != number + 1))
        return false;
    *meta_out = *meta;
    return true;
}

static int
begin_or_renew(struct lmdb_snapshot *snapshot)
{
    if (snapshot->txn != NULL)
        return mdb_txn_renew(snapshot->txn);
    return mdb_txn_begin(snapshot->env, NULL, MDB_RDONLY, &snapshot->txn);
}

/* LMDB's error; MDB_CORRUPTED if the meta pages are not what they should be. */
static int
begin(struct lmdb_snapshot *snapshot, size_t page_size)
{
    int dead;
    int rc = mdb_reader_check(snapshot->env, &dead);

    if (rc == 0)
        rc = mdb_env_get_fd(snapshot->env, &snapshot->fd);
    for (int i = 0; rc == 0 && i < TRIES_MAX; i++) {
        rc = begin_or_renew(snapshot);
        if (rc == MDB_MAP_RESIZED) { /* the store has just grown */
            rc = mdb_env_set_mapsize(snapshot->env, 0);
            continue;
        }
        if (rc == 0 && find_meta(snapshot->fd, page_size,
                                 mdb_txn_id(snapshot->txn), &snapshot->meta))
            return 0;
        if (rc == 0)
            mdb_txn_reset(snapshot->txn);
    }
    return rc == 0 ? MDB_CORRUPTED : rc;
}

/* With a map of what there is now, however large the store may become: but for
 * the meta pages, nothing is read by it. */
static int
open_env(struct lmdb_snapshot *snapshot, const char *path,
         const struct store_file *file)
{
    int rc = mdb_env_create(&snapshot->env);

    if (rc == 0)
        rc = mdb_env_set_maxreaders(snapshot->env, STORE_FILE_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_mapsize(snapshot->env,
                                 (file->last_page + 1) * file->page_size);
    if (rc == 0)
        rc = mdb_env_open(snapshot->env, path, MDB_RDONLY | MDB_NOTLS,
                          STORE_FILE_MODE);
    return rc == 0 ? begin(snapshot, file->page_size) : rc;
}

enum err
lmdb_snapshot_open(struct lmdb_snapshot *snapshot, const char *path, char *why,
                   size_t why_size)
{
    struct store_file file;
    enum err err = store_file_look(path, &file, why, why_size);
    int rc;

    if (err != ERR_OK)
        return err;
    *snapshot = (struct lmdb_snapshot){.fd = -1};
    rc = open_env(snapshot, path, &file);
    if (rc == 0)
        return ERR_OK;
    lmdb_snapshot_close(snapshot);
    if (rc == MDB_CORRUPTED)
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: its first two pages are "
                                 "not of two commits that follow each other",
                                 path, STORE_FILE_DATA);
    return lmdb_refuse("could not read store", path, 0, rc, why, why_size);
}

void
lmdb_snapshot_close(struct lmdb_snapshot *snapshot)
{
    mdb_txn_abort(snapshot->txn); /* takes NULL, too */
    if (snapshot->env != NULL)
        mdb_env_close(snapshot->env);
}
