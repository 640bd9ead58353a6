// SPDX-License-Identifier: MIT
/*
 * A bar on a terminal that tells how far long work is, and is gone when the
 * work is done. Nothing is written if the descriptor is no terminal.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed is valid: a bar that is never shown. */
struct progress {
    int fd;
    const char *label; /* borrowed */
    uint64_t total;    /* 0: not known */
    uint64_t started;  /* monotonic ns, as is the next */
    uint64_t drawn;
    bool is_shown; /* on a terminal at all */
    bool is_drawn; /* there is something to clear */
};

/* A first bar appears with an update after PROGRESS_INTERVAL_NS, so that short
 * work shows none. */
#define PROGRESS_INTERVAL_NS UINT64_C(100000000)

void progress_start(struct progress *progress, int fd, const char *label,
                    uint64_t total);

/* done counts up to total, which may turn out to have been a guess. */
void progress_update(struct progress *progress, uint64_t done);

/* Clears the line, until the next bar. Before anything else is written to the
 * terminal. */
void progress_hide(struct progress *progress);

/* The same for good. */
void progress_end(struct progress *progress);

#endif
