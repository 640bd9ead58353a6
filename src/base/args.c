// SPDX-License-Identifier: MIT
#include "base/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole number, for a size with a suffix of K, M, G or T. */
static bool
read_number(const struct args_row *row, const char *text, int64_t *number_out)
{
    static const char suffixes[] = "KMGT";
    const char *suffix;
    char *end;
    int64_t number, factor = 1;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    if (row->kind == ARGS_SIZE && *end != '\0' &&
        (suffix = strchr(suffixes, *end)) != NULL) {
        factor = INT64_C(1024) << 10 * (suffix - suffixes);
        end++;
    }
    if (*end != '\0' || number > row->max / factor ||
        number * factor < row->min)
        return false;
    *number_out = number * factor;
    return true;
}

/* Writes why a value is refused; false. */
static bool
refuse(char why[ARGS_WHY_SIZE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, ARGS_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool
set_flag(bool *target, const char *text, char why[ARGS_WHY_SIZE])
{
    *target = strcmp(text, "yes") == 0;
    if (*target || strcmp(text, "no") == 0)
        return true;
    return refuse(why, "must be yes or no, not \"%s\"", text);
}

bool
args_set(void *values, const struct args_row *row, const char *text,
         char why[ARGS_WHY_SIZE])
{
    char *target = (char *)values + row->offset;
    int64_t number;

    if (*text == '\0')
        return refuse(why, "must not be empty");
    if (row->kind == ARGS_TEXT) {
        memcpy(target, &text, sizeof(text));
        return true;
    }
    if (row->kind == ARGS_FLAG)
        return set_flag((bool *)target, text, why);
    if (!read_number(row, text, &number))
        return refuse(why, "must be a number from %lld to %lld%s, not \"%s\"",
                      (long long)row->min, (long long)row->max,
                      row->kind == ARGS_SIZE ? ", K, M, G or T behind it" : "",
                      text);
    memcpy(target, &number, sizeof(number));
    return true;
}
