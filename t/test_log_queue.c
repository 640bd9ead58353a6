// SPDX-License-Identifier: MIT
/* The log when nobody reads it, or late. */
#include "log.h"
#include "util.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define MANY 20000 /* lines that no queue holds */

static int sink_fd; /* where the lines arrive */
static uint64_t dropped;

static void
count_dropped(uint64_t lines)
{
    dropped += lines;
}

/* stderr is a pipe from now on, of one page. */
static void
set_up(void)
{
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_geq(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    sink_fd = ends[0];
    cr_assert_eq(fcntl(sink_fd, F_SETFL, O_NONBLOCK), 0);
}

TestSuite(log_queue, .init = set_up, .timeout = 60);

static void
log_many(int count)
{
    for (int i = 0; i < count; i++)
        log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", i));
}

/* What has arrived, and whether it is as it should be. */
struct arrived {
    uint64_t lines, notes, told;
    int64_t last; /* number */
};

static void
take_line(struct arrived *arrived, const char *text, size_t len)
{
    json_t *line = json_loadb(text, len, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));
    int64_t n = json_integer_value(json_object_get(line, "n"));

    cr_assert_not_null(event, "%.*s", (int)len, text);
    cr_assert_eq(json_integer_value(json_object_get(line, "pid")), getpid());
    if (strcmp(event, "log_dropped") == 0) {
        arrived->notes++;
        arrived->told +=
            (uint64_t)json_integer_value(json_object_get(line, "lines"));
    } else if (strcmp(event, "numbered") == 0) {
        cr_assert(arrived->lines == 0 || n > arrived->last, "out of order");
        arrived->lines++;
        arrived->last = n;
    }
    json_decref(line);
}

/* Takes what arrives, until nothing has for so long. */
static void
take(struct arrived *arrived, int ms)
{
    static char text[65536];
    static size_t len;
    struct pollfd sink = {.fd = sink_fd, .events = POLLIN};
    ssize_t got;

    while (poll(&sink, 1, ms) > 0 &&
           (got = read(sink_fd, text + len, sizeof(text) - len)) > 0) {
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

static double
seconds_since(uint64_t start)
{
    return (double)(now_ns() - start) / (double)SECOND_NS;
}

/* Logs more than there is room for, then reads it. */
static void
assert_dropped(void)
{
    struct arrived arrived = {0};
    uint64_t start = now_ns();

    log_many(MANY);
    cr_assert_lt(seconds_since(start), 10);
    take(&arrived, 500);
    cr_assert_gt(arrived.lines, 100);
    cr_assert_lt(arrived.lines, MANY);
    cr_assert_eq(arrived.lines + arrived.told, MANY);
    cr_assert_eq(arrived.notes, 1);
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", MANY));
    take(&arrived, 500);
    cr_assert_eq(arrived.last, MANY);
}

Test(log_queue, nobody_waits_for_a_thread_that_cannot_write)
{
    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    assert_dropped();
    cr_assert_gt(dropped, 0);
    log_close();
}

Test(log_queue, nobody_waits_for_a_child_that_cannot_write)
{
    log_open(false);
    log_queue(LOG_BY_CHILD, NULL);
    assert_dropped();
    log_close();
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
}

/* A sink that works gets every line, the last one before log_close returns. */
static void
assert_written(enum log_writer writer)
{
    struct arrived arrived = {0};
    uint64_t start = now_ns();

    log_open(false);
    log_queue(writer, count_dropped);
    log_many(10);
    log_close();
    cr_assert_lt(seconds_since(start), 0.9);
    take(&arrived, 0);
    cr_assert_eq(arrived.lines, 10);
    cr_assert_eq(dropped, 0);
}

Test(log_queue, the_end_waits_for_the_last_line)
{
    assert_written(LOG_BY_THREAD);
}

Test(log_queue, the_end_waits_for_the_last_line_of_a_child)
{
    assert_written(LOG_BY_CHILD);
}

static void
assert_ends(enum log_writer writer)
{
    uint64_t start;

    log_open(false);
    log_queue(writer, NULL);
    log_many(1000);
    start = now_ns();
    log_close();
    cr_assert_gt(seconds_since(start), 0.9);
    cr_assert_lt(seconds_since(start), 3);
}

Test(log_queue, the_end_waits_a_second)
{
    assert_ends(LOG_BY_THREAD);
}

Test(log_queue, the_end_waits_a_second_for_a_child)
{
    assert_ends(LOG_BY_CHILD);
    (void)waitpid(-1, NULL, 0); /* it is being killed */
}

/* This process's only one. */
static pid_t
find_child(void)
{
    char path[64];
    int child = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "re");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

Test(log_queue, a_child_that_is_killed_is_replaced)
{
    struct arrived arrived = {0};
    pid_t child;

    log_open(false);
    log_queue(LOG_BY_CHILD, NULL);
    log_many(1);
    take(&arrived, 300);
    sleep(1); /* not more than one a second */
    cr_assert_not(log_ended(getpid()));
    child = find_child();
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(-1, NULL, 0), child);
    cr_assert(log_ended(child));
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", 7));
    take(&arrived, 500);
    cr_assert_eq(arrived.last, 7);
    log_close();
}

static struct arrived late;

static void *
read_late(void *unused)
{
    sleep(1);
    take(&late, 1000);
    return unused;
}

Test(log_queue, a_patient_one_loses_nothing)
{
    pthread_t reader;

    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, count_dropped);
    cr_assert_eq(pthread_create(&reader, NULL, read_late, NULL), 0);
    log_many(MANY);
    log_flush();
    log_close();
    pthread_join(reader, NULL);
    cr_assert_eq(late.lines, MANY);
    cr_assert_eq(late.notes, 0);
    cr_assert_eq(dropped, 0);
}

/* A non-blocking stderr is somebody else's wish, who shares it. */
Test(log_queue, flags_of_stderr_are_left_alone)
{
    pthread_t reader;
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, NULL);
    log_many(1);
    log_flush();
    cr_assert_eq(fcntl(STDERR_FILENO, F_GETFL), flags);
    cr_assert_eq(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
    cr_assert_eq(pthread_create(&reader, NULL, read_late, NULL), 0);
    for (int i = 1; i < MANY; i++)
        log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", i));
    log_flush();
    log_close();
    pthread_join(reader, NULL);
    cr_assert_eq(late.lines, MANY);
    cr_assert_eq(fcntl(STDERR_FILENO, F_GETFL), flags | O_NONBLOCK);
}

/* The text of what arrived. */
static void
assert_arrived(const char *expected)
{
    char text[8192];
    ssize_t len = read(sink_fd, text, sizeof(text) - 1);

    cr_assert_gt(len, 0);
    text[len] = '\0';
    cr_assert_not_null(strstr(text, expected), "%s", text);
}

/* The next file would get the number, and the lines. */
Test(log_queue, a_closed_stderr_is_nobody_elses)
{
    int fd;

    close(STDERR_FILENO);
    log_open(false);
    fd = open("/dev/null", O_RDONLY);
    cr_assert_gt(fd, STDERR_FILENO);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_many(10);
    log_close();
    cr_assert_eq(dropped, 0);
}

/* What comes before a log waits no longer than a second. */
Test(log_queue, a_complaint_does_not_wait_for_long)
{
    uint64_t start = now_ns();

    log_complain("%s: no such option", "--x");
    assert_arrived("orderconf.fcgi: --x: no such option\n");
    for (int i = 0; i < 1000 && seconds_since(start) < 0.5; i++) {
        start = now_ns();
        log_complain("%0500d", i);
    }
    cr_assert_gt(seconds_since(start), 0.5);
    cr_assert_lt(seconds_since(start), 3);
}

/* It may have come when there was no waiting. */
static void
note_signal(int number)
{
    (void)number;
    alarm(1);
}

Test(log_queue, a_signal_ends_patience)
{
    const struct sigaction action = {.sa_handler = note_signal};
    uint64_t start = now_ns();

    sigaction(SIGALRM, &action, NULL);
    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, NULL);
    log_many(1000);
    alarm(1);
    log_flush();
    cr_assert_lt(seconds_since(start), 20);
}

Test(log_queue, what_cannot_be_written_is_counted)
{
    signal(SIGPIPE, SIG_IGN);
    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    close(sink_fd);
    log_many(5);
    usleep(200000);
    cr_assert_lt(dropped, 6);
    log_many(1);
    cr_assert_eq(dropped, 5);
    log_close();
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

Test(log_queue, the_last_line_before_abort_gets_out)
{
    crash(log_and_abort, SIGABRT);
    assert_arrived("\"event\":\"last_words\"");
}

static void
log_and_fault(void)
{
    log_event(LOG_LEVEL_ERR, "last_words", LOG_NUMBER("n", 1));
    kill(getpid(), SIGSEGV);
    pause();
}

Test(log_queue, the_last_line_before_a_fault_gets_out)
{
    crash(log_and_fault, SIGSEGV);
    assert_arrived("\"event\":\"last_words\"");
}

static void
fail_assertion(void)
{
    assert(sink_fd < 0);
}

Test(log_queue, a_failed_assertion_is_a_line)
{
    crash(fail_assertion, SIGABRT);
    assert_arrived("\"event\":\"assertion_failed\"");
}

static void
stall_and_abort(void)
{
    log_many(MANY);
    abort();
}

Test(log_queue, a_crash_does_not_wait_for_long)
{
    uint64_t start = now_ns();

    crash(stall_and_abort, SIGABRT);
    cr_assert_lt(seconds_since(start), 10);
}

Test(log_queue, a_terminal_may_be_stopped)
{
    struct termios raw;
    int screen = posix_openpt(O_RDWR | O_NOCTTY), terminal;

    cr_assert(screen >= 0 && grantpt(screen) == 0 && unlockpt(screen) == 0);
    terminal = open(ptsname(screen), O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0);
    cr_assert_eq(tcgetattr(terminal, &raw), 0);
    cfmakeraw(&raw);
    cr_assert_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
    cr_assert_eq(tcflow(terminal, TCOOFF), 0);
    cr_assert_geq(dup2(terminal, STDERR_FILENO), 0);
    cr_assert_eq(fcntl(screen, F_SETFL, O_NONBLOCK), 0);
    sink_fd = screen;

    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_many(MANY);
    cr_assert_gt(dropped, 0);
    cr_assert_eq(tcflow(terminal, TCOON), 0);
    take(&late, 500);
    cr_assert_eq(late.lines + late.told, MANY);
    log_close();
}
