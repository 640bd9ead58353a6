// SPDX-License-Identifier: MIT
#include "ctl_file.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

char *
ctl_file_read(const char *path, size_t *len_out)
{
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd >= 0 ? malloc(CTL_FILE_MAX + 1) : NULL;
    size_t len = 0;
    ssize_t got = 1;

    while (text != NULL && len <= CTL_FILE_MAX && got != 0) {
        got = read(fd, text + len, CTL_FILE_MAX + 1 - len);
        if (got < 0 && errno != EINTR) {
            free(text);
            return NULL;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    if (text != NULL && len > CTL_FILE_MAX) {
        free(text);
        errno = EFBIG;
        return NULL;
    }
    if (text != NULL) {
        text[len] = '\0';
        *len_out = len;
    }
    return text;
}

static bool
write_all(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t written = write(fd, text, len);

        if (written < 0 && errno != EINTR)
            return false;
        text += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return fsync(fd) == 0;
}

/* Removes the path if it is not what it should be; errno stays. */
static bool
keep_if(bool is_good, const char *path)
{
    int reason = errno;

    if (!is_good)
        (void)unlink(path);
    errno = reason;
    return is_good;
}

bool
ctl_file_create(const char *path, mode_t mode, const char *text)
{
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    return fd >= 0 && keep_if(write_all(fd, text), path);
}

/* A rename is on the disk when its directory is. */
static bool
flush_directory(const char *path)
{
    auto_char *copy = strdup(path);
    auto_fd fd = copy != NULL
                     ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                     : -1;

    return fd >= 0 && fsync(fd) == 0;
}

bool
ctl_file_replace(const char *path, mode_t mode, const char *text)
{
    auto_char *draft = NULL;
    auto_fd fd = -1;

    if (asprintf(&draft, "%s.XXXXXX", path) < 0) {
        draft = NULL;
        errno = ENOMEM;
        return false;
    }
    fd = mkostemp(draft, O_CLOEXEC);
    return fd >= 0 &&
           keep_if(fchmod(fd, mode) == 0 && write_all(fd, text) &&
                       rename(draft, path) == 0,
                   draft) &&
           flush_directory(path);
}
