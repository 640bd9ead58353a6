// SPDX-License-Identifier: MIT
#include "ctl/command.h"

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "ctl/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

/* A longer message, of a path of twice PATH_MAX, is cut. */
#define MESSAGE_MAX 8192
#define LAST_MS 1000

/* The command whose errors are said; "": none yet. */
static const char *speaker = "";

void
ctl_speak_as(const char *name)
{
    speaker = name;
}

bool
ctl_wait_for_reader(void)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (ctl_interrupt_came())
        return poll(&room, 1, LAST_MS) > 0;
    log_flush();
    return true;
}

static void
complain(const char *format, va_list args)
{
    char text[MESSAGE_MAX];
    size_t len;

    if (!ctl_wait_for_reader())
        return;
    snprintf(text, sizeof(text), "orderconf%s%s: ", *speaker != '\0' ? " " : "",
             speaker);
    len = strlen(text);
    vsnprintf(text + len, sizeof(text) - len - 1, format, args);
    len = strlen(text);
    text[len++] = '\n';
    (void)write_bytes(STDERR_FILENO, text, len); /* nothing can be done */
}

enum ctl_exit
ctl_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    return CTL_FAILED;
}

enum ctl_exit
ctl_fail_lost(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    return CTL_LOST;
}

enum ctl_exit
ctl_fail_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    return CTL_USAGE;
}

/* name is as the user knows it, with prefix before it. */
static enum ctl_exit
read_number(const char *prefix, const char *name, const char *text, long min,
            long max, long *number_out)
{
    uint64_t number;

    if (!number_read(text, (uint64_t)min, (uint64_t)max, &number))
        return ctl_fail_usage("%s%s: must be a number from %ld to %ld, "
                              "not \"%s\"",
                              prefix, name, min, max, text);
    *number_out = (long)number;
    return CTL_OK;
}

enum ctl_exit
ctl_read_number(const char *name, const char *text, long min, long max,
                long *number_out)
{
    return read_number("--", name, text, min, max, number_out);
}

enum ctl_exit
ctl_read_number_operand(const char *name, const char *text, long min, long max,
                        long *number_out)
{
    return read_number("", name, text, min, max, number_out);
}
