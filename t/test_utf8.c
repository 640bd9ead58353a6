// SPDX-License-Identifier: MIT
#include "utf8.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

static bool
is_character(const char *text, size_t len)
{
    return utf8_span(text, len) == len;
}

Test(utf8, every_code_point_and_no_surrogate)
{
    for (int32_t point = 0; point <= 0x10ffff; point++) {
        char text[4];
        size_t len = (size_t)(utf8_put(text, point) - text);
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;

        cr_assert_eq(is_character(text, len), !is_surrogate, "U+%04X", point);
        cr_assert_eq(utf8_count(text, len), 1, "U+%04X", point);
        for (size_t cut = 1; cut < len; cut++)
            cr_assert_eq(utf8_span(text, cut), 0, "U+%04X", point);
    }
}

/* As many pairs are well-formed as the two-byte code points and the ASCII
 * pairs, and each four bytes as RFC 3629's table has rows for. */
Test(utf8, nothing_else_is_a_character)
{
    size_t good = 0;

    for (unsigned pair = 0; pair <= 0xffff; pair++) {
        const char text[] = {(char)(pair >> 8), (char)pair};

        good += is_character(text, 2);
    }
    cr_expect_eq(good, 128 * 128 + (0x800 - 0x80));

    good = 0;
    for (unsigned triple = 0x800000; triple <= 0xffffff; triple++) {
        const char text[] = {(char)(triple >> 16), (char)(triple >> 8),
                             (char)triple};

        good += is_character(text, 3);
    }
    /* Starting beyond ASCII: three bytes, or two and an ASCII one. */
    cr_expect_eq(good, (0x10000 - 0x800 - 0x800) + (0x800 - 0x80) * 128);
}

Test(utf8, span_stops_at_the_first_bad_byte)
{
    cr_expect_eq(utf8_span("", 0), 0);
    cr_expect_eq(utf8_span("abc", 3), 3);
    cr_expect_eq(utf8_span("a\xc3\xa9\xff"
                           "b",
                           5),
                 3);
    cr_expect_eq(utf8_span("\xf4\x90\x80\x80", 4), 0);
    cr_expect_eq(utf8_span("\xf5\x80\x80\x80", 4), 0);
    cr_expect_eq(utf8_span("\xf0\x8f\xbf\xbf", 4), 0);
    cr_expect_eq(utf8_span("a\0b", 3), 3);
}

Test(utf8, count_is_of_characters)
{
    cr_expect_eq(utf8_count("", 0), 0);
    cr_expect_eq(utf8_count("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10), 4);
}
