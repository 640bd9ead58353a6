// SPDX-License-Identifier: MIT
#include "base/args.h"

#include "base/number.h"

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
    uint64_t number, factor = 1;
    const char *end = number_scan(text, &number);

    if (end == text)
        return false;
    if (row->kind == ARGS_SIZE && *end != '\0' &&
        (suffix = strchr(suffixes, *end)) != NULL) {
        factor = UINT64_C(1024) << 10 * (suffix - suffixes);
        end++;
    }
    if (*end != '\0' || number > (uint64_t)row->max / factor ||
        number * factor < (uint64_t)row->min)
        return false;
    *number_out = (int64_t)(number * factor);
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

    if (*text == '\0' && row->kind != ARGS_TEXT_OR_EMPTY)
        return refuse(why, "must not be empty");
    if (row->kind == ARGS_TEXT || row->kind == ARGS_TEXT_OR_EMPTY) {
        memcpy(target, &text, sizeof(text));
        return true;
    }
    if (row->kind == ARGS_FLAG)
        return set_flag((bool *)target, text, why);
    if (!read_number(row, text, &number))
        return refuse(
            why,
            row->kind == ARGS_SIZE
                ? "must be from %lld to %lld bytes (K, M, G and T are "
                  "allowed), not \"%s\""
                : "must be a number from %lld to %lld, not \"%s\"",
            (long long)row->min, (long long)row->max, text);
    memcpy(target, &number, sizeof(number));
    return true;
}

/* Takes text as the value of the row, unless a stronger source has set it.
 * where is what the operator wrote: "--map-size", or "FILE:3: ORDERCONF_…". It
 * must be good in any case. */
static bool
take(struct args *args, const struct args_row *row, enum args_source source,
     const char *where, const char *text)
{
    struct args_value *value = &args->values[row - args->rows];
    struct args_row alone = *row;
    char wrong[ARGS_WHY_SIZE];
    union {
        const char *text;
        int64_t number;
        bool flag;
    } unused;

    if (row->kind == ARGS_FOREIGN)
        return true;
    alone.offset = 0;
    if (!args_set(&unused, &alone, text, wrong))
        return refuse(args->why, "%s: %s", where, wrong);
    if (source >= value->source)
        *value = (struct args_value){text, source};
    return true;
}

static const struct args_row *
find_option(const struct args *args, const char *name, size_t len)
{
    for (size_t i = 0; i < args->count; i++) {
        const char *its = args->rows[i].name;

        if (its != NULL && strlen(its) == len && strncmp(its, name, len) == 0)
            return &args->rows[i];
    }
    return NULL;
}

bool
args_read_option(struct args *args, char **argv, int *at)
{
    const char *argument = argv[*at];
    size_t len = strcspn(argument, "=");
    const struct args_row *row = NULL;
    const char *value = "yes";
    char where[64];

    if (strncmp(argument, "--", 2) == 0)
        row = find_option(args, argument + 2, len - 2);
    if (row == NULL)
        return refuse(args->why, "%.*s: no such option, see --help", (int)len,
                      argument);
    if (argument[len] == '=')
        value = argument + len + 1;
    else if (row->kind != ARGS_FLAG)
        value = argv[++*at];
    if (value == NULL)
        return refuse(args->why, "%s: needs a value", argument);
    ++*at;
    snprintf(where, sizeof(where), "--%s", row->name);
    return take(args, row, ARGS_COMMAND, where, value);
}

const struct args_row *
args_find_variable(const struct args_row *rows, size_t count,
                   const char *variable, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        const char *its = rows[i].variable;

        if (its != NULL && strlen(its) == len &&
            strncmp(its, variable, len) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool
read_environment(struct args *args)
{
    for (size_t i = 0; i < args->count; i++) {
        const struct args_row *row = &args->rows[i];
        const char *text = row->variable != NULL ? getenv(row->variable) : NULL;

        if (text != NULL &&
            !take(args, row, ARGS_ENVIRONMENT, row->variable, text))
            return false;
    }
    return true;
}

/* A file cannot tell which one it is. */
static bool
read_line(struct args *args, const struct args_row *path_row, const char *path,
          const struct args_line *line)
{
    const struct args_row *row = args_find_variable(
        args->rows, args->count, line->name, strlen(line->name));
    char where[ARGS_WHY_SIZE];

    snprintf(where, sizeof(where), "%s:%zu: %s", path, line->number,
             line->name);
    if (row == path_row)
        return refuse(args->why, "%s: cannot be set in this file", where);
    if (row == NULL)
        return refuse(args->why, "%s: no such setting", where);
    return take(args, row, ARGS_FILE, where, line->value);
}

bool
args_read_rest(struct args *args, const char *path_variable,
               struct args_file *file_out)
{
    const struct args_row *row = args_find_variable(
        args->rows, args->count, path_variable, strlen(path_variable));
    const struct args_value *value = &args->values[row - args->rows];
    enum args_file_result result;
    struct args_line line;
    const char *path;

    *file_out = (struct args_file){0};
    if (!read_environment(args))
        return false;
    path = value->text != NULL ? value->text : row->initial;
    if (*path == '\0')
        return true;
    if (!args_file_open(file_out, path, value->text == NULL, args->why,
                        sizeof(args->why)))
        return false;
    while ((result = args_file_next(file_out, &line, args->why,
                                    sizeof(args->why))) == ARGS_FILE_LINE)
        if (!read_line(args, row, path, &line))
            return false;
    return result == ARGS_FILE_END;
}

void
args_store(const struct args *args, void *values)
{
    char why[ARGS_WHY_SIZE]; /* never written: what was taken is good */

    for (size_t i = 0; i < args->count; i++) {
        const char *text = args->values[i].text != NULL ? args->values[i].text
                                                        : args->rows[i].initial;

        if (text != NULL && args->rows[i].kind != ARGS_FOREIGN)
            (void)args_set(values, &args->rows[i], text, why);
    }
}

/* Where the help begins. */
#define COLUMN 27

void
args_print(const struct args_row *row, const char *note)
{
    const char *argument = row->argument != NULL ? row->argument : "";
    const char *line = row->help;
    const char *end;

    printf("  --%s %-*s", row->name, COLUMN - 5 - (int)strlen(row->name),
           argument);
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
        printf("%.*s\n%*s", (int)(end - line), line, COLUMN, "");
    printf("%s\n", line);
    if (note != NULL)
        printf("%*s(%s)\n", COLUMN, "", note);
}
