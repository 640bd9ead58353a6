// SPDX-License-Identifier: MIT
/* Where a test's log arrives: a pipe that is read, late or never. */
#ifndef T_LOG_SINK_H
#define T_LOG_SINK_H

#include <stdint.h>

extern int log_sink_fd; /* what is read */

/* stderr is a pipe from now on, of one page. */
void log_sink_open(void);

/* Logs events "numbered", with n from 0 on. */
void log_sink_fill(int count);

/* What has arrived. */
struct log_arrived {
    uint64_t lines, notes, told; /* numbered; log_dropped; their sum */
    int64_t last;                /* number */
};

/* Takes what arrives, until nothing has for so long; fails unless each line is
 * whole, this process's, and in its place. */
void log_sink_take(struct log_arrived *arrived, int ms);

/* Fails unless the text that has arrived holds that. */
void log_sink_assert(const char *expected);

double seconds_since(uint64_t start_ns);

#endif
