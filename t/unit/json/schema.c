// SPDX-License-Identifier: MIT
#include "base/util.h"
#include "json/messages.h"
#include "json/schema.h"

#include <criterion/criterion.h>
#include <string.h>

/* Checks JSON text at the path "v"; the messages are joined by "|". */
static void
assert_checked(const struct schema *schema, const char *text, bool is_strict,
               const char *expected_value, const char *expected_messages)
{
    json_auto_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    json_auto_t *before = json_deep_copy(value);
    json_auto_t *messages = json_array();
    json_auto_t *canonical = NULL;
    auto_char *canonical_text = NULL;
    char joined[4096] = "";
    char *end = joined;
    enum err err;

    cr_assert_not_null(value, "%s", text);
    err = validate(schema, value, "v", is_strict, messages, &canonical);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        if (i > 0)
            end = stpcpy(end, "|");
        end = stpcpy(end, json_string_value(json_array_get(messages, i)));
    }
    canonical_text = json_dumps(canonical, JSON_COMPACT | JSON_ENCODE_ANY);

    cr_expect_str_eq(joined, expected_messages, "%s: %s", text, joined);
    cr_expect_eq(err, expected_value != NULL ? ERR_OK : ERR_INVALID, "%s",
                 text);
    cr_expect_eq(canonical != NULL, expected_value != NULL, "%s", text);
    if (expected_value != NULL && canonical_text != NULL)
        cr_expect_str_eq(canonical_text, expected_value, "%s", text);
    cr_expect(json_equal(value, before), "%s: the input was changed", text);
}

static void
assert_good(const struct schema *schema, const char *text, const char *expected)
{
    assert_checked(schema, text, false, expected, "");
}

static void
assert_bad(const struct schema *schema, const char *text, const char *expected)
{
    assert_checked(schema, text, false, NULL, expected);
}

static const struct schema any_integer = {SCHEMA_ANY_INTEGER};
static const struct schema small = {
    .type = SCHEMA_INTEGER, .min = -2, .max = 3};
static const struct schema boolean = {.type = SCHEMA_BOOLEAN};
static const struct schema string = {.type = SCHEMA_STRING};
static const struct schema two_characters = {.type = SCHEMA_STRING,
                                             .min_length = 2};
static const struct schema uri = {.type = SCHEMA_STRING, .is_uri = true};
static const struct schema one = {
    .type = SCHEMA_STRING, .one_of = (const char *const[]){"only", NULL}};
static const struct schema pairs = {
    .type = SCHEMA_ARRAY,
    .items = &(const struct schema){
        .type = SCHEMA_ARRAY, .min_length = 2, .items = &small}};

static const struct schema tree = {
    .type = SCHEMA_OBJECT,
    .members =
        (const struct schema_member[]){
            {.name = "b", .schema = {.type = SCHEMA_BOOLEAN}, .unset = "true"},
            {.name = "list",
             .schema = {.type = SCHEMA_ARRAY,
                        .items =
                            &(const struct schema){
                                .type = SCHEMA_OBJECT,
                                .members =
                                    (const struct schema_member[]){
                                        {.name = "n",
                                         .schema = {SCHEMA_ANY_INTEGER},
                                         .is_required = true},
                                        {.name = NULL}}}},
             .unset = "[{\"n\":7}]"},
            {.name = "s",
             .schema = {.type = SCHEMA_STRING},
             .is_required = true},
            {.name = NULL}}};

Test(validate, booleans)
{
    assert_good(&boolean, "true", "true");
    assert_good(&boolean, "false", "false");
    assert_bad(&boolean, "0", "v: must be a boolean");
    assert_bad(&boolean, "null", "v: must be a boolean");
    assert_bad(&boolean, "\"true\"", "v: must be a boolean");
}

Test(validate, integers)
{
    assert_good(&any_integer, "9223372036854775807", "9223372036854775807");
    assert_good(&any_integer, "-9223372036854775808", "-9223372036854775808");
    assert_good(&any_integer, "-9223372036854775808.0", "-9223372036854775808");
    assert_good(&any_integer, "9223372036854774784.0", "9223372036854774784");
    assert_good(&any_integer, "-0.0", "0");
    assert_good(&any_integer, "1e18", "1000000000000000000");
    assert_bad(&any_integer, "9223372036854775808.0",
               "v: must be at most 9223372036854775807");
    assert_bad(&any_integer, "-9223372036854777856.0",
               "v: must be at least -9223372036854775808");
    assert_bad(&any_integer, "0.5", "v: must be an integer");
    assert_bad(&any_integer, "4503599627370495.5", "v: must be an integer");
    assert_bad(&any_integer, "true", "v: must be an integer");
    assert_bad(&any_integer, "\"1\"", "v: must be an integer");
}

Test(validate, integer_bounds_are_inclusive)
{
    assert_good(&small, "-2", "-2");
    assert_good(&small, "3", "3");
    assert_good(&small, "3.0", "3");
    assert_bad(&small, "-3", "v: must be at least -2");
    assert_bad(&small, "4", "v: must be at most 3");
    assert_bad(&small, "4.0", "v: must be at most 3");
    assert_bad(&small, "1e300", "v: must be at most 3");
    assert_bad(&small, "-1e300", "v: must be at least -2");
}

Test(validate, string_length_is_in_characters)
{
    assert_good(&string, "\"\"", "\"\"");
    assert_good(&two_characters, "\"\xc3\xa9\xe2\x82\xac\"",
                "\"\xc3\xa9\xe2\x82\xac\"");
    assert_bad(&two_characters, "\"\xf0\x9f\x98\x80\"",
               "v: must have at least 2 characters");
    assert_bad(&two_characters, "[]", "v: must be a string");
}

Test(validate, uris)
{
    assert_good(&uri, "\"https://example.com/\"", "\"https://example.com/\"");
    assert_good(&uri, "\"urn:a:b\"", "\"urn:a:b\"");
    assert_bad(&uri, "\"/a\"", "v: must be an absolute URI");
    assert_bad(&uri, "\"\"", "v: must be an absolute URI");
    assert_bad(&uri, "\"https://example.com/ \"", "v: must be an absolute URI");
}

/* As long as a body can be: the parser must neither be slow nor recurse out of
 * its stack. */
Test(validate, long_uris, .timeout = 10)
{
    static const char *const pieces[] = {"a", "/", "%41", ":", "@",  "?",
                                         "1", ".", "a@",  "[", "//", "../"};
    enum { LENGTH = 65000 };
    char *text = malloc(LENGTH + 16);

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        static const char *const starts[] = {"x:", "http://", "http://h/"};

        for (size_t j = 0; j < ARRAY_SIZE(starts); j++) {
            json_auto_t *messages = json_array();
            json_auto_t *canonical = NULL;
            json_auto_t *value = NULL;
            char *at = stpcpy(text, starts[j]);
            enum err err;

            while (at - text < LENGTH)
                at = stpcpy(at, pieces[i]);
            value = json_string(text);
            err = validate(&uri, value, "v", false, messages, &canonical);
            cr_expect(err == ERR_OK || err == ERR_INVALID);
            if (i == 0)
                cr_expect_eq(err, ERR_OK);
        }
    }
    free(text);
}

Test(validate, one_of)
{
    assert_good(&one, "\"only\"", "\"only\"");
    assert_bad(&one, "\"other\"", "v: must be one of \"only\"");
    assert_bad(&one, "1", "v: must be a string");
}

Test(validate, nested_arrays_name_the_item)
{
    assert_good(&pairs, "[]", "[]");
    assert_good(&pairs, "[[1,2],[3,-2,0.0]]", "[[1,2],[3,-2,0]]");
    assert_bad(&pairs, "[[1,2],[9],5,[1,\"x\"]]",
               "v[1]: must have at least 2 items|v[1][0]: must be at most 3|"
               "v[2]: must be an array|v[3][1]: must be an integer");
}

Test(validate, objects_are_made_canonical)
{
    assert_good(&tree, "{\"s\":\"x\"}",
                "{\"b\":true,\"list\":[{\"n\":7}],\"s\":\"x\"}");
    assert_good(&tree,
                "{\"z\":1,\"s\":\"x\",\"list\":[{\"m\":1,\"n\":2.0}],"
                "\"b\":false}",
                "{\"b\":false,\"list\":[{\"n\":2}],\"s\":\"x\"}");
}

Test(validate, every_violation_of_an_object_is_listed)
{
    assert_bad(&tree, "{\"b\":null,\"list\":[{},{\"n\":true},3]}",
               "v.b: must be a boolean|v.list[0].n: is required|"
               "v.list[1].n: must be an integer|v.list[2]: must be an object|"
               "v.s: is required");
}

Test(validate, a_null_is_not_an_absent_member)
{
    assert_bad(&tree, "{\"s\":\"x\",\"list\":null}",
               "v.list: must be an array");
}

Test(validate, unknown_members_are_violations_if_strict)
{
    assert_checked(&tree, "{\"s\":\"x\"}", true,
                   "{\"b\":true,\"list\":[{\"n\":7}],\"s\":\"x\"}", "");
    assert_checked(&tree, "{\"s\":1,\"x\":1,\"list\":[{\"n\":1,\"y\":2}]}",
                   true, NULL,
                   "v.list[0].y: is not a known member|v.s: must be a string|"
                   "v.x: is not a known member");
}

static void
assert_unknown(const char *path, const char *name, const char *expected)
{
    json_auto_t *messages = json_array();

    cr_expect_eq(messages_add_unknown(messages, path, name), ERR_INVALID);
    cr_expect_str_eq(json_string_value(json_array_get(messages, 0)), expected);
}

Test(validate, unknown_names_are_shown_short_and_printable)
{
    char longest[66];

    assert_unknown("", "a", "a: is not a known member");
    assert_unknown("v", "a-b_c$", "v.a-b_c$: is not a known member");
    assert_unknown("", "", "[\"\"]: is not a known member");
    assert_unknown("v", "a b", "v[\"a b\"]: is not a known member");
    assert_unknown("v", "a.b", "v[\"a.b\"]: is not a known member");
    assert_unknown("v", "a\"]: ok", "v[\"a?]: ok\"]: is not a known member");
    assert_unknown("v", "\n\x1b[0m\xe2\x80\xae\\",
                   "v[\"??[0m????\"]: is not a known member");

    memset(longest, 'n', 65);
    longest[64] = '\0';
    assert_unknown("", longest,
                   "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                   "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: is not a known member");
    longest[64] = 'n';
    longest[65] = '\0';
    assert_unknown("", longest,
                   "[\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                   "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...\"]: is not a known "
                   "member");
}

Test(validate, messages_grow)
{
    json_auto_t *messages = json_pack("[s]", "first");

    cr_expect_eq(messages_add(messages, "%s: %d", "second", 2), ERR_INVALID);
    cr_expect_eq(json_array_size(messages), 2);
    cr_expect_str_eq(json_string_value(json_array_get(messages, 1)),
                     "second: 2");
}

Test(validate, members_are_found_by_name)
{
    cr_expect_eq(schema_find(&tree, "s"), &tree.members[2]);
    cr_expect_null(schema_find(&tree, "S"));
    cr_expect_null(schema_find(&tree, ""));
}
