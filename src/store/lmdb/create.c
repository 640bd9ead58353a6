// SPDX-License-Identifier: MIT
#include "store/lmdb/create.h"

#include "base/util.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/redo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FILE_MODE 0640

/* One reader slot for each process, and one more while it lists or scans.
 * Whoever makes the lock file decides: many workers and CGI runs at once. */
#define READERS_MAX 1024

/* LMDB's own trees: free pages, and the names of the sub-databases. */
enum { DBI_FREE = 0, DBI_NAMES = 1 };

enum { META, CONFIG, HISTORY, DATABASES };
static const char *const database_names[DATABASES] = {
    [META] = "meta",
    [CONFIG] = "config",
    [HISTORY] = "history",
};

static MDB_val
text_val(const char *text)
{
    union {
        const char *in;
        void *out; /* MDB_val is not const, also where LMDB only reads */
    } bytes = {.in = text};

    return (MDB_val){strlen(text), bytes.out};
}

static int
fill(struct lmdb_handles *handles)
{
    MDB_dbi dbis[DATABASES];
    MDB_txn *txn;
    int rc = mdb_txn_begin(handles->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < DATABASES; i++)
        rc = mdb_dbi_open(txn, database_names[i], MDB_CREATE, &dbis[i]);
    if (rc == 0)
        rc = lmdb_meta_set_format(txn, dbis[META]);
    if (rc == 0)
        rc = lmdb_redo_create(txn, dbis[META]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    handles->meta = dbis[META];
    handles->config = dbis[CONFIG];
    handles->history = dbis[HISTORY];
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
    rc = mdb_env_set_maxdbs(handles.env, DATABASES);
    if (rc == 0)
        rc = mdb_env_set_mapsize(handles.env, map_size);
    if (rc == 0)
        rc = mdb_env_open(handles.env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags,
                          FILE_MODE);
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
    return store_file_refuse(why, why_size, "could not create %s/%s: %s", path,
                             STORE_FILE_DATA, mdb_strerror(rc));
}

/* Reads every page of a tree. */
static int
walk(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    volatile char sink;
    int rc = mdb_cursor_open(txn, dbi, &cursor);

    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        const char *bytes = value.mv_data;

        for (size_t i = 0; i < value.mv_size; i += 512)
            sink = bytes[i];
        if (value.mv_size > 0)
            sink = bytes[value.mv_size - 1];
    }
    (void)sink;
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
walk_all(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, DATABASES) != 0 ||
        mdb_env_set_maxreaders(env, READERS_MAX) != 0 ||
        mdb_env_open(env, path, MDB_RDONLY, FILE_MODE) != 0 ||
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0 ||
        walk(txn, DBI_FREE) != 0 || walk(txn, DBI_NAMES) != 0)
        return 1;
    for (size_t i = 0; i < DATABASES; i++)
        if (mdb_dbi_open(txn, database_names[i], 0, &dbi) != 0 ||
            walk(txn, dbi) != 0)
            return 1;
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return 0;
}

/*
 * A data file may rightly end before its last page, if that is a free one
 * which was never written. To tell this from a truncated file every page has
 * to be read; a missing one kills by SIGBUS, so a child does it.
 */
static bool
is_whole(const char *path)
{
    static const int deadly[] = {SIGBUS, SIGSEGV, SIGABRT};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    struct sigaction before;
    int status = -1;
    pid_t pid, done;

    sigaction(SIGCHLD, &by_default, &before); /* ignored, it leaves no status */
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
            signal(deadly[i], SIG_DFL);
        if (null >= 0)
            dup2(null, STDERR_FILENO); /* LMDB's last words */
        _exit(walk_all(path));
    }
    do
        done = pid < 0 ? -1 : waitpid(pid, &status, 0);
    while (pid > 0 && done < 0 && errno == EINTR);
    sigaction(SIGCHLD, &before, NULL);
    return done == pid && pid > 0 && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
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
    MDB_val key = text_val(name);
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

/* An older format can be raised. */
static enum err
check_format(const char *path, uint64_t format, char *why, size_t why_size)
{
    if (format > LMDB_META_FORMAT)
        return store_file_refuse(why, why_size,
                                 "%s/%s was written by a newer version: it has "
                                 "format %llu, and this one reads format %d",
                                 path, STORE_FILE_DATA,
                                 (unsigned long long)format, LMDB_META_FORMAT);
    if (format == 0)
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: it has no format", path,
                                 STORE_FILE_DATA);
    return ERR_OK;
}

/* Opens the sub-databases, if they are ours: the format first, for a newer
 * one may have others. */
static enum err
open_databases(const char *path, MDB_txn *txn, struct lmdb_handles *handles,
               char *why, size_t why_size)
{
    MDB_dbi dbis[DATABASES];
    struct store_file file;
    enum err err = ERR_OK;
    int fd;

    if (mdb_env_get_fd(handles->env, &fd) != 0 || !store_file_read(fd, &file))
        return store_file_refuse(why, why_size, "could not read %s/%s", path,
                                 STORE_FILE_DATA);
    for (size_t i = 0; err == ERR_OK && i < DATABASES; i++) {
        int rc = open_database(txn, database_names[i], fd, &file, &dbis[i]);

        if (rc == ENOMEM)
            return store_file_refuse(why, why_size, "out of memory");
        if (rc != 0)
            return store_file_refuse(why, why_size,
                                     "%s/%s is damaged, or is no store of "
                                     "orderconf: no sub-database %s",
                                     path, STORE_FILE_DATA, database_names[i]);
        if (i != META)
            continue;
        handles->format = lmdb_meta_format(txn, dbis[META]);
        err = check_format(path, handles->format, why, why_size);
    }
    if (err != ERR_OK)
        return err;
    handles->meta = dbis[META];
    handles->config = dbis[CONFIG];
    handles->history = dbis[HISTORY];
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
    int rc = mdb_env_set_maxdbs(handles->env, DATABASES);

    if (rc == 0)
        rc = mdb_env_set_maxreaders(handles->env, READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_mapsize(handles->env, map_size);
    if (rc == 0)
        rc = mdb_env_open(handles->env, path, MDB_NOTLS, FILE_MODE);
    if (rc == 0)
        rc = begin_reading(handles->env, &txn);
    if (rc != 0)
        return store_file_refuse(why, why_size,
                                 "could not open store %s with a map of %zu "
                                 "bytes: %s",
                                 path, map_size, mdb_strerror(rc));
    err = open_databases(path, txn, handles, why, why_size);
    if (err != ERR_OK)
        mdb_txn_abort(txn);
    else
        (void)mdb_txn_commit(txn); /* keeps the handles; cannot fail */
    return err;
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
    if (file.is_short && !is_whole(path))
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: pages up to %zu of %zu "
                                 "bytes each are needed, and the file is "
                                 "shorter",
                                 path, STORE_FILE_DATA, file.last_page,
                                 file.page_size);
    if (mdb_env_create(&handles.env) != 0)
        return store_file_refuse(why, why_size, "out of memory");
    err = open_env(path, map_size, &handles, why, why_size);
    if (err != ERR_OK) {
        mdb_env_close(handles.env);
        return err;
    }
    if (file.is_short && mdb_env_get_fd(handles.env, &fd) == 0)
        lengthen(handles.env, fd);
    *handles_out = handles;
    return ERR_OK;
}
