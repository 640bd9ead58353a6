// SPDX-License-Identifier: MIT
#include "base/number.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static const uint64_t numbers[] = {
    0,          1, 9, 10, 42, 100, 999, 4294967296, INT64_MAX, UINT64_MAX - 1,
    UINT64_MAX,
};

Test(number, what_is_written_is_read)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        char text[NUMBER_SIZE], expected[32];
        const char *digits = number_text(text, numbers[i]);
        uint64_t read = 7;

        snprintf(expected, sizeof(expected), "%" PRIu64, numbers[i]);
        cr_expect_str_eq(digits, expected);
        cr_expect_eq(*number_scan(digits, &read), '\0');
        cr_expect_eq(read, numbers[i]);
    }
}

Test(number, zeros_fill_a_field)
{
    char text[] = "xxxxxx";

    cr_expect_eq(number_put(text, 42, 4), text + 4);
    cr_expect_str_eq(text, "0042xx");
    cr_expect_eq(number_put(text, 1234, 2), text + 2);
    cr_expect_str_eq(text, "3442xx");
}

Test(number, a_scan_ends_at_what_is_no_digit)
{
    static const struct {
        const char *text, *rest;
        uint64_t number;
    } cases[] = {
        {"", "", 0},
        {"12K", "K", 12},
        {"-1", "-1", 0},
        {"+1", "+1", 0},
        {" 1", " 1", 0},
        {"1 ", " ", 1},
        {"007", "", 7},
        {"0x10", "x10", 0},
        {"1e3", "e3", 1},
        {"1.5", ".5", 1},
        {"\xd9\xa1", "\xd9\xa1", 0},
        {"18446744073709551616", "", UINT64_MAX},
        {"99999999999999999999999999999999", "", UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t number = 7;

        cr_expect_str_eq(number_scan(cases[i].text, &number), cases[i].rest);
        cr_expect_eq(number, cases[i].number, "%s", cases[i].text);
    }
}

Test(number, all_of_a_text_is_a_number_within_its_bounds)
{
    static const char *const refused[] = {
        "",
        "1",
        "21",
        "-5",
        "+5",
        " 5",
        "5 ",
        "5x",
        "0x5",
        "5.0",
        "18446744073709551621", /* 2^64 + 5 */
    };
    uint64_t number = 7;

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        cr_expect_not(number_read(refused[i], 2, 20, &number), "%s",
                      refused[i]);
    cr_expect_eq(number, 7);
    cr_expect(number_read("2", 2, 20, &number));
    cr_expect_eq(number, 2);
    cr_expect(number_read("0020", 2, 20, &number));
    cr_expect_eq(number, 20);
    cr_expect(number_read("9223372036854775807", 1, INT64_MAX, &number));
    cr_expect_eq(number, INT64_MAX);
    cr_expect_not(number_read("9223372036854775808", 1, INT64_MAX, &number));
    cr_expect_not(number_read("99999999999999999999", 1, INT64_MAX, &number));
}

Test(number, one_has_no_plural)
{
    cr_expect_str_eq(number_ending(0), "s");
    cr_expect_str_eq(number_ending(1), "");
    cr_expect_str_eq(number_ending(2), "s");
    cr_expect_str_eq(number_ending(UINT64_MAX), "s");
}
