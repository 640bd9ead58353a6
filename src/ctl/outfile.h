// SPDX-License-Identifier: MIT
/* A file that appears, or takes another one's place, when it is complete. */
#ifndef CTL_OUTFILE_H
#define CTL_OUTFILE_H

#include <stdio.h>
#include <sys/types.h>

struct outfile {
    FILE *stream;
    char *path;  /* where it will be */
    char *fresh; /* where it is meanwhile, in the same directory */
};

/* Opens it for writing. NULL, or why it could not, as base/file.h does. A link
 * is followed. */
const char *outfile_open(struct outfile *file, const char *path, mode_t mode);

/* Puts it in its place, on disk. NULL, or why not; then nothing has changed.
 * Ends it in any case. */
const char *outfile_finish(struct outfile *file);

/* Leaves what was there as it was, and ends it. */
void outfile_drop(struct outfile *file);

/* Removes the fresh file of the last one that was opened, unless that has
 * ended. For a process that ends at once: it needs no memory. */
void outfile_abandon(void);

#endif
