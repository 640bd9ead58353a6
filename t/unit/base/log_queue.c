// SPDX-License-Identifier: MIT
/* The log when nobody reads it, or late. */
#include "base/log.h"

#include "base/util.h"
#include "lib/log_sink.h"
#include "lib/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MANY 20000 /* lines that no queue holds */

static uint64_t dropped;

static void
count_dropped(uint64_t lines)
{
    dropped += lines;
}

/* Logs more than there is room for, then reads it. */
static void
assert_dropped(void)
{
    struct log_arrived arrived = {0};
    uint64_t start = now_ns();

    log_sink_fill(MANY);
    MUST(seconds_since(start) < 10);
    log_sink_take(&arrived, 500);
    MUST(arrived.lines > 100);
    MUST(arrived.lines < MANY);
    MUST((arrived.lines + arrived.told) == MANY);
    MUST(arrived.notes == 1);
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", MANY));
    log_sink_take(&arrived, 500);
    MUST(arrived.last == MANY);
}

static void
nobody_waits_for_a_thread_that_cannot_write(void)
{
    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    assert_dropped();
    MUST(dropped > 0);
    log_close();
}

static void
nobody_waits_for_a_child_that_cannot_write(void)
{
    log_open(false);
    log_queue(LOG_BY_CHILD, NULL);
    assert_dropped();
    log_close();
    MUST(waitpid(-1, NULL, WNOHANG) == -1);
}

/* A sink that works gets every line, the last one before log_close returns. */
static void
assert_written(enum log_writer writer)
{
    struct log_arrived arrived = {0};
    uint64_t start = now_ns();

    log_open(false);
    log_queue(writer, count_dropped);
    log_sink_fill(10);
    log_close();
    MUST(seconds_since(start) < 0.9);
    log_sink_take(&arrived, 0);
    MUST(arrived.lines == 10);
    MUST(dropped == 0);
}

static void
the_end_waits_for_the_last_line(void)
{
    assert_written(LOG_BY_THREAD);
}

static void
the_end_waits_for_the_last_line_of_a_child(void)
{
    assert_written(LOG_BY_CHILD);
}

static void
assert_ends(enum log_writer writer)
{
    uint64_t start;

    log_open(false);
    log_queue(writer, NULL);
    log_sink_fill(1000);
    start = now_ns();
    log_close();
    MUST(seconds_since(start) > 0.9);
    MUST(seconds_since(start) < 3);
}

static void
the_end_waits_a_second(void)
{
    assert_ends(LOG_BY_THREAD);
}

static void
the_end_waits_a_second_for_a_child(void)
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
    MUST(file != NULL);
    MUST(fscanf(file, "%d", &child) == 1);
    fclose(file);
    return child;
}

static void
a_child_that_is_killed_is_replaced(void)
{
    struct log_arrived arrived = {0};
    pid_t child;

    log_open(false);
    log_queue(LOG_BY_CHILD, NULL);
    log_sink_fill(1);
    log_sink_take(&arrived, 300);
    sleep(1); /* not more than one a second */
    MUST(!(log_ended(getpid())));
    child = find_child();
    MUST(kill(child, SIGKILL) == 0);
    MUST(waitpid(-1, NULL, 0) == child);
    MUST(log_ended(child));
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", 7));
    log_sink_take(&arrived, 500);
    MUST(arrived.last == 7);
    log_close();
}

static struct log_arrived late;

static void *
read_late(void *unused)
{
    sleep(1);
    log_sink_take(&late, 1000);
    return unused;
}

static void
a_patient_one_loses_nothing(void)
{
    pthread_t reader;

    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, count_dropped);
    MUST(pthread_create(&reader, NULL, read_late, NULL) == 0);
    log_sink_fill(MANY);
    log_flush();
    log_close();
    pthread_join(reader, NULL);
    MUST(late.lines == MANY);
    MUST(late.notes == 0);
    MUST(dropped == 0);
}

/* A non-blocking stderr is somebody else's wish, who shares it. */
static void
flags_of_stderr_are_left_alone(void)
{
    pthread_t reader;
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, NULL);
    log_sink_fill(1);
    log_flush();
    MUST(fcntl(STDERR_FILENO, F_GETFL) == flags);
    MUST(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) == 0);
    MUST(pthread_create(&reader, NULL, read_late, NULL) == 0);
    for (int i = 1; i < MANY; i++)
        log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", i));
    log_flush();
    log_close();
    pthread_join(reader, NULL);
    MUST(late.lines == MANY);
    MUST(fcntl(STDERR_FILENO, F_GETFL) == (flags | O_NONBLOCK));
}

/* It may have come when there was no waiting. */
static void
note_signal(int number)
{
    (void)number;
    alarm(1);
}

static void
a_signal_ends_patience(void)
{
    const struct sigaction action = {.sa_handler = note_signal};
    uint64_t start = now_ns();

    sigaction(SIGALRM, &action, NULL);
    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, NULL);
    log_sink_fill(1000);
    alarm(1);
    log_flush();
    MUST(seconds_since(start) < 20);
}

static void
what_cannot_be_written_is_counted(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    close(log_sink_fd);
    log_sink_fill(5);
    usleep(200000);
    MUST(dropped < 6);
    log_sink_fill(1);
    MUST(dropped == 5);
    log_close();
}

static void
a_terminal_may_be_stopped(void)
{
    struct termios raw;
    int screen = posix_openpt(O_RDWR | O_NOCTTY), terminal;

    MUST(screen >= 0 && grantpt(screen) == 0 && unlockpt(screen) == 0);
    terminal = open(ptsname(screen), O_RDWR | O_NOCTTY);
    MUST(terminal >= 0);
    MUST(tcgetattr(terminal, &raw) == 0);
    cfmakeraw(&raw);
    MUST(tcsetattr(terminal, TCSANOW, &raw) == 0);
    MUST(tcflow(terminal, TCOOFF) == 0);
    MUST(dup2(terminal, STDERR_FILENO) >= 0);
    MUST(fcntl(screen, F_SETFL, O_NONBLOCK) == 0);
    log_sink_fd = screen;

    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_sink_fill(MANY);
    MUST(dropped > 0);
    MUST(tcflow(terminal, TCOON) == 0);
    log_sink_take(&late, 500);
    MUST((late.lines + late.told) == MANY);
    log_close();
}

int
main(void)
{
    static const struct tap_test tests[] = {
        TAP_TEST(nobody_waits_for_a_thread_that_cannot_write),
        TAP_TEST(nobody_waits_for_a_child_that_cannot_write),
        TAP_TEST(the_end_waits_for_the_last_line),
        TAP_TEST(the_end_waits_for_the_last_line_of_a_child),
        TAP_TEST(the_end_waits_a_second),
        TAP_TEST(the_end_waits_a_second_for_a_child),
        TAP_TEST(a_child_that_is_killed_is_replaced),
        TAP_TEST(a_patient_one_loses_nothing),
        TAP_TEST(flags_of_stderr_are_left_alone),
        TAP_TEST(a_signal_ends_patience),
        TAP_TEST(what_cannot_be_written_is_counted),
        TAP_TEST(a_terminal_may_be_stopped),
    };

    return tap_run(tests, ARRAY_SIZE(tests), log_sink_open);
}
