// SPDX-License-Identifier: MIT
#include "base/file.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>

const char *
file_read(const char *path, char *text, size_t size, size_t *len_out,
          struct file_id *id_out)
{
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat file;
    size_t len = 0;
    ssize_t got;

    if (fd < 0 || fstat(fd, &file) != 0)
        return strerror(errno);
    if (!S_ISREG(file.st_mode))
        return "is not a regular file";
    while (len < size && (got = read(fd, text + len, size - len)) != 0) {
        if (got < 0 && errno != EINTR)
            return strerror(errno);
        if (got > 0)
            len += (size_t)got;
    }
    *len_out = len;
    *id_out = file_id_of(&file);
    return NULL;
}

static int
open_parent(const char *path)
{
    auto_char *copy = strdup(path);

    if (copy == NULL)
        return -1;
    return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
write_out(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t put = write(fd, text, left);

        if (put > 0) {
            text += put;
            left -= (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Also one that is not. */
static bool
close_out(int *fd)
{
    int error = errno, closed = *fd;

    *fd = -1;
    if (closed >= 0 && close(closed) != 0)
        return false;
    errno = error;
    return true;
}

static bool
sync_parent(const char *path)
{
    auto_fd parent = open_parent(path);

    return parent >= 0 && fsync(parent) == 0;
}

const char *
file_sync_parent(const char *path)
{
    return sync_parent(path) ? NULL : strerror(errno);
}

const char *
file_create(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    const char *why;
    bool is_good;

    if (fd < 0)
        return strerror(errno);
    /* The umask may have taken bits of the mode. */
    is_good = fchmod(fd, mode) == 0 && write_out(fd, text) && fsync(fd) == 0;
    if (close_out(&fd) && is_good && sync_parent(path))
        return NULL;
    why = strerror(errno);
    (void)unlink(path); /* it is ours, and of no use */
    return why;
}

/* Names both, and makes the fresh one. False: errno says why. */
static bool
make_fresh(struct file_fresh *file, const char *path, mode_t mode)
{
    file->path = realpath(path, NULL);
    if (file->path == NULL && errno == ENOENT)
        file->path = strdup(path);
    if (file->path == NULL)
        return false;
    if (asprintf(&file->fresh, "%s.XXXXXX", file->path) < 0) {
        file->fresh = NULL;
        errno = ENOMEM;
        return false;
    }
    file->fd = mkostemp(file->fresh, O_CLOEXEC);
    if (file->fd < 0) {
        free(file->fresh);
        file->fresh = NULL;
    }
    return file->fd >= 0 && fchmod(file->fd, mode) == 0;
}

const char *
file_fresh_open(struct file_fresh *file, const char *path, mode_t mode)
{
    struct stat there;
    const char *why;

    *file = (struct file_fresh){.fd = -1};
    /* A device or a pipe is no place for a file. */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return "is not a regular file";
    if (make_fresh(file, path, mode))
        return NULL;
    why = strerror(errno);
    file_fresh_drop(file);
    return why;
}

static void
clear_fresh(struct file_fresh *file)
{
    free(file->path);
    free(file->fresh);
    *file = (struct file_fresh){.fd = -1};
}

const char *
file_fresh_finish(struct file_fresh *file)
{
    const char *why = NULL;
    bool is_good = fsync(file->fd) == 0;

    if (!close_out(&file->fd) || !is_good ||
        rename(file->fresh, file->path) != 0) {
        why = strerror(errno);
        file_fresh_drop(file);
        return why;
    }
    if (!sync_parent(file->path))
        why = strerror(errno);
    clear_fresh(file);
    return why;
}

void
file_fresh_drop(struct file_fresh *file)
{
    (void)close_out(&file->fd); /* it is of no use */
    if (file->fresh != NULL)
        (void)unlink(file->fresh);
    clear_fresh(file);
}

const char *
file_replace(const char *path, const char *text, mode_t mode)
{
    struct file_fresh file;
    const char *why = file_fresh_open(&file, path, mode);

    if (why != NULL)
        return why;
    if (write_out(file.fd, text))
        return file_fresh_finish(&file);
    why = strerror(errno);
    file_fresh_drop(&file);
    return why;
}

/* The directory is locked: the file itself may be replaced meanwhile. */
const char *
file_lock(const char *path, int *fd_out)
{
    auto_char *followed = realpath(path, NULL);
    int fd = open_parent(followed != NULL ? followed : path);

    if (fd < 0)
        return strerror(errno);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            const char *why = strerror(errno);

            close(fd);
            return why;
        }
    }
    *fd_out = fd;
    return NULL;
}
