// SPDX-License-Identifier: MIT
#include "auth/base64url.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 4648, section 10, without the padding; and the two other letters. */
Test(base64url, both_ways)
{
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg"},
        {"fooba", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "-_-_"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t bytes_len = strlen(cases[i].bytes), len = 99;
        unsigned char *bytes = NULL;
        auto_char *text =
            base64url_encode((const unsigned char *)cases[i].bytes, bytes_len);

        cr_assert_str_eq(text, cases[i].text);
        cr_assert_eq(base64url_decode(text, strlen(text), &bytes, &len), ERR_OK,
                     "%s", text);
        cr_assert_eq(len, bytes_len);
        cr_assert_eq(memcmp(bytes, cases[i].bytes, len), 0);
        free(bytes);
    }
}

Test(base64url, one_text_for_each_value)
{
    static const char *const bad[] = {
        "A",    "AAAAA", "Zh",    "Zm9",  "AB",         "AAB", "Zg=",
        "Zg==", "Zg=A",  "Zm9v=", "+_-_", "-/-_",       " Zg", "Zg ",
        "Z g",  "Zg\n",  ".",     "Zg.A", "Zg\xc3\xa9",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        unsigned char *bytes = NULL;
        size_t len = 99;

        cr_assert_eq(base64url_decode(bad[i], strlen(bad[i]), &bytes, &len),
                     ERR_INVALID, "%s", bad[i]);
        cr_assert_null(bytes);
    }
}

Test(base64url, span_ends_where_the_alphabet_does)
{
    cr_assert_eq(base64url_span("abc.def"), 3);
    cr_assert_eq(base64url_span("ab-_9="), 5);
    cr_assert_eq(base64url_span(""), 0);
}
