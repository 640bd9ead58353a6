// SPDX-License-Identifier: MIT
/* The first and the last words of a process. */
#include "base/log.h"

#include "base/util.h"
#include "lib/log_sink.h"
#include "lib/tap.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 20000 /* lines that no queue holds */

static uint64_t dropped;

static void
count_dropped(uint64_t lines)
{
    dropped += lines;
}

/* The next file would get the number, and the lines. */
static void
a_closed_stderr_is_nobody_elses(void)
{
    int fd;

    close(STDERR_FILENO);
    log_open(false);
    fd = open("/dev/null", O_RDONLY);
    MUST(fd > STDERR_FILENO);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_sink_fill(10);
    log_close();
    MUST(dropped == 0);
}

/* What comes before a log waits no longer than a second. */
static void
a_complaint_does_not_wait_for_long(void)
{
    uint64_t start = now_ns();

    log_complain("%s: no such option", "--x");
    log_sink_assert("orderconf.fcgi: --x: no such option\n");
    for (int i = 0; i < 1000 && seconds_since(start) < 0.5; i++) {
        start = now_ns();
        log_complain("%0500d", i);
    }
    MUST(seconds_since(start) > 0.5);
    MUST(seconds_since(start) < 3);
}

/* Runs body in a process that dies of it. */
static void
crash(void (*body)(void), int number)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(number, SIG_DFL); /* a sanitizer has a handler */
        log_open(false);
        log_queue(LOG_BY_THREAD, NULL);
        body();
        _exit(0);
    }
    MUST(waitpid(pid, &status, 0) == pid);
    MUST(WIFSIGNALED(status));
    MUST(WTERMSIG(status) == number);
}

static void
log_and_abort(void)
{
    log_event(LOG_LEVEL_ERR, "last_words", LOG_NUMBER("n", 1));
    abort();
}

static void
the_last_line_before_abort_gets_out(void)
{
    crash(log_and_abort, SIGABRT);
    log_sink_assert("\"event\":\"last_words\"");
}

static void
log_and_fault(void)
{
    log_event(LOG_LEVEL_ERR, "last_words", LOG_NUMBER("n", 1));
    kill(getpid(), SIGSEGV);
    pause();
}

static void
the_last_line_before_a_fault_gets_out(void)
{
    crash(log_and_fault, SIGSEGV);
    log_sink_assert("\"event\":\"last_words\"");
}

static void
fail_assertion(void)
{
    assert(log_sink_fd < 0);
}

static void
a_failed_assertion_is_a_line(void)
{
    crash(fail_assertion, SIGABRT);
    log_sink_assert("\"event\":\"assertion_failed\"");
}

static void
stall_and_abort(void)
{
    log_sink_fill(MANY);
    abort();
}

static void
a_crash_does_not_wait_for_long(void)
{
    uint64_t start = now_ns();

    crash(stall_and_abort, SIGABRT);
    MUST(seconds_since(start) < 10);
}

int
main(void)
{
    static const struct tap_test tests[] = {
        TAP_TEST(a_closed_stderr_is_nobody_elses),
        TAP_TEST(a_complaint_does_not_wait_for_long),
        TAP_TEST(the_last_line_before_abort_gets_out),
        TAP_TEST(the_last_line_before_a_fault_gets_out),
        TAP_TEST(a_failed_assertion_is_a_line),
        TAP_TEST(a_crash_does_not_wait_for_long),
    };

    return tap_run(tests, ARRAY_SIZE(tests), log_sink_open);
}
