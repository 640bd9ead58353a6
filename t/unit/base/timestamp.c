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
