// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

/* What Jansson makes of it. */
static void
assert_json(const char *json, size_t len, const char *expected, size_t size)
{
    char quoted[UTF8_JSON_MAX + 2] = "\"";
    json_t *text;

    memcpy(quoted + 1, json, len);
    quoted[len + 1] = '"';
    text = json_loadb(quoted, len + 2, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(text, "%.*s", (int)len, json);
    cr_assert_eq(json_string_length(text), size);
    cr_assert_arr_eq(json_string_value(text), expected, size);
    json_decref(text);
}

Test(utf8, every_character_is_written_and_read)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char plain[UTF8_JSON_MAX], ascii[UTF8_JSON_MAX], *text = plain;
        size_t len, ascii_len;
        uint32_t again;

        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        len = utf8_put_json(plain, point, false);
        ascii_len = utf8_put_json(ascii, point, true);
        for (size_t i = 0; i < ascii_len; i++)
            cr_assert(ascii[i] >= ' ' && ascii[i] < 0x7f);
        if (point < 0x20) {
            cr_assert_eq(len, 6);
            continue;
        }
        text += *plain == '\\'; /* the escape of " and of itself */
        len -= *plain == '\\';
        cr_assert_eq(utf8_read(text, len, &again), len);
        cr_assert_eq(again, point);
        if (point < 0x3000 || point % 97 == 0)
            assert_json(ascii, ascii_len, text, len);
    }
}

Test(utf8, what_begins_no_character_is_a_byte)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xc3z",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80",
        "\xf5",
        "\xff",
    };
    char json[UTF8_JSON_MAX];
    uint32_t point = 0;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        cr_expect_eq(utf8_read(wrong[i], strlen(wrong[i]), &point), 1);
        cr_expect_eq(point, UTF8_NONE);
    }
    cr_expect_eq(utf8_put_json(json, UTF8_NONE, false), 6);
    cr_expect_arr_eq(json, "\\ufffd", 6);
}

Test(utf8, only_what_must_be_is_escaped_unless_it_is_to_be_ascii)
{
    static const struct {
        uint32_t point;
        const char *plain, *ascii;
    } cases[] = {
        {'a', "a", "a"},
        {'/', "/", "/"},
        {'"', "\\\"", "\\\""},
        {'\\', "\\\\", "\\\\"},
        {'\n', "\\u000a", "\\u000a"},
        {0x7f, "\x7f", "\\u007f"},
        {0x9b, "\xc2\x9b", "\\u009b"},
        {0x202e, "\xe2\x80\xae", "\\u202e"},
        {0xfffd, "\xef\xbf\xbd", "\\ufffd"},
        {0x1f600, "\xf0\x9f\x98\x80", "\\ud83d\\ude00"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char json[UTF8_JSON_MAX + 1];

        json[utf8_put_json(json, cases[i].point, false)] = '\0';
        cr_expect_str_eq(json, cases[i].plain);
        json[utf8_put_json(json, cases[i].point, true)] = '\0';
        cr_expect_str_eq(json, cases[i].ascii);
    }
}

Test(utf8, characters_are_counted)
{
    cr_expect_eq(utf8_count("", 0), 0);
    cr_expect_eq(utf8_count("abc", 3), 3);
    cr_expect_eq(utf8_count("a\xc3\xa9\xf0\x9f\x98\x80z", 8), 4);
}
