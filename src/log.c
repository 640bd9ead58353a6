// SPDX-License-Identifier: MIT
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A longer line is cut, so that one write(2) to a pipe stays atomic. */
#define LINE_MAX_BYTES 2048

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static const char *const level_names[] = {
    [LOG_LEVEL_ERR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_INFO] = "info",
};

/* What may still be added; the closing quote, brace and newline always fit. */
static size_t
line_room(const struct line *line)
{
    size_t used = line->len + 4;

    return used < sizeof(line->text) ? sizeof(line->text) - used : 0;
}

static void
line_add(struct line *line, const char *text, size_t len)
{
    if (len <= line_room(line)) {
        memcpy(line->text + line->len, text, len);
        line->len += len;
    }
}

/* Escapes what JSON requires, and every byte above ASCII: client text may be
 * bad UTF-8, and a log line must stay one line of valid JSON. */
static void
line_add_string(struct line *line, const char *text)
{
    line_add(line, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[8];

        if (byte == '"' || byte == '\\')
            line_add(line, (char[]){'\\', *text}, 2);
        else if (byte >= 0x20 && byte < 0x7f)
            line_add(line, text, 1);
        else
            line_add(line, escaped,
                     (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x",
                                      byte));
    }
    line->text[line->len++] = '"';
}

static void
line_add_field(struct line *line, const struct log_field *field)
{
    char number[24];
    size_t start = line->len;

    /* A field that does not fit with its name is left out as a whole. */
    if (strlen(field->name) + sizeof(number) + 8 > line_room(line))
        return;
    if (start > 1)
        line_add(line, ",", 1);
    line_add_string(line, field->name);
    line_add(line, ":", 1);
    if (!field->is_number)
        line_add_string(line, field->text != NULL ? field->text : "");
    else
        line_add(line, number,
                 (size_t)snprintf(number, sizeof(number), "%lld",
                                  (long long)field->number));
}

void
log_fields(enum log_level level, const char *event,
           const struct log_field *fields)
{
    struct line line = {.text = "{", .len = 1};
    struct timespec now;
    struct tm utc;
    char stamp[40];
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    len = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + len, sizeof(stamp) - len, ".%03ldZ",
             now.tv_nsec / 1000000);

    line_add_field(&line, &(struct log_field)LOG_TEXT("time", stamp));
    line_add_field(&line,
                   &(struct log_field)LOG_TEXT("level", level_names[level]));
    line_add_field(&line, &(struct log_field)LOG_TEXT("event", event));
    line_add_field(&line, &(struct log_field)LOG_NUMBER("pid", getpid()));
    for (; fields->name != NULL; fields++)
        line_add_field(&line, fields);

    line.text[line.len++] = '}';
    line.text[line.len++] = '\n';
    /* Nothing can be done about a log that cannot be written. */
    if (write(STDERR_FILENO, line.text, line.len) < 0)
        return;
}
