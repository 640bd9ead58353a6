// SPDX-License-Identifier: MIT
#include "metrics/metrics.h"

#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct metrics_names names = {
    .routes = {{"/a", "GET"}, {"/a", "POST"}},
    .refusals = {[3] = "bad"},
};

static char *scratch, *file;

static void
set_up(void)
{
    scratch = scratch_make();
    file = scratch_path(scratch, "metrics");
    cr_redirect_stderr();
}

static void
tear_down(void)
{
    metrics_close();
    free(file);
    scratch_remove(scratch);
}

TestSuite(metrics, .init = set_up, .fini = tear_down);

static void
open_here(void)
{
    char why[256] = "";

    cr_assert(metrics_open(scratch, &names, why, sizeof(why)), "%s", why);
    cr_assert(metrics_is_shared());
}

/* It cannot be opened, says why, and counting goes on all the same. */
static void
assert_alone(const char *because)
{
    char why[256] = "";

    cr_assert_not(metrics_open(scratch, &names, why, sizeof(why)));
    cr_assert_not_null(strstr(why, because), "%s", why);
    cr_assert_not_null(strstr(why, file), "%s", why);
    cr_assert_not(metrics_is_shared());
    metrics_inc(METRIC_LOST_RACES);
    cr_assert_eq(metrics_sum(METRIC_LOST_RACES), 1);
}

/* Waits for a child that must have ended well. */
static void
reap(pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
}

Test(metrics, without_a_file_a_process_counts_for_itself)
{
    metrics_inc(METRIC_LOST_RACES);
    metrics_add(METRIC_LOST_RACES, 4);
    cr_assert_eq(metrics_sum(METRIC_LOST_RACES), 5);
    cr_assert_not(metrics_is_shared());
}

Test(metrics, what_was_counted_is_there_after_a_restart)
{
    struct stat status;

    open_here();
    cr_assert_eq(stat(file, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0640);
    /* All of its blocks are there, or a full disk would be a SIGBUS. */
    cr_assert_geq(status.st_blocks * 512, status.st_size);
    metrics_inc(METRIC_CACHE_HITS);
    metrics_inc(METRIC_FLUSH_TIMES + METRICS_HISTOGRAM - 1); /* the last */
    metrics_close();
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 0);
    open_here();
    metrics_inc(METRIC_CACHE_HITS);
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 2);
    cr_assert_eq(metrics_sum(METRIC_FLUSH_TIMES + METRICS_HISTOGRAM - 1), 1);
    cr_assert_eq(metrics_sum(METRIC_CACHE_MISSES), 0);
}

Test(metrics, what_was_counted_before_the_file_is_in_the_sum)
{
    metrics_inc(METRIC_CACHE_HITS);
    open_here();
    metrics_inc(METRIC_CACHE_HITS);
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 2);
}

Test(metrics, a_process_that_is_killed_loses_nothing)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        open_here();
        for (int i = 0; i < 1000; i++)
            metrics_inc(METRIC_CACHE_HITS);
        raise(SIGKILL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
    open_here();
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 1000);
}

/* More processes than shards, all of which begin at once. */
Test(metrics, processes_that_begin_at_once_add_up)
{
    enum { PROCESSES = 24, COUNT = 5000 };
    pid_t pids[PROCESSES];
    int gate[2];
    char byte;

    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0)
                _exit(1);
            open_here();
            for (int n = 0; n < COUNT; n++)
                metrics_inc(METRIC_CACHE_MISSES);
            _exit(0);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++)
        reap(pids[i]);
    open_here();
    cr_assert_eq(metrics_sum(METRIC_CACHE_MISSES), PROCESSES * COUNT);
}

/* A process keeps its own file while a program of another layout goes on in
 * a new one. */
Test(metrics, another_layout_begins_anew_and_hurts_nobody)
{
    static const struct metrics_names others[] = {
        {.routes = {{"/a", "GET"}, {"/b", "POST"}}, .refusals = {[3] = "bad"}},
        {.routes = {{"/a", "GET"}, {"/a", "PUT"}}, .refusals = {[3] = "bad"}},
        {.routes = {{"/a", "POST"}, {"/a", "GET"}}, .refusals = {[3] = "bad"}},
        {.routes = {{"/a", "GET"}, {"/a", "POST"}}, .refusals = {[4] = "bad"}},
    };

    open_here();
    metrics_inc(METRIC_CACHE_HITS);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        pid_t pid = fork();

        if (pid == 0) {
            char why[256];

            metrics_close();
            if (!metrics_open(scratch, &others[i], why, sizeof(why)) ||
                metrics_sum(METRIC_CACHE_HITS) != 0)
                _exit(1);
            metrics_inc(METRIC_CACHE_HITS);
            _exit(metrics_sum(METRIC_CACHE_HITS) == 1 ? 0 : 2);
        }
        reap(pid);
    }
    metrics_inc(METRIC_CACHE_HITS);
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 2);
}

static void
spit(off_t at, const char *bytes, size_t len)
{
    int fd = open(file, O_WRONLY);

    cr_assert_eq(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void
assert_made_anew(void)
{
    open_here();
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 0);
    metrics_inc(METRIC_CACHE_HITS);
    metrics_close();
    open_here();
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 1);
    metrics_close();
}

Test(metrics, a_damaged_file_is_made_anew)
{
    struct stat status;

    assert_made_anew();
    cr_assert_eq(stat(file, &status), 0);

    cr_assert_eq(truncate(file, 0), 0);
    assert_made_anew();
    cr_assert_eq(truncate(file, 5), 0);
    assert_made_anew();
    cr_assert_eq(truncate(file, status.st_size - 1), 0);
    assert_made_anew();
    cr_assert_eq(truncate(file, status.st_size + 1), 0);
    assert_made_anew();
    spit(0, "x", 1); /* not ours */
    assert_made_anew();
    spit(9, "x", 1); /* another layout */
    assert_made_anew();
    cr_assert_eq(unlink(file), 0);
    assert_made_anew();
}

Test(metrics, no_directory)
{
    free(file);
    file = scratch_path(scratch, "gone");
    scratch_remove(scratch);
    scratch = file;
    file = scratch_path(scratch, "metrics");
    assert_alone("No such file");
}

Test(metrics, a_directory_in_its_place)
{
    cr_assert_eq(mkdir(file, 0700), 0);
    assert_alone("Is a directory");
}

Test(metrics, a_fifo_in_its_place, .timeout = 10)
{
    cr_assert_eq(mkfifo(file, 0600), 0);
    assert_alone("not a regular file");
}

Test(metrics, a_lock_that_nobody_lets_go_of, .timeout = 10)
{
    int ready[2];
    char byte;
    pid_t pid;

    cr_assert_eq(pipe(ready), 0);
    open_here();
    metrics_close();
    pid = fork();
    if (pid == 0) {
        int fd = open(file, O_RDWR);

        if (flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    assert_alone("temporarily unavailable");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* A file system of a size, in place of scratch. */
static void
mount_or_skip(const char *options)
{
    int flags = CLONE_NEWNS | (geteuid() != 0 ? CLONE_NEWUSER : 0);

    if (unshare(flags) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", scratch, "tmpfs", 0, options) != 0)
        cr_skip_test("not allowed to mount");
}

Test(metrics, a_disk_without_room)
{
    struct stat status;

    mount_or_skip("size=64k");
    assert_alone("No space left");
    cr_assert_eq(stat(file, &status), 0);
    cr_assert_eq(status.st_blocks, 0);
}

Test(metrics, a_file_cut_short_under_our_hands)
{
    open_here();
    metrics_inc(METRIC_CACHE_HITS);
    cr_assert_eq(truncate(file, 0), 0);
    for (unsigned int metric = 0; metric < METRIC_MAX; metric++)
        metrics_inc(metric);
    cr_assert_eq(metrics_sum(METRIC_CACHE_HITS), 1);
    cr_assert_eq(metrics_sum(METRIC_MAX - 1), 1);
    cr_assert_not(metrics_is_shared());
    metrics_close();
}

/* The same, but reading comes first. */
Test(metrics, a_file_cut_short_before_it_is_summed)
{
    open_here();
    cr_assert_eq(truncate(file, 4096), 0);
    cr_assert_eq(metrics_sum(METRIC_MAX - 1), 0);
    cr_assert_not(metrics_is_shared());
}

Test(metrics, a_bus_error_elsewhere_is_still_one, .signal = SIGBUS)
{
    char *other = scratch_path(scratch, "other");
    int fd = open(other, O_RDWR | O_CREAT, 0600);
    volatile char *byte;

    /* Not a sanitizer's handler, which would report what is wanted here. */
    signal(SIGBUS, SIG_DFL);
    open_here();
    byte = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    (void)*byte;
}

Test(metrics, a_bucket_holds_what_its_bound_says)
{
    const unsigned int times = METRIC_FLUSH_TIMES;
    const unsigned int counts = METRIC_COMMIT_WRITES;

    for (unsigned int i = 0; metrics_time_bounds[i] != 0; i++) {
        metrics_observe_time(times, metrics_time_bounds[i]);
        cr_assert_eq(metrics_sum(times + i), i == 0 ? 1 : 2, "%u", i);
        metrics_observe_time(times, metrics_time_bounds[i] + 1);
        cr_assert_eq(metrics_sum(times + i + 1), 1, "%u", i);
    }
    metrics_observe_count(counts, 1024);
    metrics_observe_count(counts, 1025);
    metrics_observe_count(counts, 5000000000);
    cr_assert_eq(metrics_sum(counts + 10), 1);
    cr_assert_eq(metrics_sum(counts + 11), 2);
    cr_assert_eq(metrics_sum(counts + METRICS_BUCKETS_MAX), 5000002049);
}

Test(metrics, a_request_is_counted_in_one_cell_of_its_own)
{
    uint64_t total = 0, statuses = 0;

    for (unsigned int route = 0; route < METRICS_ROUTES_MAX; route++)
        for (unsigned int method = 0; method < METRICS_METHODS_MAX; method++) {
            for (int i = 0; metrics_statuses[i] != 0; i++)
                metrics_request(route, method, metrics_statuses[i], 1);
            metrics_request(route, method, 418, 1);
            metrics_request(route, method, 599, 1);
        }
    for (unsigned int cell = METRIC_REQUESTS; cell < METRIC_REFUSALS; cell++) {
        cr_assert_leq(metrics_sum(cell), 2);
        total += metrics_sum(cell);
    }
    while (metrics_statuses[statuses] != 0)
        statuses++;
    cr_assert_eq(total,
                 METRICS_ROUTES_MAX * METRICS_METHODS_MAX * (statuses + 2));
    cr_assert_eq(metrics_sum(METRIC_REFUSALS), 0);
}
