// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include <time.h>

/* 9999-12-31T23:59:59Z: RFC 3339 has four digits for the year. */
#define SECONDS_MAX INT64_C(253402300799)

static char *
put_digits(char *at, int number, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + count;
}

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
    at = put_digits(at, utc.tm_year + 1900, 4);
    *at++ = '-';
    at = put_digits(at, utc.tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, utc.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, utc.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, utc.tm_min, 2);
    *at++ = ':';
    at = put_digits(at, utc.tm_sec, 2);
    *at++ = 'Z';
    return at;
}
