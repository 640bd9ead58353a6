// SPDX-License-Identifier: MIT
/* Values: what is made of one, and whom a secret may be sent to. */
#include "model/config_keys.h"

#include "base/util.h"
#include "lib/no_memory.h"
#include "lib/outcome.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(config_value, unset_values_are_valid_and_canonical)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        auto_char *body = NULL;
        struct outcome outcome;

        if (key->unset == NULL)
            continue;
        cr_assert_geq(asprintf(&body, "{\"value\":%s}", key->unset), 0);
        outcome = parse_bytes(key, body, strlen(body), true);
        cr_assert_eq(outcome.err, ERR_OK, "%s", key->name);
        cr_expect_str_eq(outcome.value, key->unset);
        outcome_clear(&outcome);
    }
}

static void
assert_rendered(const char *name, const char *value, int64_t updated_at,
                const char *expected)
{
    size_t len = 0;
    auto_char *body = config_key_render(config_key_find(name), value,
                                        strlen(value), updated_at, &len);

    cr_assert_not_null(body);
    cr_expect_str_eq(body, expected);
    cr_expect_eq(len, strlen(expected), "%zu for %s", len, expected);
}

Test(config_value, render)
{
    assert_rendered("on_hold_timer_duration", "20", 1626207505,
                    "{\"value\":20,\"updated_at\":\"2021-07-13T20:18:25Z\"}");
    assert_rendered("on_hold_timer_duration", "-9223372036854775808", 0,
                    "{\"value\":-9223372036854775808,"
                    "\"updated_at\":\"1970-01-01T00:00:00Z\"}");
    assert_rendered("sales_order_generator_sequence", "{}", 0,
                    "{\"value\":{},\"updated_at\":\"1970-01-01T00:00:00Z\"}");
    assert_rendered("cancellation_allowed_from", "[\"store\"]", 951782400,
                    "{\"value\":[\"store\"],"
                    "\"updated_at\":\"2000-02-29T00:00:00Z\"}");
}

Test(config_value, render_of_a_flat_key_repeats_its_members)
{
    assert_rendered("external_oms", "{\"enabled\":true}", 1626207505,
                    "{\"value\":{\"enabled\":true},"
                    "\"updated_at\":\"2021-07-13T20:18:25Z\","
                    "\"enabled\":true}");
}

Test(config_value, render_keeps_the_time_within_rfc_3339)
{
    assert_rendered("on_hold_timer_duration", "0", 253402300799,
                    "{\"value\":0,\"updated_at\":\"9999-12-31T23:59:59Z\"}");
    assert_rendered("on_hold_timer_duration", "0", INT64_MAX,
                    "{\"value\":0,\"updated_at\":\"9999-12-31T23:59:59Z\"}");
    assert_rendered("on_hold_timer_duration", "0", -1,
                    "{\"value\":0,\"updated_at\":\"1970-01-01T00:00:00Z\"}");
}

Test(config_value, check_of_a_value_alone)
{
    static const struct {
        const char *key, *text;
        bool is_strict;
        enum err err;
        const char *expected; /* value, or messages */
    } cases[] = {
        {"on_hold_timer_duration", "20.0", false, ERR_OK, "20"},
        {"on_hold_timer_duration", "\"20\"", false, ERR_INVALID,
         "value: must be an integer\n"},
        {"external_oms", "{\"enabled\":true,\"x\":1}", false, ERR_OK,
         "{\"enabled\":true}"},
        {"external_oms", "{\"enabled\":true,\"x\":1}", true, ERR_INVALID,
         "value.x: is not a known member\n"},
        {"external_oms", "{\"value\":{\"enabled\":true}}", false, ERR_INVALID,
         "value.enabled: is required\n"},
        {"cancellation_allowed_from", "[\"dc\",\"shop\",1]", false, ERR_INVALID,
         "value[1]: must be one of \"store\", \"dc\"\n"
         "value[2]: must be a string\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outcome outcome = check_text(config_key_find(cases[i].key),
                                            cases[i].text, cases[i].is_strict);
        auto_char *messages = outcome_lines(outcome.messages);

        cr_expect_eq(outcome.err, cases[i].err, "%s", cases[i].text);
        cr_expect_str_eq(outcome.err == ERR_OK ? outcome.value : messages,
                         cases[i].expected);
        outcome_clear(&outcome);
    }
}

/* A body with this URL, where only these schemes may be. */
static struct outcome
parse_url(const char *url, const char *schemes)
{
    const struct config_rules rules = {.schemes = schemes};
    struct outcome outcome = {.messages = json_array()};
    auto_char *body = NULL;
    json_t *value = NULL;

    cr_assert_geq(
        asprintf(&body, "{\"value\":{\"url\":%s,\"api_key\":\"k\"}}", url), 0);
    outcome.err =
        config_key_parse(config_key_find("external_order_webhook"), body,
                         strlen(body), &rules, outcome.messages, &value);
    outcome_encode(&outcome, value);
    return outcome;
}

Test(config_value, a_recipient_has_a_scheme_that_is_allowed)
{
    static const struct {
        const char *url, *schemes, *expected; /* messages */
    } cases[] = {
        {"\"https://a/\"", "https", ""},
        {"\"HttpS://a/\"", "https", ""},
        {"\"http://a/\"", NULL, ""},
        {"\"http://a/\"", "https,http", ""},
        {"\"urn:a:b\"", "https,urn", ""},
        {"\"http://a/\"", "https", "value.url: must have the scheme https\n"},
        {"\"https.x://a/\"", "https",
         "value.url: must have the scheme https\n"},
        {"\"ftp://a/\"", "https,http,urn",
         "value.url: must have the scheme https or http or urn\n"},
        {"\"/a\"", "https",
         "value.url: must be an absolute URI\n"
         "value.url: must have the scheme https\n"},
        {"1", "https", "value.url: must be a string\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outcome outcome = parse_url(cases[i].url, cases[i].schemes);
        auto_char *messages = outcome_lines(outcome.messages);

        cr_expect_str_eq(messages, cases[i].expected, "%s: %s", cases[i].url,
                         messages);
        cr_expect_eq(outcome.err,
                     *cases[i].expected == '\0' ? ERR_OK : ERR_INVALID);
        outcome_clear(&outcome);
    }
}

Test(config_value, the_schemes_hold_for_a_value_alone_too)
{
    static const char text[] = "{\"url\":\"http://a/\",\"api_key\":\"k\"}";
    static const struct config_rules rules = {.schemes = "https"};
    const struct config_key *key = config_key_find("external_order_webhook");
    json_auto_t *messages = json_array();
    json_auto_t *stored = json_loads(text, 0, NULL);
    json_t *value = NULL;

    cr_assert_eq(
        config_key_check(key, text, strlen(text), &rules, messages, &value),
        ERR_INVALID);
    cr_assert_eq(config_key_check_json(key, stored, &rules, messages, &value),
                 ERR_INVALID);
    cr_assert_null(value);
    auto_char *all = outcome_lines(messages);
    cr_expect_str_eq(all, "value.url: must have the scheme https\n"
                          "value.url: must have the scheme https\n");
}

/* A key that sends nothing anywhere, and has a url of its own or not. */
Test(config_value, the_schemes_are_for_recipients_alone)
{
    static const struct config_rules rules = {.schemes = "https"};
    json_auto_t *messages = json_array();
    json_auto_t *value = NULL;

    cr_assert_eq(config_key_check(config_key_find("external_oms"),
                                  "{\"enabled\":true,\"url\":\"http://a/\"}",
                                  34, &rules, messages, &value),
                 ERR_OK);
}

Test(config_value, render_without_memory)
{
    auto_char *body = NULL;
    size_t len;

    no_memory_after(0);
    body = config_key_render(&config_keys[0], "{}", 2, 0, &len);
    cr_expect_eq(no_memory_end(), body == NULL);
}
