// SPDX-License-Identifier: MIT
#include "base/log.h"

#include "base/number.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "base/util.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* A longer line is cut, so that one write(2) to a pipe stays atomic
 * (PIPE_BUF). The longest that the service has in mind is "stored", with a
 * subject of 255 bytes that are all escaped. */
#define LINE_MAX_BYTES PIPE_BUF

#define COMPLAIN_MS 1000

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static const struct {
    const char *name;
    int priority;       /* syslog's */
    const char *prefix; /* the journal's */
} levels[] = {
    [LOG_LEVEL_ERR] = {"error", LOG_ERR, "<3>"},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING, "<4>"},
    [LOG_LEVEL_NOTICE] = {"notice", LOG_NOTICE, "<5>"},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO, "<6>"},
};

static enum { TO_STDERR, TO_JOURNAL, TO_SYSLOG } target;

/* Whose lines they are, whoever writes them. 0: not opened. */
static pid_t owner;

/* What may still be added; the closing quote, brace and newline always fit. */
static size_t
line_room(const struct line *line)
{
    size_t used = line->len + 4;

    return used < sizeof(line->text) ? sizeof(line->text) - used : 0;
}

/* False if it does not fit. */
static bool
line_add(struct line *line, const char *text, size_t len)
{
    if (len > line_room(line))
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

/* Escapes all but ASCII, not only what JSON requires: client text may change
 * what a terminal shows, and may be bad UTF-8. */
static void
line_add_string(struct line *line, const char *text)
{
    size_t len = strlen(text);
    char escaped[UTF8_JSON_MAX];
    uint32_t point;
    bool fits = line_add(line, "\"", 1);

    while (len > 0 && fits) {
        size_t size = utf8_read(text, len, &point);

        fits = line_add(line, escaped, utf8_put_json(escaped, point, true));
        text += size;
        len -= size;
    }
    line->text[line->len++] = '"';
}

static void
line_add_field(struct line *line, const struct log_field *field)
{
    char number[NUMBER_SIZE];
    const char *digits;

    /* A field that does not fit with its name is left out as a whole. */
    if (strlen(field->name) + sizeof(number) + 8 > line_room(line))
        return;
    if (line->text[line->len - 1] != '{')
        line_add(line, ",", 1);
    line_add_string(line, field->name);
    line_add(line, ":", 1);
    if (!field->is_number) {
        line_add_string(line, field->text != NULL ? field->text : "");
        return;
    }
    if (field->number < 0)
        line_add(line, "-", 1);
    digits = number_text(number, field->number < 0 ? -(uint64_t)field->number
                                                   : (uint64_t)field->number);
    line_add(line, digits, strlen(digits));
}

/* {"time":…,"level":…,…} without a newline. */
static void
line_fill(struct line *line, enum log_level level, const char *event,
          const struct log_field *fields)
{
    struct timespec now;
    char stamp[TIMESTAMP_MS_LEN + 1];

    clock_gettime(CLOCK_REALTIME, &now);
    *timestamp_put_ms(stamp, &now) = '\0';

    line->text[line->len++] = '{';
    line_add_field(line, &(struct log_field)LOG_TEXT("time", stamp));
    line_add_field(line,
                   &(struct log_field)LOG_TEXT("level", levels[level].name));
    line_add_field(line, &(struct log_field)LOG_TEXT("event", event));
    line_add_field(line, &(struct log_field)LOG_NUMBER(
                             "pid", owner > 0 ? owner : getpid()));
    for (; fields->name != NULL; fields++)
        line_add_field(line, fields);
    line->text[line->len++] = '}';
}

/* True if JOURNAL_STREAM names what stderr is: somebody may have redirected
 * it since (systemd.exec(5)). */
static bool
is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat file;
    char own[48];

    if (stream == NULL || fstat(STDERR_FILENO, &file) != 0)
        return false;
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)file.st_dev,
             (unsigned long long)file.st_ino);
    return strcmp(stream, own) == 0;
}

/* Of each line, "<3>" is its priority. */
static bool
write_syslog(const char *lines, size_t len)
{
    const char *end = lines + len;

    while (lines < end) {
        const char *newline = memchr(lines, '\n', (size_t)(end - lines));

        syslog(lines[1] - '0', "%.*s", (int)(newline - lines - 3), lines + 3);
        lines = newline + 1;
    }
    return true;
}

static bool
write_lines(const char *lines, size_t len)
{
    return target == TO_SYSLOG ? write_syslog(lines, len)
                               : write_bytes(STDERR_FILENO, lines, len);
}

/* The whole line, as write_lines takes it. */
static void
line_make(struct line *line, enum log_level level, const char *event,
          const struct log_field *fields)
{
    const char *prefix = target == TO_STDERR ? "" : levels[level].prefix;

    line->len = strlen(prefix);
    memcpy(line->text, prefix, line->len);
    line_fill(line, level, event, fields);
    line->text[line->len++] = '\n';
}

static bool
write_dropped(uint64_t lines)
{
    struct line line;

    line_make(
        &line, LOG_LEVEL_WARNING, "log_dropped",
        (const struct log_field[]){LOG_NUMBER("lines", (int64_t)lines), {0}});
    return write_lines(line.text, line.len);
}

/* A number that was left free would be the next file's: the store's. */
static void
open_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void
log_open(bool to_syslog)
{
    open_standard_fds();
    owner = getpid();
    target = to_syslog ? TO_SYSLOG : is_journal() ? TO_JOURNAL : TO_STDERR;
    /* It is whoever writes that is connected to it. */
    if (to_syslog)
        openlog(program_invocation_short_name, LOG_PID, LOG_DAEMON);
}

void
log_complain(const char *format, ...)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    char text[PIPE_BUF];
    va_list args;
    size_t len;

    len = (size_t)snprintf(text, sizeof(text), "orderconf.fcgi: ");
    va_start(args, format);
    vsnprintf(text + len, sizeof(text) - len - 1, format, args);
    va_end(args);
    len = strlen(text);
    text[len++] = '\n';
    if (poll(&room, 1, COMPLAIN_MS) > 0)
        (void)!write(STDERR_FILENO, text, len); /* nothing can be done */
}

void
log_queue(enum log_writer writer, log_dropped_fn *dropped)
{
    const struct log_queue_calls calls = {.write = write_lines,
                                          .write_dropped = write_dropped,
                                          .dropped = dropped};

    if (!log_queue_open(writer, &calls))
        log_event(LOG_LEVEL_WARNING, "log_not_queued",
                  LOG_TEXT("reason", strerror(errno)));
}

void
log_flush(void)
{
    log_queue_flush();
}

void
log_close(void)
{
    log_queue_close();
}

bool
log_ended(pid_t pid)
{
    if (!log_queue_ended(pid))
        return false;
    log_event(LOG_LEVEL_WARNING, "log_writer_ended", LOG_NUMBER("writer", pid));
    return true;
}

void
log_fields(enum log_level level, const char *event,
           const struct log_field *fields)
{
    int error = errno;
    struct line line;

    line_make(&line, level, event, fields);
    if (!log_queue_put(line.text, line.len))
        (void)write_lines(line.text, line.len); /* nothing can be done */
    errno = error;
}

/* In the place of glibc's, which writes to stderr, and so waits for whoever
 * reads it; some libraries end that way when they are refused memory. */
void
__assert_fail(const char *assertion, const char *file, unsigned int number,
              const char *function)
{
    log_event(LOG_LEVEL_ERR, "assertion_failed",
              LOG_TEXT("assertion", assertion), LOG_TEXT("file", file),
              LOG_NUMBER("line", number), LOG_TEXT("function", function));
    abort();
}
