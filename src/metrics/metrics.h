// SPDX-License-Identifier: MIT
/*
 * Counters that every process of a store adds to: its workers, their
 * successors, and CGI runs. They live in a file beside the store that each of
 * them maps, so that any one can tell the sum, and none takes its share along
 * when it dies.
 *
 * Counting never fails. Without the file, a process counts for itself alone.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What labels have room for. As all that is below, this is the layout of the
 * file: one of another layout is made anew, and counts from 0. */
#define METRICS_ROUTES_MAX 32 /* the last one is METRICS_NO_ROUTE */
#define METRICS_METHODS_MAX 4 /* enum http_method of http/http.h */
#define METRICS_STATUSES_MAX 16
#define METRICS_REFUSALS_MAX 24 /* enum auth_refusal of auth/auth.h */
#define METRICS_BUCKETS_MAX 15  /* the last one has no bound */
#define METRICS_NO_ROUTE (METRICS_ROUTES_MAX - 1)

/* Cells of a histogram: its buckets, then the sum. */
#define METRICS_HISTOGRAM (METRICS_BUCKETS_MAX + 1)

/* The counters, and the first ones of those that have labels: a label is
 * added, as in metrics_inc(METRIC_REFUSALS + AUTH_EXPIRED). */
enum metric {
    METRIC_REQUESTS, /* see metrics_request */
    METRIC_REFUSALS = METRIC_REQUESTS + METRICS_ROUTES_MAX *
                                            METRICS_METHODS_MAX *
                                            METRICS_STATUSES_MAX,
    METRIC_CACHE_HITS = METRIC_REFUSALS + METRICS_REFUSALS_MAX,
    METRIC_CACHE_MISSES,
    METRIC_LOST_RACES,
    METRIC_RESTARTS_DIED,     /* workers that took a dead one's place */
    METRIC_RESTARTS_REPLACED, /* and one's that was still well: SIGHUP */
    METRIC_LOG_DROPPED,

    /* Histograms. */
    METRIC_REQUEST_TIMES,
    METRIC_COMMIT_WRITES =
        METRIC_REQUEST_TIMES + METRICS_ROUTES_MAX * METRICS_HISTOGRAM,
    METRIC_FLUSH_TIMES = METRIC_COMMIT_WRITES + METRICS_HISTOGRAM,
    METRIC_MAX = METRIC_FLUSH_TIMES + METRICS_HISTOGRAM
};

/* This process's cells, which are never NULL; for the next function. */
extern _Atomic uint64_t *metrics_cells;

/* A few ns; any thread. */
static inline void
metrics_add(unsigned int metric, uint64_t count)
{
    atomic_fetch_add_explicit(&metrics_cells[metric], count,
                              memory_order_relaxed);
}

static inline void
metrics_inc(unsigned int metric)
{
    metrics_add(metric, 1);
}

/* Adds to a histogram, of times or of counts. */
void metrics_observe_time(unsigned int metric, uint64_t nanoseconds);
void metrics_observe_count(unsigned int metric, uint64_t count);

/* Counts a request, and the time that its answer took. */
void metrics_request(unsigned int route, unsigned int method, int status,
                     uint64_t nanoseconds);

/* What the numbers of routes and refusals mean; those that have no name are
 * not shown. Static text. */
struct metrics_names {
    struct {
        const char *path, *method;
    } routes[METRICS_ROUTES_MAX];
    const char *refusals[METRICS_REFUSALS_MAX];
};

/*
 * Maps the file "metrics" in dir, made if it is missing, or damaged, or of
 * another layout. Call it before there are threads. False: why says so, and
 * the process counts for itself, as it does without a dir. names outlives the
 * use.
 */
bool metrics_open(const char *dir, const struct metrics_names *names, char *why,
                  size_t why_size);

/* Lets go of the file, if there is one. What was counted for the process
 * alone is still there. */
void metrics_close(void);

/* True while the process counts in the file. */
bool metrics_is_shared(void);

/* The sum over all processes that count. */
uint64_t metrics_sum(unsigned int metric);

/* The families of metrics, for metrics/text.c. */
enum metrics_kind { METRICS_COUNTER, METRICS_TIMES, METRICS_COUNTS };
enum metrics_label {
    METRICS_BARE,
    METRICS_BY_REQUEST, /* route, method, status */
    METRICS_BY_ROUTE,
    METRICS_BY_REFUSAL,
    METRICS_BY_CAUSE
};

struct metrics_family {
    const char *name;
    const char *help;
    enum metrics_kind kind;
    enum metrics_label label;
    unsigned int first; /* enum metric */
};

extern const struct metrics_family metrics_families[];   /* to a NULL name */
extern const int metrics_statuses[METRICS_STATUSES_MAX]; /* 0: any other */
extern const char *const metrics_methods[METRICS_METHODS_MAX];
extern const char *const metrics_causes[2];

/* Upper bounds of a histogram's buckets, up to a 0. */
extern const uint64_t metrics_time_bounds[METRICS_BUCKETS_MAX];
extern const uint64_t metrics_count_bounds[METRICS_BUCKETS_MAX];

/* As they were given to metrics_open; never NULL. */
const struct metrics_names *metrics_labels(void);

#endif
