// SPDX-License-Identifier: MIT
/* What becomes of a version's time when the clock is wrong. */
#include "lib/store_both.h"

#include "lib/log_sink.h"

#include <time.h>
#include <unistd.h>

/* Set back and forth by tests: the program's own time() comes before libc's. */
static time_t clock_offset;

time_t
time(time_t *now_out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += clock_offset;
    if (now_out != NULL)
        *now_out = now.tv_sec;
    return now.tv_sec;
}

static int64_t
time_of(struct store *store)
{
    struct record record;
    int64_t updated_at;

    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    updated_at = record.updated_at;
    record_clear(&record);
    return updated_at;
}

/* Stores a version when the clock is wrong by that; returns its time. */
static int64_t
time_stored(struct store *store, time_t offset)
{
    struct store_write write = write_of("acme", "timer", "1");

    clock_offset = offset;
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(time_of(store), write.updated_at);
    return write.updated_at;
}

STORE_TEST(the_time_is_now)
{
    int64_t before = time(NULL), stored = time_stored(store, 0);

    cr_expect(stored >= before && stored <= time(NULL));
    cr_expect_geq(time_stored(store, 3600), before + 3600);
}

/* As clocks are set right all the time. */
STORE_TEST(a_small_step_back_is_bridged)
{
    int64_t first = time_stored(store, 0);

    cr_expect_eq(time_stored(store, -5), first);
    cr_expect_eq(time_stored(store, -50), first);
    cr_expect_geq(time_stored(store, 0), first);
}

/* A clock that was ahead once. */
STORE_TEST(a_time_from_the_future_ends_with_the_next_version)
{
    static const time_t year = 400 * 86400;
    int64_t ahead = time_stored(store, year);
    int64_t before = time_stored(store, 0);

    cr_expect_leq(before, ahead - year + 60);
    cr_expect_geq(time_stored(store, 0), before);
    cr_expect_leq(time_stored(store, -3600), before - 3500);
    assert_value(store, "acme", "timer", 4, "1");
}

/* A write that makes no version keeps the time of the one that is there. */
STORE_TEST(a_time_from_the_future_stays_with_its_version)
{
    struct store_write late = write_of("acme", "timer", "2");
    int64_t ahead = time_stored(store, 86400);

    clock_offset = 0;
    late.base = 0;
    cr_expect_eq(store_commit_one(store, &late), ERR_CONFLICT);
    cr_expect_eq(late.updated_at, ahead);
    cr_expect_eq(time_of(store), ahead);
}

STORE_TEST(what_changed_nothing_keeps_its_time)
{
    struct store_write first = write_of("acme", "sequence", "a");
    struct store_write again = write_of("acme", "sequence", "a");

    first.once = again.once = true;
    cr_assert_eq(store_commit_one(store, &first), ERR_OK);
    clock_offset = 60;
    cr_assert_eq(store_commit_one(store, &again), ERR_OK);
    cr_expect_eq(again.version, 1);
    cr_expect_eq(again.updated_at, first.updated_at);
}

/* What is older than format 2 has no place in the order. */
Test(clock, what_is_newer_is_so_by_the_order_of_commits)
{
    const struct record none = {0};
    const struct record old = {.version = 3, .updated_at = 900};
    const struct record older = {.version = 7, .updated_at = 800};
    const struct record ahead = {.version = 1, .seq = 1, .updated_at = 5000};
    const struct record now = {.version = 1, .seq = 2, .updated_at = 1000};

    cr_expect(record_is_newer(&now, &ahead));
    cr_expect_not(record_is_newer(&ahead, &now));
    cr_expect(record_is_newer(&ahead, &old));
    cr_expect_not(record_is_newer(&old, &ahead));
    cr_expect(record_is_newer(&old, &older));
    cr_expect(record_is_newer(&older, &none));
    cr_expect_not(record_is_newer(&now, &now));
}

/* The log reaches log_sink_fd: what of it has arrived, until none does. */
static size_t
count_in_log(const char *event)
{
    char text[8192];
    size_t count = 0;
    ssize_t len = read(log_sink_fd, text, sizeof(text) - 1);

    text[len > 0 ? len : 0] = '\0';
    for (const char *at = text; (at = strstr(at, event)) != NULL; at++)
        count++;
    return count;
}

static void
log_what_goes_back(struct store *store)
{
    (void)time_stored(store, 86400);
    (void)time_stored(store, 86395);
    cr_expect_eq(count_in_log("clock_behind"), 0);
    (void)time_stored(store, 0);
    (void)time_stored(store, 86400);
    (void)time_stored(store, 0);
    cr_expect_eq(count_in_log("clock_behind"), 1);
}

Test(clock, a_time_that_goes_back_is_logged_once)
{
    log_sink_open();
    run_over_lmdb(log_what_goes_back, 0);
}
