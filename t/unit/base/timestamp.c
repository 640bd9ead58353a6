// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include <criterion/criterion.h>

static void
assert_written(int64_t seconds, const char *expected)
{
    char text[TIMESTAMP_LEN + 1];
    char *end = timestamp_put(text, seconds);

    *end = '\0';
    cr_expect_eq(end, text + TIMESTAMP_LEN);
    cr_expect_str_eq(text, expected);
}

Test(timestamp, is_in_utc)
{
    cr_assert_eq(setenv("TZ", "America/Los_Angeles", 1), 0);
    tzset();
    assert_written(0, "1970-01-01T00:00:00Z");
    assert_written(951782399, "2000-02-28T23:59:59Z");
    assert_written(951782400, "2000-02-29T00:00:00Z");
    assert_written(1795757981, "2026-11-27T05:39:41Z");
}

Test(timestamp, is_the_nearest_that_can_be_written)
{
    assert_written(-1, "1970-01-01T00:00:00Z");
    assert_written(INT64_MIN, "1970-01-01T00:00:00Z");
    assert_written(253402300799, "9999-12-31T23:59:59Z");
    assert_written(INT64_MAX, "9999-12-31T23:59:59Z");
}

Test(timestamp, has_milliseconds)
{
    const struct timespec times[] = {{0, 0}, {1, 7999999}, {2, 999999999}};
    static const char *const expected[] = {
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:01.007Z",
        "1970-01-01T00:00:02.999Z",
    };

    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        char text[TIMESTAMP_MS_LEN + 1];
        char *end = timestamp_put_ms(text, &times[i]);

        *end = '\0';
        cr_expect_eq(end, text + TIMESTAMP_MS_LEN);
        cr_expect_str_eq(text, expected[i]);
    }
}

static void
assert_read(const char *text, int64_t expected)
{
    int64_t seconds = 0;

    cr_expect(timestamp_read(text, &seconds), "%s", text);
    cr_expect_eq(seconds, expected, "%s", text);
}

Test(timestamp, is_read_with_any_offset)
{
    cr_assert_eq(setenv("TZ", "America/Los_Angeles", 1), 0);
    tzset();
    assert_read("1970-01-01T00:00:00Z", 0);
    assert_read("2000-02-29T00:00:00z", 951782400);
    assert_read("2026-11-27T05:39:41.999Z", 1795757981);
    assert_read("2026-11-27T07:09:41+01:30", 1795757981);
    assert_read("2026-11-26T23:39:41-06:00", 1795757981);
    assert_read("1970-01-01T00:00:00+01:00", -3600);
}

Test(timestamp, what_is_none_is_not_read)
{
    static const char *const texts[] = {
        "",
        "2026-11-27",
        "2026-11-27T05:39:41",
        "2026-11-27 05:39:41Z",
        "2026-1-27T005:39:41Z",
        "2026-11-27T5:39:041Z",
        "2026-02-30T05:39:41Z",
        "2026-13-01T05:39:41Z",
        "2026-11-27T24:00:00Z",
        "2026-11-27T05:60:00Z",
        "2026-11-27T05:39:60Z",
        "2026-11-27T05:39:41.Z",
        "2026-11-27T05:39:41ZZ",
        "2026-11-27T05:39:41+1:00",
        "2026-11-27T05:39:41+24:00",
        "2026-11-27T05:39:41+01:60",
        "2026-11-27T05:39:41+01:00Z",
        "1969-12-31T23:59:59Z",
        " 2026-11-27T05:39:4Z",
        "+026-11-27T05:39:41Z",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        int64_t seconds = 7;

        cr_expect_not(timestamp_read(texts[i], &seconds), "%s", texts[i]);
        cr_expect_eq(seconds, 7, "%s", texts[i]);
    }
}
