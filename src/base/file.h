// SPDX-License-Identifier: MIT
/*
 * Whole files: read, made anew, or replaced so that a reader sees the old
 * content or the new one. Each returns NULL, or why it could not: a static
 * text, in lower case but for strerror's.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/file_id.h"

#include <stddef.h>

/* Reads at most size bytes of a regular file; if *len_out is size, there may
 * be more. *id_out is from before the content, so a later change shows. */
const char *file_read(const char *path, char *text, size_t size,
                      size_t *len_out, struct file_id *id_out);

/* Makes the file, which must not exist, on disk when it returns. */
const char *file_create(const char *path, const char *text, mode_t mode);

/* A file that appears, or takes another one's place, when it is complete. */
struct file_fresh {
    int fd;      /* to write to; the caller neither syncs nor closes it */
    char *path;  /* where it will be */
    char *fresh; /* where it is meanwhile, in the same directory */
};

/* Opens it. A link is followed. */
const char *file_fresh_open(struct file_fresh *file, const char *path,
                            mode_t mode);

/* Puts it in its place, on disk. After a failure what was there still is; or
 * the new one is, but may not outlast a loss of power. Ends it in any case. */
const char *file_fresh_finish(struct file_fresh *file);

/* Leaves what was there as it was, and ends it. Accepts what has ended. */
void file_fresh_drop(struct file_fresh *file);

/* All of that at once: the file's content is text. */
const char *file_replace(const char *path, const char *text, mode_t mode);

/* Puts on disk that the file is where it is: made, or renamed. */
const char *file_sync_parent(const char *path);

/* Keeps others who call it for the same path out until *fd_out is closed. */
const char *file_lock(const char *path, int *fd_out);

#endif
