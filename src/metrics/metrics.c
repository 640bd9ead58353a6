// SPDX-License-Identifier: MIT
#include "metrics/metrics.h"

#include <string.h>

/* The statuses that the service answers with; see http/problem.c. */
const int metrics_statuses[METRICS_STATUSES_MAX] = {
    200, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 431, 500, 503,
};

const char *const metrics_methods[METRICS_METHODS_MAX] = {"GET", "HEAD", "POST",
                                                          "other"};

const char *const metrics_causes[2] = {"died", "replaced"};

#define US UINT64_C(1000)
#define MS (1000 * US)

/* From what a cached read takes to what a client does not wait for. */
const uint64_t metrics_time_bounds[METRICS_BUCKETS_MAX] = {
    25 * US, 50 * US, 100 * US, 250 * US, 500 * US, 1 * MS,   2500 * US,
    5 * MS,  10 * MS, 25 * MS,  50 * MS,  100 * MS, 500 * MS, 2500 * MS};

/* Up to what store/committer.c takes at once. */
const uint64_t metrics_count_bounds[METRICS_BUCKETS_MAX] = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

const struct metrics_family metrics_families[] = {
    {"orderconf_requests_total", "Requests that were answered.",
     METRICS_COUNTER, METRICS_BY_REQUEST, METRIC_REQUESTS},
    {"orderconf_request_duration_seconds",
     "Time from a complete request to its answer.", METRICS_TIMES,
     METRICS_BY_ROUTE, METRIC_REQUEST_TIMES},
    {"orderconf_token_refusals_total", "Requests whose token was refused.",
     METRICS_COUNTER, METRICS_BY_REFUSAL, METRIC_REFUSALS},
    {"orderconf_token_cache_hits_total",
     "Tokens that were found in the cache of verified ones.", METRICS_COUNTER,
     METRICS_BARE, METRIC_CACHE_HITS},
    {"orderconf_token_cache_misses_total", "Tokens that had to be verified.",
     METRICS_COUNTER, METRICS_BARE, METRIC_CACHE_MISSES},
    {"orderconf_lost_races_total",
     "Writes that were refused because another write came first.",
     METRICS_COUNTER, METRICS_BARE, METRIC_LOST_RACES},
    {"orderconf_commit_writes", "Number of writes in a commit.", METRICS_COUNTS,
     METRICS_BARE, METRIC_COMMIT_WRITES},
    {"orderconf_flush_duration_seconds", "Time to write a commit to disk.",
     METRICS_TIMES, METRICS_BARE, METRIC_FLUSH_TIMES},
    {"orderconf_worker_restarts_total", "Workers that replaced another worker.",
     METRICS_COUNTER, METRICS_BY_CAUSE, METRIC_RESTARTS_DIED},
    {"orderconf_log_dropped_total",
     "Log lines that were dropped because the queue was full.", METRICS_COUNTER,
     METRICS_BARE, METRIC_LOG_DROPPED},
    {0},
};

static void
observe(unsigned int metric, const uint64_t *bounds, uint64_t value)
{
    unsigned int bucket = 0;

    while (bucket < METRICS_BUCKETS_MAX - 1 && bounds[bucket] != 0 &&
           value > bounds[bucket])
        bucket++;
    metrics_inc(metric + bucket);
    metrics_add(metric + METRICS_BUCKETS_MAX, value);
}

void
metrics_observe_time(unsigned int metric, uint64_t nanoseconds)
{
    observe(metric, metrics_time_bounds, nanoseconds);
}

void
metrics_observe_count(unsigned int metric, uint64_t count)
{
    observe(metric, metrics_count_bounds, count);
}

void
metrics_request(unsigned int route, unsigned int method, int status,
                uint64_t nanoseconds)
{
    unsigned int i = 0;

    while (metrics_statuses[i] != status && metrics_statuses[i] != 0)
        i++;
    metrics_inc(METRIC_REQUESTS +
                (route * METRICS_METHODS_MAX + method) * METRICS_STATUSES_MAX +
                i);
    metrics_observe_time(METRIC_REQUEST_TIMES + route * METRICS_HISTOGRAM,
                         nanoseconds);
}
