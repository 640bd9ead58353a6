// SPDX-License-Identifier: MIT
#include "ctl/outfile.h"

#include "base/file.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *unfinished; /* a fresh one, for outfile_abandon */

static void
forget(struct outfile *file)
{
    if (unfinished == file->fresh)
        unfinished = NULL;
    free(file->path);
    free(file->fresh);
    *file = (struct outfile){.stream = NULL};
}

void
outfile_drop(struct outfile *file)
{
    if (file->stream != NULL)
        (void)fclose(file->stream); /* it is of no use */
    if (file->fresh != NULL)
        (void)unlink(file->fresh);
    forget(file);
}

void
outfile_abandon(void)
{
    if (unfinished != NULL)
        (void)unlink(unfinished);
}

/* Names both, and opens the fresh one. False: errno says why. */
static bool
open_fresh(struct outfile *file, const char *path, mode_t mode)
{
    int fd;

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
    fd = mkostemp(file->fresh, O_CLOEXEC);
    if (fd < 0) {
        free(file->fresh);
        file->fresh = NULL;
        return false;
    }
    unfinished = file->fresh;
    file->stream = fdopen(fd, "w");
    if (file->stream == NULL)
        close(fd);
    return file->stream != NULL && fchmod(fd, mode) == 0;
}

const char *
outfile_open(struct outfile *file, const char *path, mode_t mode)
{
    struct stat there;
    const char *why;

    *file = (struct outfile){.stream = NULL};
    /* A device or a pipe is no place for a file. */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return "is not a regular file";
    if (open_fresh(file, path, mode))
        return NULL;
    why = strerror(errno);
    outfile_drop(file);
    return why;
}

/* Closes it in any case. */
static bool
close_stream(struct outfile *file)
{
    FILE *stream = file->stream;
    bool is_good =
        !ferror(stream) && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    int error = errno;

    file->stream = NULL;
    if (fclose(stream) != 0)
        return false;
    errno = error;
    return is_good;
}

const char *
outfile_finish(struct outfile *file)
{
    const char *why = NULL;

    errno = EIO; /* of a write that failed before, it is not known any more */
    if (!close_stream(file) || rename(file->fresh, file->path) != 0) {
        why = strerror(errno);
        outfile_drop(file);
        return why;
    }
    why = file_sync_parent(file->path);
    forget(file);
    return why;
}
