// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include "base/number.h"

#include <string.h>

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

/* Reads two digits up to max. False if they are none. */
static bool
read_two(const char *at, int max, int *number_out)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *number_out = (at[0] - '0') * 10 + at[1] - '0';
    return *number_out <= max;
}

/* Reads what says how far the time is from UTC, up to the end of the text. */
static bool
read_offset(const char *at, int64_t *seconds_out)
{
    int hours, minutes;

    *seconds_out = 0;
    if (*at == 'Z' || *at == 'z')
        return at[1] == '\0';
    if ((*at != '+' && *at != '-') || !read_two(at + 1, 23, &hours) ||
        at[3] != ':' || !read_two(at + 4, 59, &minutes) || at[6] != '\0')
        return false;
    *seconds_out = (hours * 60 + minutes) * 60;
    if (*at == '-')
        *seconds_out = -*seconds_out;
    return true;
}

bool
timestamp_read(const char *text, int64_t *seconds_out)
{
    const size_t len = TIMESTAMP_LEN - 1; /* without the Z */
    char again[TIMESTAMP_LEN];
    struct tm utc = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    uint64_t fraction;
    int64_t seconds, offset;

    if (end != text + len)
        return false;
    /* What is written otherwise is a day that does not exist, such as the 30th
     * of February, or a form that strptime is generous about. */
    seconds = timegm(&utc);
    timestamp_put(again, seconds);
    if (memcmp(again, text, len) != 0)
        return false;
    if (*end == '.') {
        end = number_scan(text + len + 1, &fraction);
        if (end == text + len + 1)
            return false;
    }
    if (!read_offset(end, &offset))
        return false;
    *seconds_out = seconds - offset;
    return true;
}
