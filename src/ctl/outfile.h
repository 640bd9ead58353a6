// SPDX-License-Identifier: MIT
/* A stream to a file_fresh of base/file.h, which a command that ends at once
 * does not leave behind. */
#ifndef CTL_OUTFILE_H
#define CTL_OUTFILE_H

#include "base/file.h"

#include <stdio.h>

struct outfile {
    FILE *stream;
    struct file_fresh file;
};

/* As those of file_fresh. */
const char *outfile_open(struct outfile *out, const char *path, mode_t mode);
const char *outfile_finish(struct outfile *out);
void outfile_drop(struct outfile *out);

/* Removes the fresh file of the last one that was opened, unless that has
 * ended. For a process that ends at once: it needs no memory. */
void outfile_abandon(void);

#endif
