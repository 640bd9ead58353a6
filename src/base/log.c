// SPDX-License-Identifier: MIT
#include "base/log.h"

#include "base/number.h"
#include "base/timestamp.h"
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

/* The character at text, of len > 0 bytes, and how many of them it has; a byte
 * that begins none is U+FFFD, REPLACEMENT CHARACTER (RFC 3629). */
static size_t
read_point(const char *text, size_t len, uint32_t *point_out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t size = first < 0x80         ? 1
                  : first >> 5 == 0x06 ? 2
                  : first >> 4 == 0x0e ? 3
                  : first >> 3 == 0x1e ? 4
                                       : SIZE_MAX;
    uint32_t point;

    *point_out = 0xfffd;
    if (size > len)
        return 1;
    point = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
        point = point << 6 | (text[i] & 0x3f);
    }
    if (point < least[size] || point > 0x10ffff || point >> 11 == 0x1b)
        return 1;
    *point_out = point;
    return size;
}

/* As JSON's \uXXXX, which is UTF-16. */
static bool
line_add_escaped(struct line *line, uint32_t point)
{
    char text[16];

    if (point >= 0x10000)
        snprintf(text, sizeof(text), "\\u%04x\\u%04x",
                 0xd7c0 + (unsigned)(point >> 10),
                 0xdc00 + (unsigned)(point & 0x3ff));
    else
        snprintf(text, sizeof(text), "\\u%04x", (unsigned)point);
    return line_add(line, text, strlen(text));
}

static bool
line_add_point(struct line *line, uint32_t point)
{
    if (point == '"' || point == '\\')
        return line_add(line, (char[]){'\\', (char)point}, 2);
    if (point >= 0x20 && point < 0x7f)
        return line_add(line, (char[]){(char)point}, 1);
    return line_add_escaped(line, point);
}

/* Escapes all but ASCII, not only what JSON requires: client text may change
 * what a terminal shows, and may be bad UTF-8. */
static void
line_add_string(struct line *line, const char *text)
{
    size_t len = strlen(text);
    uint32_t point;
    bool fits = line_add(line, "\"", 1);

    while (len > 0 && fits) {
        size_t size = read_point(text, len, &point);

        fits = line_add_point(line, point);
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
