// SPDX-License-Identifier: MIT
/*
 * What an option is called and may be, as a row of a table, and where its value
 * goes.
 */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_WHY_SIZE 256

enum args_kind { ARGS_TEXT, ARGS_COUNT, ARGS_SIZE, ARGS_FLAG };

struct args_row {
    const char *name; /* "map-size"; in the environment ORDERCONF_MAP_SIZE */
    const char *argument;
    const char *help;
    enum args_kind kind;
    size_t offset;       /* in the struct of the values */
    int64_t min, max;    /* of a count or size */
    const char *initial; /* value if it is not set; NULL: none */
};

/* Puts the value that text is into values, a struct with room for it where the
 * row says. A text is borrowed. False: why says what it must be. */
bool args_set(void *values, const struct args_row *row, const char *text,
              char why[ARGS_WHY_SIZE]);

#endif
