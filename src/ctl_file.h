// SPDX-License-Identifier: MIT
/* Files of the command: read whole, written so that half of one never shows. */
#ifndef CTL_FILE_H
#define CTL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CTL_FILE_MAX ((size_t)1 << 20)

/* Reads a file of at most CTL_FILE_MAX bytes, with a NUL behind it; from
 * malloc. NULL, and errno says why (EFBIG: larger). */
char *ctl_file_read(const char *path, size_t *len_out);

/* Makes a file that must not exist yet, and flushes it. False: errno. */
bool ctl_file_create(const char *path, mode_t mode, const char *text);

/* Puts the text in place of the file, at once or not at all, and flushes it.
 * False: errno, and the file is as it was. */
bool ctl_file_replace(const char *path, mode_t mode, const char *text);

#endif
