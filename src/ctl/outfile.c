// SPDX-License-Identifier: MIT
#include "ctl/outfile.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>

static const char *unfinished; /* a fresh one, for outfile_abandon */

void
outfile_drop(struct outfile *out)
{
    if (out->stream != NULL)
        (void)fclose(out->stream); /* it is of no use */
    out->stream = NULL;
    file_fresh_drop(&out->file);
    unfinished = NULL;
}

void
outfile_abandon(void)
{
    if (unfinished != NULL)
        (void)unlink(unfinished);
}

/* On a descriptor of its own, which it closes. */
static FILE *
open_stream(int fd)
{
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *stream = own_fd >= 0 ? fdopen(own_fd, "w") : NULL;

    if (stream == NULL)
        close_fd(&own_fd);
    return stream;
}

const char *
outfile_open(struct outfile *out, const char *path, mode_t mode)
{
    const char *why;

    out->stream = NULL;
    why = file_fresh_open(&out->file, path, mode);
    if (why != NULL)
        return why;
    unfinished = out->file.fresh;
    out->stream = open_stream(out->file.fd);
    if (out->stream != NULL)
        return NULL;
    why = strerror(errno);
    outfile_drop(out);
    return why;
}

const char *
outfile_finish(struct outfile *out)
{
    FILE *stream = out->stream;
    const char *why = NULL;
    bool is_good = !ferror(stream);

    out->stream = NULL;
    errno = EIO; /* of a write that failed before, it is not known any more */
    if (fclose(stream) != 0 || !is_good)
        why = strerror(errno);
    if (why != NULL)
        file_fresh_drop(&out->file);
    else
        why = file_fresh_finish(&out->file);
    unfinished = NULL;
    return why;
}
