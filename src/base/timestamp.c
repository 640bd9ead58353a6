// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include "base/number.h"

/* 9999-12-31T23:59:59Z: RFC 3339 has four digits for the year. */
#define SECONDS_MAX INT64_C(253402300799)

/* By hand: strftime costs more than all else in an answer. */
char *
timestamp_put(char *at, int64_t seconds)
{
    time_t clamped = seconds;
    struct tm utc;

    if (seconds < 0)
        clamped = 0;
    else if (seconds > SECONDS_MAX)
        clamped = SECONDS_MAX;
    gmtime_r(&clamped, &utc);
    at = number_put(at, (uint64_t)utc.tm_year + 1900, 4);
    *at++ = '-';
    at = number_put(at, (uint64_t)utc.tm_mon + 1, 2);
    *at++ = '-';
    at = number_put(at, (uint64_t)utc.tm_mday, 2);
    *at++ = 'T';
    at = number_put(at, (uint64_t)utc.tm_hour, 2);
    *at++ = ':';
    at = number_put(at, (uint64_t)utc.tm_min, 2);
    *at++ = ':';
    at = number_put(at, (uint64_t)utc.tm_sec, 2);
    *at++ = 'Z';
    return at;
}

char *
timestamp_put_ms(char *at, const struct timespec *time)
{
    at = timestamp_put(at, time->tv_sec) - 1;
    *at++ = '.';
    at = number_put(at, (uint64_t)time->tv_nsec / 1000000, 3);
    *at++ = 'Z';
    return at;
}
