// SPDX-License-Identifier: MIT
/* The first and the last words of a process. */
#include "base/log.h"

#include "base/util.h"
#include "lib/log_sink.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 20000 /* lines that no queue holds */

TestSuite(log_crash, .init = log_sink_open, .timeout = 60);

static uint64_t dropped;

static void
count_dropped(uint64_t lines)
{
    dropped += lines;
}

/* The next file would get the number, and the lines. */
Test(log_crash, a_closed_stderr_is_nobody_elses)
{
    int fd;

    close(STDERR_FILENO);
    log_open(false);
    fd = open("/dev/null", O_RDONLY);
    cr_assert_gt(fd, STDERR_FILENO);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_sink_fill(10);
    log_close();
    cr_assert_eq(dropped, 0);
}

/* What comes before a log waits no longer than a second. */
Test(log_crash, a_complaint_does_not_wait_for_long)
{
    uint64_t start = now_ns();

    log_complain("%s: no such option", "--x");
    log_sink_assert("orderconf.fcgi: --x: no such option\n");
    for (int i = 0; i < 1000 && seconds_since(start) < 0.5; i++) {
        start = now_ns();
        log_complain("%0500d", i);
    }
    cr_assert_gt(seconds_since(start), 0.5);
    cr_assert_lt(seconds_since(start), 3);
}

/* Runs body in a process that dies of it. */
static void
crash(void (*body)(void), int number)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(number, SIG_DFL); /* Criterion has a handler */
        log_open(false);
        log_queue(LOG_BY_THREAD, NULL);
        body();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status), "status %d", status);
    cr_assert_eq(WTERMSIG(status), number);
}

static void
log_and_abort(void)
{
    log_event(LOG_LEVEL_ERR, "last_words", LOG_NUMBER("n", 1));
    abort();
}

Test(log_crash, the_last_line_before_abort_gets_out)
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

Test(log_crash, the_last_line_before_a_fault_gets_out)
{
    crash(log_and_fault, SIGSEGV);
    log_sink_assert("\"event\":\"last_words\"");
}

static void
fail_assertion(void)
{
    assert(log_sink_fd < 0);
}

Test(log_crash, a_failed_assertion_is_a_line)
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

Test(log_crash, a_crash_does_not_wait_for_long)
{
    uint64_t start = now_ns();

    crash(stall_and_abort, SIGABRT);
    cr_assert_lt(seconds_since(start), 10);
}
