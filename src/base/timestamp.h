// SPDX-License-Identifier: MIT
/* Points in time as text (RFC 3339), always in UTC. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define TIMESTAMP_LEN (sizeof("1970-01-01T00:00:00Z") - 1)

/* Writes TIMESTAMP_LEN bytes and no NUL; returns what is behind them. Seconds
 * before 1970 or after 9999 become the nearest that can be written. */
char *timestamp_put(char *at, int64_t seconds);

#define TIMESTAMP_MS_LEN (sizeof("1970-01-01T00:00:00.000Z") - 1)

/* The same with milliseconds. */
char *timestamp_put_ms(char *at, const struct timespec *time);

/* Reads a time of RFC 3339, section 5.6, with any offset, into seconds since
 * the epoch; a fraction of a second is dropped. False if it is none. */
bool timestamp_read(const char *text, int64_t *seconds_out);

#endif
