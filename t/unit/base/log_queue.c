// SPDX-License-Identifier: MIT
/* The log when nobody reads it, or late. */
#include "base/log.h"

#include "base/util.h"
#include "lib/log_sink.h"

#include <criterion/criterion.h>
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

TestSuite(log_queue, .init = log_sink_open, .timeout = 60);

/* Logs more than there is room for, then reads it. */
static void
assert_dropped(void)
{
    struct log_arrived arrived = {0};
    uint64_t start = now_ns();

    log_sink_fill(MANY);
    cr_assert_lt(seconds_since(start), 10);
    log_sink_take(&arrived, 500);
    cr_assert_gt(arrived.lines, 100);
    cr_assert_lt(arrived.lines, MANY);
    cr_assert_eq(arrived.lines + arrived.told, MANY);
    cr_assert_eq(arrived.notes, 1);
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", MANY));
    log_sink_take(&arrived, 500);
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
    struct log_arrived arrived = {0};
    uint64_t start = now_ns();

    log_open(false);
    log_queue(writer, count_dropped);
    log_sink_fill(10);
    log_close();
    cr_assert_lt(seconds_since(start), 0.9);
    log_sink_take(&arrived, 0);
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
    log_sink_fill(1000);
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
    struct log_arrived arrived = {0};
    pid_t child;

    log_open(false);
    log_queue(LOG_BY_CHILD, NULL);
    log_sink_fill(1);
    log_sink_take(&arrived, 300);
    sleep(1); /* not more than one a second */
    cr_assert_not(log_ended(getpid()));
    child = find_child();
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(-1, NULL, 0), child);
    cr_assert(log_ended(child));
    log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", 7));
    log_sink_take(&arrived, 500);
    cr_assert_eq(arrived.last, 7);
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

Test(log_queue, a_patient_one_loses_nothing)
{
    pthread_t reader;

    log_open(false);
    log_queue(LOG_BY_PATIENT_THREAD, count_dropped);
    cr_assert_eq(pthread_create(&reader, NULL, read_late, NULL), 0);
    log_sink_fill(MANY);
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
    log_sink_fill(1);
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
    log_sink_fill(1000);
    alarm(1);
    log_flush();
    cr_assert_lt(seconds_since(start), 20);
}

Test(log_queue, what_cannot_be_written_is_counted)
{
    signal(SIGPIPE, SIG_IGN);
    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    close(log_sink_fd);
    log_sink_fill(5);
    usleep(200000);
    cr_assert_lt(dropped, 6);
    log_sink_fill(1);
    cr_assert_eq(dropped, 5);
    log_close();
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
    log_sink_fd = screen;

    log_open(false);
    log_queue(LOG_BY_THREAD, count_dropped);
    log_sink_fill(MANY);
    cr_assert_gt(dropped, 0);
    cr_assert_eq(tcflow(terminal, TCOON), 0);
    log_sink_take(&late, 500);
    cr_assert_eq(late.lines + late.told, MANY);
    log_close();
}
