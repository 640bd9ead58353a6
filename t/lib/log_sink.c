// SPDX-License-Identifier: MIT
#include "log_sink.h"

#include "base/log.h"
#include "base/util.h"
#include "tap.h"

#include <fcntl.h>
#include <jansson.h>

#define SECOND_NS UINT64_C(1000000000)

int log_sink_fd;

void
log_sink_open(void)
{
    int ends[2];

    MUST(pipe2(ends, O_CLOEXEC) == 0);
    MUST(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
    MUST(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    log_sink_fd = ends[0];
    MUST(fcntl(log_sink_fd, F_SETFL, O_NONBLOCK) == 0);
}

void
log_sink_fill(int count)
{
    for (int i = 0; i < count; i++)
        log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", i));
}

static void
take_line(struct log_arrived *arrived, const char *text, size_t len)
{
    json_t *line = json_loadb(text, len, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));
    int64_t n = json_integer_value(json_object_get(line, "n"));

    MUST(event != NULL);
    MUST((json_integer_value(json_object_get(line, "pid"))) == getpid());
    if (strcmp(event, "log_dropped") == 0) {
        arrived->notes++;
        arrived->told +=
            (uint64_t)json_integer_value(json_object_get(line, "lines"));
    } else if (strcmp(event, "numbered") == 0) {
        MUST(arrived->lines == 0 || n > arrived->last);
        arrived->lines++;
        arrived->last = n;
    }
    json_decref(line);
}

void
log_sink_take(struct log_arrived *arrived, int ms)
{
    static char text[65536];
    static size_t len;
    struct pollfd sink = {.fd = log_sink_fd, .events = POLLIN};
    ssize_t got;

    while (poll(&sink, 1, ms) > 0 &&
           (got = read(log_sink_fd, text + len, sizeof(text) - len)) > 0) {
        char *at = text, *end;

        len += (size_t)got;
        while ((end = memchr(at, '\n', len)) != NULL) {
            take_line(arrived, at, (size_t)(end - at));
            len -= (size_t)(end - at) + 1;
            at = end + 1;
        }
        memmove(text, at, len);
    }
}

double
seconds_since(uint64_t start)
{
    return (double)(now_ns() - start) / (double)SECOND_NS;
}

void
log_sink_assert(const char *expected)
{
    char text[8192];
    ssize_t len = read(log_sink_fd, text, sizeof(text) - 1);

    MUST(len > 0);
    text[len] = '\0';
    MUST(strstr(text, expected) != NULL);
}
