// SPDX-License-Identifier: MIT
#include "base/args_file.h"

#include "base/file.h"
#include "base/util.h"

#include <stdio.h>

/* Between names, values and lines; a carriage return is no end of a line. */
#define BLANKS " \t\r"

/* What a backslash escapes within double quotes; before others it stands for
 * itself, as in a POSIX shell. */
#define ESCAPED "\"\\`$"

/* One character after the other goes out where it came from, or before. */
struct cursor {
    char *in, *out;
    size_t line;
};

bool
args_file_open(struct args_file *file, const char *path, bool may_miss,
               char *why, size_t why_size)
{
    const char *wrong = "out of memory";
    struct file_id id;
    size_t len = 0;

    *file = (struct args_file){.path = path, .line = 1};
    if (may_miss && access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    file->text = malloc(ARGS_FILE_MAX + 1);
    if (file->text != NULL)
        wrong = file_read(path, file->text, ARGS_FILE_MAX + 1, &len, &id);
    if (wrong == NULL && len > ARGS_FILE_MAX)
        wrong = "is larger than 64 KiB";
    if (wrong == NULL && memchr(file->text, '\0', len) != NULL)
        wrong = "has a NUL in it";
    if (wrong != NULL) {
        snprintf(why, why_size, "%s: %s", path, wrong);
        args_file_clear(file);
        return false;
    }
    file->text[len] = '\0';
    file->next = file->text;
    return true;
}

/* True at the end of a line, of the last one too. */
static bool
is_end(const char *at)
{
    return *at == '\n' || *at == '\0';
}

/* Moves past empty lines, comments, and blanks before a name. */
static void
skip_to_name(struct args_file *file)
{
    for (;;) {
        file->next += strspn(file->next, BLANKS);
        if (*file->next == '#' || *file->next == ';')
            file->next += strcspn(file->next, "\n");
        if (*file->next != '\n')
            return;
        file->next++;
        file->line++;
    }
}

/* The length of the name at text, or 0: it is no setting's. */
static size_t
name_len(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    size_t prefix = strlen(ARGS_PREFIX);

    return len > prefix && strncmp(text, ARGS_PREFIX, prefix) == 0 ? len : 0;
}

/* Takes the character at in, which may end a line. */
static void
take(struct cursor *at)
{
    at->line += *at->in == '\n';
    *at->out++ = *at->in++;
}

/* Passes a backslash over; true if the newline behind it went along. */
static bool
skip_backslash(struct cursor *at)
{
    at->in++;
    if (*at->in != '\n')
        return false;
    at->in++;
    at->line++;
    return true;
}

/* Up to the quote that the value began with. NULL, or what is wrong. */
static const char *
read_quoted(struct cursor *at)
{
    char quote = *at->in++;

    while (*at->in != quote) {
        if (*at->in == '\0')
            return "the quote is not closed";
        if (*at->in == '\\' && quote == '"') {
            if (at->in[1] != '\n' && strchr(ESCAPED, at->in[1]) == NULL)
                take(at);
            else if (skip_backslash(at))
                continue;
        }
        if (*at->in != '\0')
            take(at);
    }
    at->in++;
    at->in += strspn(at->in, BLANKS);
    return is_end(at->in) ? NULL : "text follows the closing quote";
}

/* Up to the end of the line, without the blanks there. */
static void
read_plain(struct cursor *at)
{
    char *end = at->out; /* behind the last character that is to stay */

    while (!is_end(at->in)) {
        bool is_blank = strchr(BLANKS, *at->in) != NULL;

        if (*at->in == '\\') {
            if (skip_backslash(at) || *at->in == '\0')
                continue;
            is_blank = false;
        }
        take(at);
        if (!is_blank)
            end = at->out;
    }
    at->out = end;
}

/* Reads the value at next, and ends it with a NUL. NULL, or what is wrong. */
static const char *
read_value(struct args_file *file, const char **value_out)
{
    char *value = file->next + strspn(file->next, BLANKS);
    struct cursor at = {.in = value, .out = value, .line = file->line};
    const char *wrong = NULL;

    if (*at.in == '"' || *at.in == '\'')
        wrong = read_quoted(&at);
    else
        read_plain(&at);
    if (wrong != NULL)
        return wrong;
    if (*at.in == '\n') {
        at.in++;
        at.line++;
    }
    *at.out = '\0'; /* in the place of the newline, or before it */
    file->next = at.in;
    file->line = at.line;
    *value_out = value;
    return NULL;
}

enum args_file_result
args_file_next(struct args_file *file, struct args_line *line_out, char *why,
               size_t why_size)
{
    struct args_line line = {.number = file->line};
    const char *wrong = "is not " ARGS_PREFIX "NAME=VALUE";
    size_t len;
    char *equals;

    if (file->next == NULL)
        return ARGS_FILE_END;
    skip_to_name(file);
    if (*file->next == '\0')
        return ARGS_FILE_END;
    line.number = file->line;
    line.name = file->next;
    len = name_len(file->next);
    equals = file->next + len + strspn(file->next + len, BLANKS);
    if (len > 0 && *equals == '=') {
        file->next[len] = '\0';
        file->next = equals + 1;
        wrong = read_value(file, &line.value);
    }
    if (wrong != NULL) {
        snprintf(why, why_size, "%s:%zu: %s", file->path, line.number, wrong);
        return ARGS_FILE_WRONG;
    }
    *line_out = line;
    return ARGS_FILE_LINE;
}

void
args_file_clear(struct args_file *file)
{
    free(file->text);
    file->text = NULL;
    file->next = NULL;
}
