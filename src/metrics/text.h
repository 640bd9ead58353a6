// SPDX-License-Identifier: MIT
/* Metrics as Prometheus reads them: its text format 0.0.4. */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Appends all that is counted (metrics/metrics.h). False on no memory, as the
 * next. */
bool metrics_text(struct buf *out) __attribute__((warn_unused_result));

/* Appends a metric that is not counted but measured now. labels: NULL, or as
 * they stand between braces. */
bool metrics_text_gauge(struct buf *out, const char *name, const char *help,
                        const char *labels, uint64_t value)
    __attribute__((warn_unused_result));

#endif
