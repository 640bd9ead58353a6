// SPDX-License-Identifier: MIT
/*
 * Options of a program, as rows of a table: on the command line, in the
 * environment, in a settings file. The command line wins over the environment,
 * which wins over the file.
 *
 *   struct args_value values[ROWS] = {0};
 *   struct args args = {.rows = rows, .count = ROWS, .values = values};
 *
 *   args_read_option for what is on the command line, args_read_rest, and then
 *   args_store, or the values as they are.
 *
 * What returns false has written what is wrong, and where, into args.why.
 */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include "base/args_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_WHY_SIZE 1024

enum args_kind {
    ARGS_TEXT,
    ARGS_TEXT_OR_EMPTY,
    ARGS_COUNT,
    ARGS_SIZE,   /* bytes, or with K, M, G or T */
    ARGS_FLAG,   /* yes or no; as an option, --name is yes */
    ARGS_FOREIGN /* is for another program, which shares what is read here: it
                    may be anything, and is not read */
};

struct args_row {
    const char *name;     /* "map-size", without its hyphens; NULL: no option */
    const char *variable; /* "ORDERCONF_MAP_SIZE"; NULL: an option only */
    const char *argument; /* its value's name in the help; NULL: none */
    const char *help;     /* may be of several lines */
    enum args_kind kind;
    size_t offset;       /* in the struct of the values */
    int64_t min, max;    /* of a count or size */
    const char *initial; /* value if it is not set; NULL: none */
};

/* By precedence. */
enum args_source { ARGS_NOWHERE, ARGS_FILE, ARGS_ENVIRONMENT, ARGS_COMMAND };

struct args_value {
    const char *text; /* NULL: it is not set; borrowed from where it is */
    enum args_source source;
};

struct args {
    const struct args_row *rows;
    size_t count;
    struct args_value *values; /* one for each row */
    char why[ARGS_WHY_SIZE];
};

/* Reads --name VALUE or --name=VALUE at argv[*at], and moves *at past it. The
 * last one counts. */
bool args_read_option(struct args *args, char **argv, int *at);

/*
 * Reads the environment, and then the settings file. Its path is what the row
 * with this variable is set to; an empty one stands for no file. If it is not
 * set, it is the row's initial, which may be missing. Texts are borrowed from
 * file_out, the caller's to clear, also on failure.
 */
bool args_read_rest(struct args *args, const char *path_variable,
                    struct args_file *file_out);

/* The row of a variable, which may have characters behind its len; NULL if
 * there is none. */
const struct args_row *args_find_variable(const struct args_row *rows,
                                          size_t count, const char *variable,
                                          size_t len);

/* Puts what is set, or else initial, where the rows say. What has neither stays
 * as it is. */
void args_store(const struct args *args, void *values);

/* Puts the value that text is into values, a struct with room for it where the
 * row says. A text is borrowed. False: why says what it must be. */
bool args_set(void *values, const struct args_row *row, const char *text,
              char why[ARGS_WHY_SIZE]);

/* Prints the row as a part of --help, and the note below it, if there is one.
 */
void args_print(const struct args_row *row, const char *note);

#endif
