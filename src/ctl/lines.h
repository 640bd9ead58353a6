// SPDX-License-Identifier: MIT
/* A file of JSON Lines that a command reads, and what is said of its lines. */
#ifndef CTL_LINES_H
#define CTL_LINES_H

#include "base/err.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "setting/jsonl.h"

#include <stdint.h>
#include <stdio.h>

struct ctl_lines {
    const char *name; /* for what is said of it */
    FILE *stream;
    struct jsonl jsonl;
    uint64_t size;             /* bytes */
    struct progress bar;       /* of the bytes that are read */
    struct jsonl_setting last; /* of which only the names are kept */
    uint64_t misplaced;        /* lines that stand behind one that should follow
                                  them */
};

/* path NULL or "-": standard input. What can be read only once is kept in a
 * temporary file meanwhile. Says so if it cannot be read. */
enum ctl_exit ctl_lines_open(struct ctl_lines *lines, const char *path);
void ctl_lines_close(struct ctl_lines *lines);

/* To the first line, with a bar of this label. */
enum ctl_exit ctl_lines_rewind(struct ctl_lines *lines, const char *label);

/*
 * Reads the next setting, and says what is wrong with its line: that it is no
 * setting, or is there twice, or stands behind one that should follow it; of
 * these, only the first is named, and at the end how many there are.
 * ERR_INVALID then, and the next one can be read; ERR_NOTFOUND: there is none.
 * ERR_STORE, ERR_NOMEM: said, too.
 */
enum err ctl_lines_read(struct ctl_lines *lines,
                        struct jsonl_setting *setting_out);

#endif
