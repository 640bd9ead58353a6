// SPDX-License-Identifier: MIT
#include "decode.h"
#include "util.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

/* Decodes a copy without a byte after it, for valgrind and the sanitizers. */
static enum err
decode(const char *text, size_t len, json_t **value_out,
       struct decode_fault *fault_out)
{
    char *exact = malloc(len);
    enum err err;

    memcpy(exact, text, len);
    err = decode_json(exact, len, value_out, fault_out);
    free(exact);
    return err;
}

#define JANSSON_FLAGS (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES)

/* Texts that Jansson decodes right, as long as it has memory. */
Test(decode, values)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "10",
        "1.5",
        "-0.25",
        "1e2",
        "1E+2",
        "1e-2",
        "0e0",
        "0.0",
        "-0.0",
        "1.7976931348623157e308",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\u20AC\\uFFFF\"",
        "\"\\ud834\\udd1e\\uDBFF\\uDFFF\"",
        "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\"",
        "\"\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "[]",
        "[[]]",
        "[1,[2,\"3\"],{}]",
        " [ 1 , 2 ] ",
        "{}",
        "{\"\":{}}",
        "{\"a\":1,\"b\":[{\"a\":2}],\"c\":{\"a\":3}}",
        "\t\n\r {\t\"a\"\n:\r1 } \n",
        "{\"\\u0061\":1,\"A\":2}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        json_auto_t *value = NULL;
        json_auto_t *expected = json_loads(texts[i], JANSSON_FLAGS, NULL);
        struct decode_fault fault;

        cr_assert_not_null(expected, "%s", texts[i]);
        cr_assert_eq(decode(texts[i], strlen(texts[i]), &value, &fault), ERR_OK,
                     "%s", texts[i]);
        cr_expect(json_equal(value, expected), "%s", texts[i]);
    }
}

static void
assert_fault(const char *text, size_t len, enum err expected,
             const char *reason, size_t line, size_t column)
{
    json_auto_t *value = NULL;
    struct decode_fault fault = {0};

    cr_expect_eq(decode(text, len, &value, &fault), expected, "%s", text);
    cr_expect_eq(value != NULL, expected == ERR_INVALID, "%s", text);
    cr_assert_not_null(fault.text, "%s", text);
    cr_expect_not_null(strstr(fault.text, reason), "%s: %s", text, fault.text);
    cr_expect_eq(fault.line, line, "%s: line %zu", text, fault.line);
    cr_expect_eq(fault.column, column, "%s: column %zu", text, fault.column);
}

Test(decode, faults)
{
    static const struct {
        const char *text, *reason;
        size_t line, column;
    } cases[] = {
        {"", "unexpected end", 1, 1},
        {" ", "unexpected end", 1, 2},
        {"\n\n ", "unexpected end", 3, 2},
        {"nul", "expected a value", 1, 1},
        {"nulL", "expected a value", 1, 1},
        {"True", "expected a value", 1, 1},
        {"truefalse", "more text after its end", 1, 5},
        {"]", "expected a value", 1, 1},
        {"[", "unexpected end", 1, 2},
        {"[1", "unexpected end", 1, 3},
        {"[1,", "unexpected end", 1, 4},
        {"[1,]", "expected a value", 1, 4},
        {"[,1]", "expected a value", 1, 2},
        {"[1 2]", "expected \",\" or \"]\"", 1, 4},
        {"[1}", "expected \",\" or \"]\"", 1, 3},
        {"{", "unexpected end", 1, 2},
        {"{1:2}", "expected a member name", 1, 2},
        {"{\"a\"}", "expected \":\"", 1, 5},
        {"{\"a\" 1}", "expected \":\"", 1, 6},
        {"{\"a\":}", "expected a value", 1, 6},
        {"{\"a\":1,}", "expected a member name", 1, 8},
        {"{\"a\":1;\"b\":2}", "expected \",\" or \"}\"", 1, 7},
        {"{\"a\":1,\n\"\\u0061\":2}", "names a member twice", 2, 1},
        {"-", "unexpected end", 1, 2},
        {"-a", "expected a digit", 1, 2},
        {".5", "expected a value", 1, 1},
        {"1.", "unexpected end", 1, 3},
        {"1.e5", "expected a digit", 1, 3},
        {"1e", "unexpected end", 1, 3},
        {"1e+-2", "expected a digit", 1, 4},
        {"01", "more text after its end", 1, 2},
        {"1 1", "more text after its end", 1, 3},
        {"1.5.5", "more text after its end", 1, 4},
        {"\"", "unexpected end", 1, 2},
        {"\"\\\"", "unexpected end", 1, 4},
        {"\"\\", "unexpected end", 1, 3},
        {"\"\\x\"", "bad escape", 1, 2},
        {"\"\\u\"", "bad escape", 1, 2},
        {"\"\\u123\"", "bad escape", 1, 2},
        {"\"\\u12g4\"", "bad escape", 1, 2},
        {"\"\\u-123\"", "bad escape", 1, 2},
        {"\"\\u 123\"", "bad escape", 1, 2},
        {"\"a\\u0000\"", "NUL character", 1, 3},
        {"\"\\ud800\"", "half a surrogate pair", 1, 2},
        {"\"\\ud800\\\"", "unexpected end", 1, 10},
        {"\"\\ud800x\"", "half a surrogate pair", 1, 2},
        {"\"\\ud800\\u0041\"", "half a surrogate pair", 1, 2},
        {"\"\\ud800\\ud800\"", "half a surrogate pair", 1, 2},
        {"\"\\udc00\"", "half a surrogate pair", 1, 2},
        {"\"a\tb\"", "control character", 1, 3},
        {"\"a\nb\"", "control character", 1, 3},
        {"\"\xc3\xa9\x1f\"", "control character", 1, 3},
        {"\"\xc3\"", "bad UTF-8", 1, 2},
        {"\"\xc3\xa9\xa9\"", "bad UTF-8", 1, 3},
        {"\"\xc0\x80\"", "bad UTF-8", 1, 2},
        {"\"\xe0\x9f\xbf\"", "bad UTF-8", 1, 2},
        {"\"\xed\xa0\x80\"", "bad UTF-8", 1, 2},
        {"\"\xf0\x8f\xbf\xbf\"", "bad UTF-8", 1, 2},
        {"\"\xf4\x90\x80\x80\"", "bad UTF-8", 1, 2},
        {"\"\xf5\x80\x80\x80\"", "bad UTF-8", 1, 2},
        {"\"\xe2\x82", "bad UTF-8", 1, 2},
        {"\xef\xbb\xbfnull", "expected a value", 1, 1},
        {"[1]\n/* */", "more text after its end", 2, 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_fault(cases[i].text, strlen(cases[i].text), ERR_BADREQ,
                     cases[i].reason, cases[i].line, cases[i].column);
    assert_fault("1\0", 2, ERR_BADREQ, "NUL character", 1, 2);
    assert_fault("\0", 1, ERR_BADREQ, "NUL character", 1, 1);
    assert_fault("\"a\0\"", 4, ERR_BADREQ, "NUL character", 1, 3);
}

Test(decode, numbers_out_of_range_come_as_the_nearest_real)
{
    static const struct {
        const char *text;
        double real;
    } cases[] = {
        {"9223372036854775808", 0x1p63},
        {"-9223372036854775809", -0x1p63},
        {"100000000000000000000000000000", 1e29},
        {"1e400", 1.7976931348623157e308},
        {"-1e400", -1.7976931348623157e308},
        {"1.5e999999999999999999999", 1.7976931348623157e308},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *value = NULL;
        struct decode_fault fault;

        assert_fault(cases[i].text, strlen(cases[i].text), ERR_INVALID,
                     "out of range", 1, 1);
        decode(cases[i].text, strlen(cases[i].text), &value, &fault);
        cr_expect_eq(json_real_value(value), cases[i].real, "%s",
                     cases[i].text);
    }
    assert_fault("[1,\n 1e400,99999999999999999999]", 32, ERR_INVALID,
                 "out of range", 2, 2);
    /* A later syntax error counts more. */
    assert_fault("[1e400,", 7, ERR_BADREQ, "unexpected end", 1, 8);
}

Test(decode, reals_too_small_are_zero)
{
    json_auto_t *value = NULL;
    struct decode_fault fault;

    cr_assert_eq(decode("1e-400", 6, &value, &fault), ERR_OK);
    cr_expect_eq(json_real_value(value), 0);
}

static enum err
decode_nested(size_t depth)
{
    char *text = malloc(2 * depth);
    json_t *value = NULL;
    struct decode_fault fault;
    enum err err;

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    err = decode(text, 2 * depth, &value, &fault);
    if (err == ERR_BADREQ)
        cr_expect_str_eq(fault.text, "is nested too deeply");
    json_decref(value);
    free(text);
    return err;
}

Test(decode, depth_is_bounded)
{
    cr_expect_eq(decode_nested(DECODE_DEPTH_MAX), ERR_OK);
    cr_expect_eq(decode_nested(DECODE_DEPTH_MAX + 1), ERR_BADREQ);
    cr_expect_eq(decode_nested(1000000), ERR_BADREQ);
}

Test(decode, string_content)
{
    static const struct {
        const char *content, *expected; /* NULL: bad at bad_at */
        size_t bad_at;
    } cases[] = {
        {"", "", 0},
        {"a\\u00e9b",
         "a\xc3\xa9"
         "b",
         0},
        {"a\\", NULL, 1},
        {"ab\\q", NULL, 2},
        {"abc\x01", NULL, 3},
        {"\\ud83d\\ude0", NULL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[32];
        size_t len = 0, bad_at = 0;
        const char *fault = decode_string(
            cases[i].content, strlen(cases[i].content), text, &len, &bad_at);

        cr_expect_eq(fault == NULL, cases[i].expected != NULL, "%s",
                     cases[i].content);
        cr_expect_eq(bad_at, cases[i].bad_at, "%s", cases[i].content);
        if (fault == NULL) {
            text[len] = '\0';
            cr_expect_str_eq(text, cases[i].expected);
        }
    }
}

/* Small changes to good texts: both decoders must take the same ones, for the
 * same values. */
Test(decode, agrees_with_jansson)
{
    static const char seed_text[] =
        "{\"value\":{\"a\":[1,-2.5e3,\"\\u00e9\\n\xc3\xa9\"],\"b\":true},"
        "\"c\":null}";
    static const char alphabet[] = "{}[]:,\"\\ \n0e.-u1at\xc3\xa9\x01";
    uint32_t random = 1;
    int taken = 0;

    for (int round = 0; round < 40000; round++) {
        char text[sizeof(seed_text)];
        json_auto_t *value = NULL;
        json_auto_t *expected = NULL;
        struct decode_fault fault;
        size_t len = sizeof(seed_text) - 1;
        enum err err;

        memcpy(text, seed_text, sizeof(text));
        for (int change = 0; change < 1 + round % 3; change++) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % len] =
                alphabet[(random >> 20) % (sizeof(alphabet) - 1)];
        }
        err = decode(text, len, &value, &fault);
        expected = json_loadb(text, len, JANSSON_FLAGS, NULL);
        cr_assert_eq(err == ERR_OK, expected != NULL, "%s", text);
        cr_assert(expected == NULL || json_equal(value, expected), "%s", text);
        taken += expected != NULL;
    }
    cr_expect_gt(taken, 1000);
}
