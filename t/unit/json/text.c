// SPDX-License-Identifier: MIT
#include "json/text.h"
#include "base/timestamp.h"
#include "base/util.h"

#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <string.h>

static void
assert_text(struct buf *buf, bool is_added, const char *expected)
{
    cr_expect(is_added);
    cr_expect_eq(buf->len, strlen(expected));
    cr_expect(memcmp(buf->data, expected, buf->len) == 0, "not %s", expected);
    buf_clear(buf);
}

Test(json_text, strings)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "\"\""},
        {"alice", "\"alice\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\x01\n\x1f \x7f", "\"\\u0001\\u000a\\u001f \x7f\""},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"a\xff\xc3z\"", "\"a\\ufffd\\ufffdz\\\"\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
         "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\""},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
         "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
        {"\xc0\x80\xc1\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xf5", "\"\\ufffd\""},
        {"a\xf0\x9f\x98", "\"a\\ufffd\\ufffd\\ufffd\""},
        {"\xe2\x82z", "\"\\ufffd\\ufffdz\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = {0};

        assert_text(&buf, json_text_add_string(&buf, cases[i].text),
                    cases[i].expected);
    }
}

Test(json_text, numbers_and_text)
{
    struct buf buf = {0};

    cr_assert(json_text_add(&buf, "{\"a\":"));
    cr_assert(json_text_add_number(&buf, 0));
    cr_assert(json_text_add(&buf, ","));
    assert_text(&buf, json_text_add_number(&buf, UINT64_MAX),
                "{\"a\":0,18446744073709551615");
}

Test(json_text, times)
{
    static const struct {
        int64_t seconds;
        const char *expected;
    } cases[] = {
        {0, "\"1970-01-01T00:00:00Z\""},
        {-1, "\"1970-01-01T00:00:00Z\""},
        {951782400, "\"2000-02-29T00:00:00Z\""},
        {1626207505, "\"2021-07-13T20:18:25Z\""},
        {253402300799, "\"9999-12-31T23:59:59Z\""},
        {INT64_MAX, "\"9999-12-31T23:59:59Z\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = {0};

        assert_text(&buf, json_text_add_time(&buf, cases[i].seconds),
                    cases[i].expected);
    }
}

static bool
add_something(struct buf *buf, int what)
{
    switch (what) {
    case 0:
        return json_text_add(buf, "x");
    case 1:
        return json_text_add_string(buf, "x");
    case 2:
        return json_text_add_number(buf, 1);
    default:
        return json_text_add_time(buf, 1); /* reads the time zone, once */
    }
}

Test(json_text, no_memory_is_told)
{
    for (int what = 0; what < 4; what++) {
        struct buf buf = {0};

        (void)add_something(&buf, what);
        buf_clear(&buf);
        no_memory_after(0);
        if (add_something(&buf, what))
            cr_expect_not(no_memory_end());
        else
            cr_expect(no_memory_end() && buf.len == 0);
        buf_clear(&buf);
    }
}
