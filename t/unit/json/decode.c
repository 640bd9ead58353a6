// SPDX-License-Identifier: MIT
#include "json/decode.h"
#include "base/util.h"

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
             const char *reason, size_t line)
{
    json_auto_t *value = NULL;
    struct decode_fault fault = {0};

    cr_expect_eq(decode(text, len, &value, &fault), expected, "%s", text);
    cr_expect_eq(value != NULL, expected == ERR_INVALID, "%s", text);
    cr_assert_not_null(fault.text, "%s", text);
    cr_expect_not_null(strstr(fault.text, reason), "%s: %s", text, fault.text);
    cr_expect_eq(fault.line, line, "%s: line %zu", text, fault.line);
    cr_expect_geq(fault.column, 1, "%s", text);
}

Test(decode, faults)
{
    static const struct {
        const char *text, *reason;
        size_t line;
    } cases[] = {
        {"", "not valid JSON", 1},
        {"\n\n ", "not valid JSON", 3},
        {"nul", "syntax error", 1},
        {"True", "syntax error", 1},
        {"truefalse", "not valid JSON", 1},
        {"]", "syntax error", 1},
        {"[1", "unexpected end", 1},
        {"[1,]", "syntax error", 1},
        {"[1\n2]", "syntax error", 2},
        {"{\"a\"", "not valid JSON", 1},
        {"{1:2}", "syntax error", 1},
        {"{\"a\":1,\n\"\\u0061\":2}", "names a member twice", 2},
        {"-", "syntax error", 1},
        {".5", "syntax error", 1},
        {"1.e5", "not valid JSON", 1},
        {"01", "not valid JSON", 1},
        {"1\n1", "more text after its end", 2},
        {"\"", "unexpected end", 1},
        {"\"\\x\"", "syntax error", 1},
        {"\"\\u12g4\"", "syntax error", 1},
        {"\"a\\u0000\"", "NUL character", 1},
        {"{\"a\\u0000\":1}", "NUL character", 1},
        {"\"\\ud800\"", "syntax error", 1},
        {"\"\\udc00\"", "syntax error", 1},
        {"\"a\tb\"", "syntax error", 1},
        {"\"\xc3\"", "bad UTF-8", 1},
        {"\"\xc0\x80\"", "bad UTF-8", 1},
        {"\"\xed\xa0\x80\"", "bad UTF-8", 1},
        {"\"\xf4\x90\x80\x80\"", "bad UTF-8", 1},
        {"\xef\xbb\xbfnull", "syntax error", 1},
        {"[1]\n/* */", "more text after its end", 2},
        {"1e400", "out of range", 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_fault(cases[i].text, strlen(cases[i].text), ERR_BADREQ,
                     cases[i].reason, cases[i].line);
    assert_fault("1\0", 2, ERR_BADREQ, "NUL character", 1);
    assert_fault("\0", 1, ERR_BADREQ, "NUL character", 1);
    assert_fault("\"a\n\0\"", 5, ERR_BADREQ, "NUL character", 2);
}

/* The text of a fault is one of a few, so it cannot quote a secret. */
Test(decode, the_place_is_told)
{
    struct decode_fault fault;
    json_t *value;

    cr_assert_eq(decode("{\"a\": nope}", 11, &value, &fault), ERR_BADREQ);
    cr_expect_eq(fault.line, 1);
    cr_expect_eq(fault.column, 10);
    cr_assert_eq(decode("[1,\n \0]", 7, &value, &fault), ERR_BADREQ);
    cr_expect_eq(fault.line, 2);
    cr_expect_eq(fault.column, 2);
}

Test(decode, integers_out_of_range_come_as_reals)
{
    static const struct {
        const char *text;
        double real;
    } cases[] = {
        {"9223372036854775808", 0x1p63},
        {"-9223372036854775809", -0x1p63},
        {"100000000000000000000000000000", 1e29},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *value = NULL;
        struct decode_fault fault;

        assert_fault(cases[i].text, strlen(cases[i].text), ERR_INVALID,
                     "out of range", 1);
        decode(cases[i].text, strlen(cases[i].text), &value, &fault);
        cr_expect_eq(json_real_value(value), cases[i].real, "%s",
                     cases[i].text);
    }
    assert_fault("[1,\n 99999999999999999999]", 26, ERR_INVALID, "out of range",
                 2);
    /* A later syntax error counts more. */
    assert_fault("[99999999999999999999,", 22, ERR_BADREQ, "unexpected end", 1);
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
    cr_expect_eq(decode_nested(JSON_PARSER_MAX_DEPTH), ERR_OK);
    cr_expect_eq(decode_nested(JSON_PARSER_MAX_DEPTH + 1), ERR_BADREQ);
    cr_expect_eq(decode_nested(1000000), ERR_BADREQ);
}
