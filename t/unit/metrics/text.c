// SPDX-License-Identifier: MIT
#include "metrics/text.h"

#include "base/buf.h"
#include "lib/no_memory.h"
#include "metrics/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct metrics_names names = {
    .routes = {{"/a/{key}", "GET"},
               {"/a/{key}", "POST"},
               [METRICS_NO_ROUTE] = {"unmatched", "any"}},
    .refusals = {[1] = "missing", [3] = "bad"},
};

static struct buf out;

/* Labels without a file. */
static void
set_up(void)
{
    char why[256];

    cr_assert_not(metrics_open("/nonexistent", &names, why, sizeof(why)));
}

static void
tear_down(void)
{
    buf_clear(&out);
}

TestSuite(metrics_text, .init = set_up, .fini = tear_down);

/* The lines of the family, and no more than them, stand in the text. */
static void
assert_lines(const char *family, const char *expected)
{
    const char *first, *end;
    char head[128];

    snprintf(head, sizeof(head), "# HELP %s ", family);
    buf_clear(&out);
    cr_assert(metrics_text(&out));
    cr_assert(buf_add(&out, "", 1));
    first = strstr(out.data, head);
    cr_assert_not_null(first, "%s", family);
    end = strstr(first + 1, "# HELP ");
    if (end == NULL)
        end = strchr(first, '\0');
    cr_assert_eq(strncmp(first, expected, (size_t)(end - first)), 0, "%.*s",
                 (int)(end - first), first);
    cr_assert_eq(strlen(expected), end - first);
}

Test(metrics_text, requests_that_there_were)
{
    metrics_request(0, 0, 200, 1);
    metrics_request(0, 0, 200, 1);
    metrics_request(0, 1, 304, 1);
    metrics_request(1, 2, 500, 1);
    metrics_request(METRICS_NO_ROUTE, 3, 404, 1);
    metrics_request(METRICS_NO_ROUTE, 3, 418, 1);
    assert_lines(
        "orderconf_requests_total",
        "# HELP orderconf_requests_total Requests that were answered.\n"
        "# TYPE orderconf_requests_total counter\n"
        "orderconf_requests_total{route=\"/a/{key}\",method=\"GET\","
        "status=\"200\"} 2\n"
        "orderconf_requests_total{route=\"/a/{key}\",method=\"HEAD\","
        "status=\"304\"} 1\n"
        "orderconf_requests_total{route=\"/a/{key}\",method=\"POST\","
        "status=\"500\"} 1\n"
        "orderconf_requests_total{route=\"unmatched\",method=\"other\","
        "status=\"404\"} 1\n"
        "orderconf_requests_total{route=\"unmatched\",method=\"other\","
        "status=\"other\"} 1\n");
}

Test(metrics_text, counters_from_zero_on)
{
    assert_lines("orderconf_lost_races_total",
                 "# HELP orderconf_lost_races_total Writes that were refused "
                 "because another write came first.\n"
                 "# TYPE orderconf_lost_races_total counter\n"
                 "orderconf_lost_races_total 0\n");
    metrics_inc(METRIC_REFUSALS + 3);
    metrics_inc(METRIC_REFUSALS + 2); /* has no name */
    assert_lines("orderconf_token_refusals_total",
                 "# HELP orderconf_token_refusals_total Requests whose token "
                 "was refused.\n"
                 "# TYPE orderconf_token_refusals_total counter\n"
                 "orderconf_token_refusals_total{reason=\"missing\"} 0\n"
                 "orderconf_token_refusals_total{reason=\"bad\"} 1\n");
    metrics_add(METRIC_RESTARTS_REPLACED, UINT64_C(1) << 60);
    assert_lines("orderconf_worker_restarts_total",
                 "# HELP orderconf_worker_restarts_total Workers that replaced "
                 "another worker.\n"
                 "# TYPE orderconf_worker_restarts_total counter\n"
                 "orderconf_worker_restarts_total{cause=\"died\"} 0\n"
                 "orderconf_worker_restarts_total{cause=\"replaced\"} "
                 "1152921504606846976\n");
}

Test(metrics_text, counts_are_cumulative)
{
    metrics_observe_count(METRIC_COMMIT_WRITES, 1);
    metrics_observe_count(METRIC_COMMIT_WRITES, 3);
    metrics_observe_count(METRIC_COMMIT_WRITES, 4);
    metrics_observe_count(METRIC_COMMIT_WRITES, 2000);
    assert_lines("orderconf_commit_writes",
                 "# HELP orderconf_commit_writes Number of writes in a "
                 "commit.\n"
                 "# TYPE orderconf_commit_writes histogram\n"
                 "orderconf_commit_writes_bucket{le=\"1\"} 1\n"
                 "orderconf_commit_writes_bucket{le=\"2\"} 1\n"
                 "orderconf_commit_writes_bucket{le=\"4\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"8\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"16\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"32\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"64\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"128\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"256\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"512\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"1024\"} 3\n"
                 "orderconf_commit_writes_bucket{le=\"+Inf\"} 4\n"
                 "orderconf_commit_writes_sum 2008\n"
                 "orderconf_commit_writes_count 4\n");
}

Test(metrics_text, times_are_seconds)
{
    metrics_observe_time(METRIC_FLUSH_TIMES, 25000);
    metrics_observe_time(METRIC_FLUSH_TIMES, 25001);
    metrics_observe_time(METRIC_FLUSH_TIMES, UINT64_C(3000000000));
    assert_lines(
        "orderconf_flush_duration_seconds",
        "# HELP orderconf_flush_duration_seconds Time to write a commit to "
        "disk.\n"
        "# TYPE orderconf_flush_duration_seconds histogram\n"
        "orderconf_flush_duration_seconds_bucket{le=\"2.5e-05\"} 1\n"
        "orderconf_flush_duration_seconds_bucket{le=\"5e-05\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.0001\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.00025\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.0005\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.001\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.0025\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.005\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.01\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.025\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.05\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.1\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"0.5\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"2.5\"} 2\n"
        "orderconf_flush_duration_seconds_bucket{le=\"+Inf\"} 3\n"
        "orderconf_flush_duration_seconds_sum 3.000050001\n"
        "orderconf_flush_duration_seconds_count 3\n");
}

Test(metrics_text, each_route_has_its_times)
{
    metrics_request(1, 2, 200, 1000);
    buf_clear(&out);
    cr_assert(metrics_text(&out));
    cr_assert(buf_add(&out, "", 1));
    for (int i = 0; i < 3; i++) {
        static const char *const counts[] = {
            "\norderconf_request_duration_seconds_count{route=\"/a/{key}\","
            "method=\"GET\"} 0\n",
            "\norderconf_request_duration_seconds_count{route=\"/a/{key}\","
            "method=\"POST\"} 1\n",
            "\norderconf_request_duration_seconds_bucket{route=\"unmatched\","
            "method=\"any\",le=\"+Inf\"} 0\n",
        };

        cr_assert_not_null(strstr(out.data, counts[i]), "%s", counts[i]);
    }
}

Test(metrics_text, gauges)
{
    cr_assert(metrics_text_gauge(&out, "a", "What it is.", NULL, 5));
    cr_assert(metrics_text_gauge(&out, "b", "More.", "x=\"y\"", 0));
    cr_assert(buf_add(&out, "", 1));
    cr_assert_str_eq(out.data, "# HELP a What it is.\n# TYPE a gauge\na 5\n"
                               "# HELP b More.\n# TYPE b gauge\n"
                               "b{x=\"y\"} 0\n");
}

Test(metrics_text, without_memory_it_says_so)
{
    for (unsigned n = 0;; n++) {
        bool is_whole, has_failed;

        buf_clear(&out);
        no_memory_after(n);
        is_whole = metrics_text(&out);
        has_failed = no_memory_end();
        cr_assert_eq(is_whole, !has_failed, "%u", n);
        if (!has_failed) {
            cr_assert_gt(n, 1);
            break;
        }
    }
}
