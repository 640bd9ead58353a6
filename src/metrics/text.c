// SPDX-License-Identifier: MIT
#include "metrics/text.h"

#include "base/buf.h"
#include "metrics/metrics.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 512 /* ours have half of it at most */
#define NS_PER_SECOND 1000000000

/* What is being written; once out of memory, nothing is added any more. */
struct text {
    struct buf *buf;
    bool is_whole;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text->is_whole = text->is_whole && len >= 0 && len < (int)sizeof(line) &&
                     buf_add(text->buf, line, (size_t)len);
}

static void
add_head(struct text *text, const char *name, const char *help,
         const char *type)
{
    add(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* labels: "", or as they stand between braces. */
static void
add_counter(struct text *text, const struct metrics_family *family,
            const char *labels, unsigned int cell)
{
    bool has_labels = *labels != '\0';

    add(text, "%s%s%s%s %llu\n", family->name, has_labels ? "{" : "", labels,
        has_labels ? "}" : "", (unsigned long long)metrics_sum(cell));
}

static void
add_histogram(struct text *text, const struct metrics_family *family,
              const char *labels, unsigned int cell)
{
    bool is_time = family->kind == METRICS_TIMES;
    const uint64_t *bounds =
        is_time ? metrics_time_bounds : metrics_count_bounds;
    double unit = is_time ? NS_PER_SECOND : 1;
    bool has_labels = *labels != '\0';
    const char *comma = has_labels ? "," : "";
    const char *open = has_labels ? "{" : "", *close = has_labels ? "}" : "";
    uint64_t sum = metrics_sum(cell + METRICS_BUCKETS_MAX);
    uint64_t count = 0;

    for (unsigned int i = 0; bounds[i] != 0; i++) {
        count += metrics_sum(cell++);
        add(text, "%s_bucket{%s%sle=\"%g\"} %llu\n", family->name, labels,
            comma, (double)bounds[i] / unit, (unsigned long long)count);
    }
    count += metrics_sum(cell);
    add(text, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", family->name, labels, comma,
        (unsigned long long)count);
    add(text, "%s_sum%s%s%s %.15g\n", family->name, open, labels, close,
        (double)sum / unit);
    add(text, "%s_count%s%s%s %llu\n", family->name, open, labels, close,
        (unsigned long long)count);
}

static void
add_sample(struct text *text, const struct metrics_family *family,
           const char *labels, unsigned int cell)
{
    if (family->kind == METRICS_COUNTER)
        add_counter(text, family, labels, cell);
    else
        add_histogram(text, family, labels, cell);
}

/* Only those that there were: most of these never are. */
static void
add_requests(struct text *text, const struct metrics_family *family,
             unsigned int route, const char *path)
{
    unsigned int cell =
        family->first + route * METRICS_METHODS_MAX * METRICS_STATUSES_MAX;
    char labels[LINE_MAX_BYTES / 2];

    for (unsigned int i = 0; i < METRICS_METHODS_MAX * METRICS_STATUSES_MAX;
         i++) {
        int status = metrics_statuses[i % METRICS_STATUSES_MAX];
        char digits[16] = "other";

        if (metrics_sum(cell + i) == 0)
            continue;
        if (status != 0)
            snprintf(digits, sizeof(digits), "%d", status);
        snprintf(labels, sizeof(labels),
                 "route=\"%s\",method=\"%s\",status=\"%s\"", path,
                 metrics_methods[i / METRICS_STATUSES_MAX], digits);
        add_sample(text, family, labels, cell + i);
    }
}

static void
add_by_route(struct text *text, const struct metrics_family *family)
{
    const struct metrics_names *names = metrics_labels();
    char labels[LINE_MAX_BYTES / 2];

    for (unsigned int i = 0; i < METRICS_ROUTES_MAX; i++) {
        const char *path = names->routes[i].path;

        if (path == NULL)
            continue;
        if (family->label == METRICS_BY_REQUEST) {
            add_requests(text, family, i, path);
            continue;
        }
        snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\"", path,
                 names->routes[i].method);
        add_sample(text, family, labels, family->first + i * METRICS_HISTOGRAM);
    }
}

/* One label, whose values are in an array; NULL: none with that number. */
static void
add_by_name(struct text *text, const struct metrics_family *family,
            const char *label, const char *const *values, unsigned int count)
{
    char labels[LINE_MAX_BYTES / 2];

    for (unsigned int i = 0; i < count; i++) {
        if (values[i] == NULL)
            continue;
        snprintf(labels, sizeof(labels), "%s=\"%s\"", label, values[i]);
        add_sample(text, family, labels, family->first + i);
    }
}

static void
add_family(struct text *text, const struct metrics_family *family)
{
    add_head(text, family->name, family->help,
             family->kind == METRICS_COUNTER ? "counter" : "histogram");
    switch (family->label) {
    case METRICS_BARE:
        add_sample(text, family, "", family->first);
        break;
    case METRICS_BY_REQUEST:
    case METRICS_BY_ROUTE:
        add_by_route(text, family);
        break;
    case METRICS_BY_REFUSAL:
        add_by_name(text, family, "reason", metrics_labels()->refusals,
                    METRICS_REFUSALS_MAX);
        break;
    case METRICS_BY_CAUSE:
        add_by_name(text, family, "cause", metrics_causes,
                    sizeof(metrics_causes) / sizeof(*metrics_causes));
        break;
    }
}

bool
metrics_text(struct buf *out)
{
    struct text text = {.buf = out, .is_whole = true};

    for (size_t i = 0; metrics_families[i].name != NULL; i++)
        add_family(&text, &metrics_families[i]);
    return text.is_whole;
}

bool
metrics_text_gauge(struct buf *out, const char *name, const char *help,
                   const char *labels, uint64_t value)
{
    struct text text = {.buf = out, .is_whole = true};

    add_head(&text, name, help, "gauge");
    add(&text, "%s%s%s%s %llu\n", name, labels != NULL ? "{" : "",
        labels != NULL ? labels : "", labels != NULL ? "}" : "",
        (unsigned long long)value);
    return text.is_whole;
}
