// SPDX-License-Identifier: MIT
#include "base/file.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>

static const char out_of_memory[] = "out of memory";

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

/* Writes the text and closes fd, with the content on disk. */
static bool
write_out(int fd, const char *text, mode_t mode)
{
    size_t left = strlen(text);
    bool is_good = fchmod(fd, mode) == 0; /* the umask may have taken bits */

    while (is_good && left > 0) {
        ssize_t put = write(fd, text, left);

        if (put > 0) {
            text += put;
            left -= (size_t)put;
        } else {
            is_good = put < 0 && errno == EINTR;
        }
    }
    is_good = is_good && fsync(fd) == 0;
    return close(fd) == 0 && is_good;
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

    if (fd < 0)
        return strerror(errno);
    if (write_out(fd, text, mode) && sync_parent(path))
        return NULL;
    why = strerror(errno);
    (void)unlink(path); /* it is ours, and of no use */
    return why;
}

const char *
file_replace(const char *path, const char *text, mode_t mode)
{
    auto_char *followed = realpath(path, NULL);
    const char *target = followed != NULL ? followed : path;
    auto_char *fresh = NULL;
    const char *why;
    int fd;

    if (followed == NULL && errno != ENOENT)
        return strerror(errno);
    if (asprintf(&fresh, "%s.XXXXXX", target) < 0) {
        fresh = NULL;
        return out_of_memory;
    }
    fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return strerror(errno);
    if (write_out(fd, text, mode) && rename(fresh, target) == 0)
        return sync_parent(target) ? NULL : strerror(errno);
    why = strerror(errno);
    (void)unlink(fresh); /* it is ours, and of no use */
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
