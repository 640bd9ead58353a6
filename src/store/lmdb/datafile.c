// SPDX-License-Identifier: MIT
#include "store/lmdb/datafile.h"

#include "base/file.h"
#include "base/util.h"
#include "store/lmdb/format.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Less free space than this is a full disk to a commit that failed. */
#define FULL_BELOW (1024 * 1024)

enum err
store_file_refuse(char *why, size_t why_size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return ERR_STORE;
}

enum err
store_file_open_dir(const char *path, int *fd_out, char *why, size_t why_size)
{
    int fd;

    if (mkdir(path, 0750) == 0)
        (void)file_sync_parent(path); /* what cannot has no need to */
    else if (errno != EEXIST)
        return store_file_refuse(why, why_size,
                                 "could not make directory %s: %s", path,
                                 strerror(errno));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return store_file_refuse(why, why_size,
                                 "could not open directory %s: %s", path,
                                 strerror(errno));
    *fd_out = fd;
    return ERR_OK;
}

static bool
is_meta(const struct lmdb_meta *meta)
{
    size_t page_size = meta->free.page_size;

    return (meta->page.flags & LMDB_META) && meta->magic == LMDB_MAGIC &&
           meta->version == LMDB_VERSION && page_size >= sizeof(*meta) &&
           page_size <= LMDB_PAGE_SIZE_MAX &&
           (page_size & (page_size - 1)) == 0 && meta->last_page >= 1 &&
           meta->last_page < SIZE_MAX / LMDB_PAGE_SIZE_MAX;
}

/* Reads the meta page that counts. */
static bool
meta_read(int fd, struct lmdb_meta *meta_out)
{
    struct lmdb_meta metas[2];
    size_t page_size;

    if (pread(fd, &metas[0], sizeof(metas[0]), 0) != sizeof(metas[0]) ||
        !is_meta(&metas[0]))
        return false;
    page_size = metas[0].free.page_size;
    if (pread(fd, &metas[1], sizeof(metas[1]), (off_t)page_size) !=
            sizeof(metas[1]) ||
        !is_meta(&metas[1]) || metas[1].free.page_size != page_size)
        return false;
    *meta_out = metas[metas[1].transaction > metas[0].transaction];
    return true;
}

static bool
data_read(int fd, struct store_file *file_out, struct lmdb_meta *meta_out)
{
    struct stat status;

    /* The size last: beside a writer, it is never behind the meta page. */
    if (!meta_read(fd, meta_out) || fstat(fd, &status) != 0)
        return false;
    file_out->map_size = meta_out->map_size;
    file_out->page_size = meta_out->free.page_size;
    file_out->last_page = meta_out->last_page;
    file_out->is_short =
        (size_t)status.st_size / file_out->page_size <= meta_out->last_page;
    return true;
}

bool
store_file_read(int fd, struct store_file *file_out)
{
    struct lmdb_meta meta;

    return data_read(fd, file_out, &meta);
}

bool
store_file_is_root(int fd, const struct store_file *file, size_t page)
{
    struct lmdb_page header;

    if (page == LMDB_NO_PAGE) /* an empty tree */
        return true;
    return page > 1 && page <= file->last_page &&
           pread(fd, &header, sizeof(header),
                 (off_t)(page * file->page_size)) == sizeof(header) &&
           header.number == page && header.lower <= header.upper &&
           header.upper <= file->page_size &&
           ((header.flags & (LMDB_BRANCH | LMDB_LEAF)) == LMDB_BRANCH ||
            (header.flags & (LMDB_BRANCH | LMDB_LEAF)) == LMDB_LEAF);
}

/* Opens dir/data.mdb; the descriptor is the caller's, in every case. */
static enum err
open_data(const char *dir, int mode, int *fd_out, struct store_file *file_out,
          struct lmdb_meta *meta_out, char *why, size_t why_size)
{
    auto_char *path = NULL;

    if (asprintf(&path, "%s/%s", dir, STORE_FILE_DATA) < 0) {
        path = NULL;
        (void)store_file_refuse(why, why_size, "out of memory");
        return ERR_NOMEM;
    }
    *fd_out = open(path, mode | O_CLOEXEC);
    if (*fd_out < 0)
        return store_file_refuse(why, why_size, "could not open %s: %s", path,
                                 strerror(errno));
    if (!data_read(*fd_out, file_out, meta_out))
        return store_file_refuse(why, why_size,
                                 "%s is not a store, or is damaged: its first "
                                 "pages are not LMDB's",
                                 path);
    return ERR_OK;
}

/* Beside a writer, the roots of a commit that is not the last one any more may
 * be gone. */
static bool
has_roots(int fd, struct store_file *file, struct lmdb_meta *meta)
{
    while (!store_file_is_root(fd, file, meta->free.root) ||
           !store_file_is_root(fd, file, meta->names.root)) {
        size_t before = meta->transaction;

        if (!data_read(fd, file, meta) || meta->transaction == before)
            return false;
    }
    return true;
}

enum err
store_file_check(const char *dir, struct store_file *file_out, char *why,
                 size_t why_size)
{
    auto_fd fd = -1;
    struct lmdb_meta meta;
    struct store_file file;
    enum err err = open_data(dir, O_RDWR, &fd, &file, &meta, why, why_size);

    if (err != ERR_OK)
        return err;
    if (!has_roots(fd, &file, &meta))
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: a page that it refers to "
                                 "is missing or is garbage",
                                 dir, STORE_FILE_DATA);
    *file_out = file;
    return ERR_OK;
}

enum err
store_file_look(const char *dir, struct store_file *file_out, char *why,
                size_t why_size)
{
    auto_fd fd = -1;
    struct lmdb_meta meta;
    struct store_file file;
    enum err err = open_data(dir, O_RDONLY, &fd, &file, &meta, why, why_size);

    if (err != ERR_OK)
        return err;
    if (file.map_size > (size_t)STORE_MAP_SIZE_MAX ||
        file.last_page >= file.map_size / file.page_size)
        return store_file_refuse(why, why_size,
                                 "%s/%s is damaged: it cannot have %zu pages "
                                 "of %zu bytes within %zu bytes",
                                 dir, STORE_FILE_DATA, file.last_page + 1,
                                 file.page_size, file.map_size);
    *file_out = file;
    return ERR_OK;
}

const char *
store_file_find_fault(int fd)
{
    struct statvfs disk;
    struct stat file;

    if (fstat(fd, &file) != 0 || fstatvfs(fd, &disk) != 0)
        return strerror(errno);
    if (file.st_nlink == 0)
        return "the data file was removed";
    if ((disk.f_flag & ST_RDONLY) != 0)
        return "the file system is mounted read-only";
    return NULL;
}

bool
store_file_is_disk_full(int fd)
{
    struct statvfs disk;
    struct stat file;
    struct rlimit limit;

    if (fstatvfs(fd, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < FULL_BELOW)
        return true;
    if (fstat(fd, &file) != 0)
        return false;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
        limit.rlim_cur < (rlim_t)file.st_size + FULL_BELOW)
        return true;
    /* A quota does not show there: ask for room behind the end. What is got
     * is used by the next commits. */
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, file.st_size, FULL_BELOW) != 0 &&
           (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
}

static int
open_dir(const char *dir)
{
    return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool
store_file_is_elsewhere(int fd, const char *dir)
{
    auto_fd at = open_dir(dir);
    struct stat own, there;

    return fstat(fd, &own) == 0 &&
           (fstatat(at, STORE_FILE_DATA, &there, 0) != 0 ||
            own.st_dev != there.st_dev || own.st_ino != there.st_ino);
}

bool
store_file_exists(const char *dir)
{
    auto_fd at = open_dir(dir);

    return (at >= 0 && faccessat(at, STORE_FILE_DATA, F_OK, 0) == 0) ||
           errno != ENOENT;
}

bool
store_file_give(const char *dir, const char *from)
{
    auto_fd at = open_dir(dir);
    auto_fd from_at = open_dir(from);
    struct stat owner;

    if (at < 0 || from_at < 0 ||
        fstatat(from_at, STORE_FILE_DATA, &owner, 0) != 0)
        return false;
    return geteuid() != 0 ||
           (fchownat(at, STORE_FILE_DATA, owner.st_uid, owner.st_gid, 0) == 0 &&
            chown(dir, owner.st_uid, owner.st_gid) == 0);
}

void
store_file_remove(const char *dir)
{
    auto_fd at = open_dir(dir);

    (void)unlinkat(at, STORE_FILE_DATA, 0); /* it need not be there */
    (void)rmdir(dir);
}
