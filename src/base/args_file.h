// SPDX-License-Identifier: MIT
/*
 * The settings file: lines of NAME=VALUE, as systemd reads an EnvironmentFile=
 * (systemd.exec(5)), but that whatever is no such line is an error. The grammar
 * is in orderconf.fcgi(8), SETTINGS FILE.
 */
#ifndef BASE_ARGS_FILE_H
#define BASE_ARGS_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* What the name of every setting begins with. */
#define ARGS_PREFIX "ORDERCONF_"

#define ARGS_FILE_MAX 65536 /* bytes */

struct args_file {
    const char *path; /* borrowed */
    char *text;       /* owned; the lines point into it. NULL: no file */
    char *next;       /* what has not been read yet */
    size_t line;      /* where that is, from 1 */
};

struct args_line {
    const char *name, *value;
    size_t number; /* of its first line in the file */
};

enum args_file_result { ARGS_FILE_LINE, ARGS_FILE_END, ARGS_FILE_WRONG };

/*
 * Reads the file, a regular one. If there is none and it may be missing, it is
 * like an empty one. False: why names the file and what is wrong.
 */
bool args_file_open(struct args_file *file, const char *path, bool may_miss,
                    char *why, size_t why_size);

/* The next setting. ARGS_FILE_WRONG: why names file and line, and holds nothing
 * of what stands there: it may be a secret in the wrong place. */
enum args_file_result args_file_next(struct args_file *file,
                                     struct args_line *line_out, char *why,
                                     size_t why_size);

/* Frees the text, and so all lines. */
void args_file_clear(struct args_file *file);

#endif
