// SPDX-License-Identifier: MIT
#include "store/lmdb/create.h"

#include "base/number.h"
#include "base/util.h"
#include "store/lmdb/check.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/redo.h"
#include "store/lmdb/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static int
fill(struct lmdb_handles *handles)
{
    MDB_dbi dbis[LMDB_DB_MAX];
    MDB_txn *txn;
    int rc = mdb_txn_begin(handles->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < LMDB_DB_MAX; i++)
        rc = mdb_dbi_open(txn, lmdb_meta_names[i], MDB_CREATE, &dbis[i]);
    if (rc == 0)
        rc = lmdb_meta_set_format(txn, dbis[LMDB_DB_META]);
    if (rc == 0)
        rc = lmdb_redo_create(txn, dbis[LMDB_DB_META]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    handles->meta = dbis[LMDB_DB_META];
    handles->config = dbis[LMDB_DB_CONFIG];
    handles->history = dbis[LMDB_DB_HISTORY];
    return mdb_txn_commit(txn);
}

int
lmdb_file_make(const char *path, size_t map_size, unsigned int flags,
               struct lmdb_handles *handles_out)
{
    struct lmdb_handles handles = {.format = LMDB_META_FORMAT};
    int rc = mdb_env_create(&handles.env);

    if (rc != 0)
        return rc;
    rc = mdb_env_set_maxdbs(handles.env, LMDB_DB_MAX);
    if (rc == 0)
        rc = mdb_env_set_mapsize(handles.env, map_size);
    if (rc == 0)
        rc = mdb_env_open(handles.env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags,
                          STORE_FILE_MODE);
    if (rc == 0)
        rc = fill(&handles);
    if (rc == 0)
        *handles_out = handles;
    else
        mdb_env_close(handles.env);
    return rc;
}

/* Makes the store under another name. */
static int
create(const char *path, size_t map_size)
{
    struct lmdb_handles handles;
    int rc = lmdb_file_make(path, map_size, 0, &handles);

    if (rc == 0)
        mdb_env_close(handles.env);
    return rc;
}

enum err
lmdb_file_create(const char *path, size_t map_size, char *why, size_t why_size)
{
    auto_char *new_path = NULL;
    auto_fd dir = -1;
    enum err err;
    int rc;

    err = store_file_open_dir(path, &dir, why, why_size);
    if (err != ERR_OK)
        return err;
    if (faccessat(dir, STORE_FILE_DATA, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return ERR_OK;
    if (asprintf(&new_path, "%s/%s", path, STORE_FILE_NEW) < 0) {
        new_path = NULL;
        return store_file_refuse(why, why_size, "out of memory");
    }

    /* Of several processes that start at once, one makes it. */
    if (flock(dir, LOCK_EX) != 0)
        return store_file_refuse(why, why_size, "could not lock %s: %s", path,
                                 strerror(errno));
    if (faccessat(dir, STORE_FILE_DATA, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return ERR_OK;
    (void)unlink(new_path); /* left by a crash, if it is there */
    rc = create(new_path, map_size);
    if (rc == 0 && renameat(dir, STORE_FILE_NEW, dir, STORE_FILE_DATA) != 0)
        rc = errno;
    if (rc == 0 && fsync(dir) != 0)
        rc = errno;
    if (rc == 0)
        return ERR_OK;
    (void)unlink(new_path);
    return lmdb_refuse("could not create store", path, map_size, rc, why,
                       why_size);
}

/* Ends the doubt for the next one who opens the file. */
static void
lengthen(MDB_env *env, int fd)
{
    struct store_file file;
    MDB_txn *txn;

    if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
        return;
    /* Read again: with the write lock held it cannot grow meanwhile, so this
     * never cuts anything. */
    if (store_file_read(fd, &file) && file.is_short)
        (void)!ftruncate(fd, (off_t)((file.last_page + 1) * file.page_size));
    mdb_txn_abort(txn);
}

/* The root page in a sub-database's entry (mdb.c: MDB_db.md_root). */
static bool
is_database(MDB_txn *txn, const char *name, int fd,
            const struct store_file *file)
{
    MDB_val key = lmdb_meta_key(name);
    MDB_val entry;
    MDB_dbi names;
    size_t root;

    if (mdb_dbi_open(txn, NULL, 0, &names) != 0 ||
        mdb_get(txn, names, &key, &entry) != 0 || entry.mv_size < sizeof(root))
        return false;
    memcpy(&root, (char *)entry.mv_data + entry.mv_size - sizeof(root),
           sizeof(root));
    return store_file_is_root(fd, file, root);
}

static int
open_database(MDB_txn *txn, const char *name, int fd,
              const struct store_file *file, MDB_dbi *dbi_out)
{
    return is_database(txn, name, fd, file)
               ? mdb_dbi_open(txn, name, 0, dbi_out)
               : MDB_NOTFOUND;
}

/* Opens the sub-databases, if they are ours: the format first, for a newer
 * one may have others. */
static enum err
open_databases(const char *path, MDB_txn *txn, struct lmdb_handles *handles,
               char *why, size_t why_size)
{
    MDB_dbi dbis[LMDB_DB_MAX];
    struct store_file file;
    enum err err = ERR_OK;
    int fd;

    if (mdb_env_get_fd(handles->env, &fd) != 0 || !store_file_read(fd, &file))
        return store_file_refuse(why, why_size, "could not read %s/%s", path,
                                 STORE_FILE_DATA);
    for (size_t i = 0; err == ERR_OK && i < LMDB_DB_MAX; i++) {
        int rc = open_database(txn, lmdb_meta_names[i], fd, &file, &dbis[i]);

        if (rc == ENOMEM)
            return store_file_refuse(why, why_size, "out of memory");
        if (rc != 0)
            return store_file_refuse(why, why_size,
                                     "%s/%s is damaged, or is no store of "
                                     "orderconf: no sub-database %s",
                                     path, STORE_FILE_DATA, lmdb_meta_names[i]);
        if (i != LMDB_DB_META)
            continue;
        handles->format = lmdb_meta_format(txn, dbis[LMDB_DB_META]);
        err = lmdb_meta_check_format(path, handles->format, why, why_size);
    }
    if (err != ERR_OK)
        return err;
    handles->meta = dbis[LMDB_DB_META];
    handles->config = dbis[LMDB_DB_CONFIG];
    handles->history = dbis[LMDB_DB_HISTORY];
    return ERR_OK;
}

/* A slot that belongs to nobody alive is freed before giving up. */
static int
begin_reading(MDB_env *env, MDB_txn **txn_out)
{
    int dead;
    int rc = mdb_reader_check(env, &dead);

    return rc != 0 ? rc : mdb_txn_begin(env, NULL, MDB_RDONLY, txn_out);
}

static enum err
open_env(const char *path, size_t map_size, struct lmdb_handles *handles,
         char *why, size_t why_size)
{
    MDB_txn *txn;
    enum err err;
    int rc = mdb_env_set_maxdbs(handles->env, LMDB_DB_MAX);

    if (rc == 0)
        rc = mdb_env_set_maxreaders(handles->env, STORE_FILE_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_mapsize(handles->env, map_size);
    if (rc == 0)
        rc = mdb_env_open(handles->env, path, MDB_NOTLS, STORE_FILE_MODE);
    if (rc == 0)
        rc = begin_reading(handles->env, &txn);
    if (rc != 0)
        return lmdb_refuse("could not open store", path, map_size, rc, why,
                           why_size);
    err = open_databases(path, txn, handles, why, why_size);
    if (err != ERR_OK)
        mdb_txn_abort(txn);
    else
        (void)mdb_txn_commit(txn); /* keeps the handles; cannot fail */
    return err;
}

static enum err
make_env(const char *path, size_t map_size, struct lmdb_handles *handles,
         char *why, size_t why_size)
{
    enum err err;

    if (mdb_env_create(&handles->env) != 0)
        return store_file_refuse(why, why_size, "out of memory");
    err = open_env(path, map_size, handles, why, why_size);
    if (err != ERR_OK)
        mdb_env_close(handles->env);
    return err;
}

/* line: the pid of a slot's process, and more. */
static int
count_own(const char *line, void *ctx)
{
    uint64_t pid;

    (void)number_scan(line + strspn(line, " "), &pid);
    *(size_t *)ctx += pid == (uint64_t)getpid();
    return 0;
}

/* Whoever looks for the dead takes one who had our pid for us: as when one of
 * two containers was killed and started again. No slot is ours yet. */
static bool
has_dead_namesake(MDB_env *env)
{
    size_t count = 0;

    return mdb_reader_list(env, count_own, &count) >= 0 && count > 0;
}

enum err
lmdb_file_open(const char *path, size_t map_size,
               struct lmdb_handles *handles_out, char *why, size_t why_size)
{
    struct lmdb_handles handles;
    struct store_file file;
    enum err err = store_file_check(path, &file, why, why_size);
    int fd;

    if (err != ERR_OK)
        return err;
    /* It may rightly end before its last page, if that is a free one which was
     * never written. To tell this from a truncated file takes a look at every
     * page: LMDB would be killed by one that is missing. */
    if (file.is_short)
        err = lmdb_check_pages(path, why, why_size);
    if (err != ERR_OK)
        return err;
    if (map_size == 0)
        map_size = file.map_size;
    err = make_env(path, map_size, &handles, why, why_size);
    if (err == ERR_OK && has_dead_namesake(handles.env)) {
        mdb_env_close(handles.env); /* frees all slots of this pid */
        err = make_env(path, map_size, &handles, why, why_size);
    }
    if (err != ERR_OK)
        return err;
    if (file.is_short && mdb_env_get_fd(handles.env, &fd) == 0)
        lengthen(handles.env, fd);
    *handles_out = handles;
    return ERR_OK;
}
