// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: writes down, in FLUSH_RECORD, what the program does to the
 * data files in the directory FLUSH_RECORD_DIR, and what it sends to clients.
 * All processes append to the one file, each event by a single write.
 *
 * A write is noted after it was done, and a sending before it is done. So
 * whoever replays the events and takes each at its word errs only on the
 * strict side.
 */
#include "flush_record.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DATA_NAME "data.mdb" /* and what starts with it */

/* The function that would have been called without this library. */
#define NEXT(name)                                                             \
    static __typeof__(&name) next;                                             \
    if (next == NULL)                                                          \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

static int record_fd = -1;
static char dir[4096];

__attribute__((constructor)) static void
open_record(void)
{
    const char *path = getenv("FLUSH_RECORD");
    const char *given = getenv("FLUSH_RECORD_DIR");

    if (path == NULL || given == NULL)
        return;
    snprintf(dir, sizeof(dir), "%s", given);
    record_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record_fd < 0)
        abort();
}

static void
note(enum flush_kind kind, uint64_t file, uint64_t offset, const void *payload,
     size_t len)
{
    struct flush_event event = {
        .kind = kind,
        .thread = (uint32_t)syscall(SYS_gettid),
        .file = file,
        .offset = offset,
        .len = len,
    };
    union {
        const void *in;
        void *out;
    } bytes = {.in = payload};
    struct iovec parts[] = {{&event, sizeof(event)}, {bytes.out, len}};
    int saved = errno;

    if (syscall(SYS_writev, record_fd, parts, 2) != (long)(sizeof(event) + len))
        abort();
    errno = saved;
}

static void
note_unknown(uint64_t file, const char *what)
{
    note(FLUSH_UNKNOWN, file, 0, what, strlen(what));
}

/* The inode of a data file or of the directory, else 0. */
static uint64_t
watched(int fd)
{
    char link[64], path[4096];
    struct stat status;
    ssize_t len;
    size_t dir_len = strlen(dir);
    int saved = errno;
    bool is_ours;

    if (record_fd < 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    errno = saved;
    if (len <= 0)
        return 0;
    path[len] = '\0';
    is_ours = strncmp(path, dir, dir_len) == 0 &&
              (path[dir_len] == '\0' || strncmp(path + dir_len, "/" DATA_NAME,
                                                1 + strlen(DATA_NAME)) == 0);
    return is_ours && fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* After a write to a data file. */
static void
note_written(int fd, uint64_t file, const struct iovec *parts, int count,
             uint64_t offset, ssize_t done)
{
    size_t len = 0;
    char *bytes;

    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    if (done != (ssize_t)len) {
        note_unknown(file, "a write that failed or was cut short");
        return;
    }
    bytes = malloc(len + 1);
    if (bytes == NULL)
        abort();
    len = 0;
    for (int i = 0; i < count; i++) {
        memcpy(bytes + len, parts[i].iov_base, parts[i].iov_len);
        len += parts[i].iov_len;
    }
    note(FLUSH_WRITE, file, offset, bytes, len);
    free(bytes);
    if (fcntl(fd, F_GETFL) & O_DSYNC)
        note(FLUSH_DURABLE, file, 0, NULL, 0);
}

static uint64_t
position(int fd)
{
    return (uint64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    NEXT(pwrite);
    ssize_t done = next(fd, bytes, len, offset);
    uint64_t file = watched(fd);
    union {
        const void *in;
        void *out;
    } all = {.in = bytes};

    if (file != 0)
        note_written(fd, file, &(struct iovec){all.out, len}, 1,
                     (uint64_t)offset, done);
    return done;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    return pwrite(fd, bytes, len, offset);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    NEXT(pwritev);
    ssize_t done = next(fd, parts, count, offset);
    uint64_t file = watched(fd);

    if (file != 0)
        note_written(fd, file, parts, count, (uint64_t)offset, done);
    return done;
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    NEXT(writev);
    uint64_t file = watched(fd);
    uint64_t offset = file != 0 ? position(fd) : 0;
    ssize_t done = next(fd, parts, count);

    if (file != 0)
        note_written(fd, file, parts, count, offset, done);
    return done;
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
    NEXT(write);
    uint64_t file = watched(fd);
    uint64_t offset = file != 0 ? position(fd) : 0;
    ssize_t done = next(fd, bytes, len);
    union {
        const void *in;
        void *out;
    } all = {.in = bytes};

    if (file != 0)
        note_written(fd, file, &(struct iovec){all.out, len}, 1, offset, done);
    return done;
}

int
ftruncate(int fd, off_t len)
{
    NEXT(ftruncate);
    int failed = next(fd, len);
    uint64_t file = watched(fd);

    if (file != 0 && !failed)
        note(FLUSH_TRUNCATE, file, (uint64_t)len, NULL, 0);
    return failed;
}

static int
flush(int fd, int (*next)(int))
{
    uint64_t file = watched(fd);
    int failed;

    if (file != 0)
        note(FLUSH_BEGIN, file, 0, NULL, 0);
    failed = next(fd);
    if (file != 0 && !failed)
        note(FLUSH_END, file, 0, NULL, 0);
    return failed;
}

int
fdatasync(int fd)
{
    NEXT(fdatasync);
    return flush(fd, next);
}

int
fsync(int fd)
{
    NEXT(fsync);
    return flush(fd, next);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    NEXT(renameat);
    uint64_t directory = watched(to_fd);
    int failed = next(from_fd, from, to_fd, to);
    struct stat status;

    if (directory != 0 && !failed && fstatat(to_fd, to, &status, 0) == 0)
        note(FLUSH_RENAME, status.st_ino, directory, to, strlen(to));
    return failed;
}

void *
mmap(void *address, size_t len, int access, int flags, int fd, off_t offset)
{
    NEXT(mmap);

    if (fd >= 0 && (access & PROT_WRITE) && (flags & MAP_SHARED)) {
        uint64_t file = watched(fd);

        if (file != 0)
            note_unknown(file, "a writable mapping");
    }
    return next(address, len, access, flags, fd, offset);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
    NEXT(send);

    if (record_fd >= 0)
        note(FLUSH_SENT, 0, 0, bytes, len);
    return next(fd, bytes, len, flags);
}
