// SPDX-License-Identifier: MIT
#include "model/config_keys.h"
#include "base/util.h"
#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* A file's bytes, from malloc, with a NUL after them. */
static char *
slurp(const char *path, size_t *len_out)
{
    FILE *file = fopen(path, "rb");
    size_t size = 1 << 17;
    char *bytes = malloc(size);
    size_t len;

    cr_assert(file != NULL && bytes != NULL, "cannot read %s", path);
    len = fread(bytes, 1, size - 1, file);
    cr_assert(feof(file), "%s is too long", path);
    fclose(file);
    bytes[len] = '\0';
    *len_out = len;
    return bytes;
}

/* The messages as lines. */
static char *
lines(const json_t *messages)
{
    char *text = calloc(1, 1 << 20);
    char *at = text;

    for (size_t i = 0; i < json_array_size(messages); i++) {
        at = stpcpy(at, json_string_value(json_array_get(messages, i)));
        at = stpcpy(at, "\n");
    }
    return text;
}

struct outcome {
    enum err err;
    char *value;
    json_t *messages;
};

/* Takes the value, and has its text. */
static void
encode(struct outcome *outcome, json_t *value)
{
    if (outcome->err == ERR_OK)
        outcome->err = config_key_encode(value, &outcome->value);
    json_decref(value);
}

static struct outcome
parse_bytes(const struct config_key *key, const char *body, size_t len,
            bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome outcome = {.messages = json_array()};
    /* Without a NUL after it, for valgrind and the address sanitizer. */
    char *exact = malloc(len);
    json_t *value = NULL;

    memcpy(exact, body, len);
    outcome.err =
        config_key_parse(key, exact, len, &rules, outcome.messages, &value);
    free(exact);
    encode(&outcome, value);
    return outcome;
}

static void
outcome_clear(struct outcome *outcome)
{
    free(outcome->value);
    json_decref(outcome->messages);
}

static void
assert_good(const struct config_key *key, const char *path, const char *body,
            size_t len, const char *expected, bool is_strict)
{
    struct outcome outcome = parse_bytes(key, body, len, is_strict);
    auto_char *problems = lines(outcome.messages);

    cr_expect_eq(outcome.err, ERR_OK, "%s: refused: %s", path, problems);
    cr_expect_str_empty(problems, "%s: %s", path, problems);
    cr_assert_not_null(outcome.value, "%s", path);
    cr_expect_eq(strlen(outcome.value) + 1, strlen(expected), "%s", path);
    cr_expect_eq(strncmp(outcome.value, expected, strlen(outcome.value)), 0,
                 "%s: %s", path, outcome.value);
    outcome_clear(&outcome);
}

static void
assert_bad(const struct config_key *key, const char *path, const char *body,
           size_t len, const char *expected, bool is_strict)
{
    struct outcome outcome = parse_bytes(key, body, len, is_strict);
    auto_char *problems = lines(outcome.messages);

    cr_expect(outcome.err == ERR_BADREQ || outcome.err == ERR_INVALID,
              "%s: err %d", path, outcome.err);
    cr_expect_null(outcome.value, "%s", path);
    cr_expect_str_eq(problems, expected, "%s: %s", path, problems);
    outcome_clear(&outcome);
}

typedef void assert_case_fn(const struct config_key *key, const char *path,
                            const char *body, size_t len, const char *expected,
                            bool is_strict);

/* Runs every NAME.json of t/data/KEY/kind against NAME.json.expected; a name
 * that starts with "strict-" is parsed so. */
static void
run_cases(const struct config_key *key, const char *kind,
          assert_case_fn *assert_case)
{
    auto_char *directory = NULL;
    struct dirent **entries = NULL;
    int count, run = 0;

    cr_assert_geq(asprintf(&directory, "%s/t/data/%s/%s", getenv("SRCDIR"),
                           key->name, kind),
                  0);
    count = scandir(directory, &entries, NULL, alphasort);
    cr_assert_gt(count, 0, "cannot read %s", directory);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const char *suffix = strrchr(name, '.');

        if (suffix != NULL && strcmp(suffix, ".json") == 0) {
            auto_char *path = NULL, *answer = NULL, *body = NULL,
                      *expected = NULL;
            size_t len, ignored;

            cr_assert_geq(asprintf(&path, "%s/%s", directory, name), 0);
            cr_assert_geq(asprintf(&answer, "%s.expected", path), 0);
            body = slurp(path, &len);
            expected = slurp(answer, &ignored);
            assert_case(key, path, body, len, expected,
                        strncmp(name, "strict-", 7) == 0);
            run++;
        }
        free(entries[i]);
    }
    free(entries);
    cr_assert_gt(run, 0, "no case in %s", directory);
}

Test(config_keys, good_bodies)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "good", assert_good);
}

Test(config_keys, bad_bodies)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "bad", assert_bad);
}

Test(config_keys, find_knows_the_names_and_no_others)
{
    static const char *const others[] = {
        "",
        "external",
        "external_oms ",
        "External_Oms",
        "value",
        "on_hold_timer_durations",
    };

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        cr_expect_eq(config_key_find(config_keys[i].name), &config_keys[i]);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_null(config_key_find(others[i]), "%s", others[i]);
}

Test(config_keys, unset_values_are_valid_and_canonical)
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

Test(config_keys, only_the_webhook_has_no_unset_value_and_a_secret)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        bool is_webhook = strcmp(key->name, "external_order_webhook") == 0;

        cr_expect_eq(key->unset == NULL, is_webhook, "%s", key->name);
        cr_expect_eq(key->secret != NULL, is_webhook, "%s", key->name);
        cr_expect_eq(key->is_once,
                     strcmp(key->name, "sales_order_generator_sequence") == 0,
                     "%s", key->name);
        cr_expect_eq(key->is_flat, strcmp(key->name, "external_oms") == 0, "%s",
                     key->name);
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

Test(config_keys, render)
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

Test(config_keys, render_of_a_flat_key_repeats_its_members)
{
    assert_rendered("external_oms", "{\"enabled\":true}", 1626207505,
                    "{\"value\":{\"enabled\":true},"
                    "\"updated_at\":\"2021-07-13T20:18:25Z\","
                    "\"enabled\":true}");
}

Test(config_keys, render_keeps_the_time_within_rfc_3339)
{
    assert_rendered("on_hold_timer_duration", "0", 253402300799,
                    "{\"value\":0,\"updated_at\":\"9999-12-31T23:59:59Z\"}");
    assert_rendered("on_hold_timer_duration", "0", INT64_MAX,
                    "{\"value\":0,\"updated_at\":\"9999-12-31T23:59:59Z\"}");
    assert_rendered("on_hold_timer_duration", "0", -1,
                    "{\"value\":0,\"updated_at\":\"1970-01-01T00:00:00Z\"}");
}

/* A value by itself. */
static struct outcome
check_text(const struct config_key *key, const char *text, bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome outcome = {.messages = json_array()};
    json_t *value = NULL;

    outcome.err = config_key_check(key, text, strlen(text), &rules,
                                   outcome.messages, &value);
    encode(&outcome, value);
    return outcome;
}

Test(config_keys, check_of_a_value_alone)
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
        auto_char *messages = lines(outcome.messages);

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
    encode(&outcome, value);
    return outcome;
}

Test(config_keys, a_recipient_has_a_scheme_that_is_allowed)
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
        auto_char *messages = lines(outcome.messages);

        cr_expect_str_eq(messages, cases[i].expected, "%s: %s", cases[i].url,
                         messages);
        cr_expect_eq(outcome.err,
                     *cases[i].expected == '\0' ? ERR_OK : ERR_INVALID);
        outcome_clear(&outcome);
    }
}

Test(config_keys, the_schemes_hold_for_a_value_alone_too)
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
    auto_char *all = lines(messages);
    cr_expect_str_eq(all, "value.url: must have the scheme https\n"
                          "value.url: must have the scheme https\n");
}

/* A key that sends nothing anywhere, and has a url of its own or not. */
Test(config_keys, the_schemes_are_for_recipients_alone)
{
    static const struct config_rules rules = {.schemes = "https"};
    json_auto_t *messages = json_array();
    json_auto_t *value = NULL;

    cr_assert_eq(config_key_check(config_key_find("external_oms"),
                                  "{\"enabled\":true,\"url\":\"http://a/\"}",
                                  34, &rules, messages, &value),
                 ERR_OK);
}

/* What is read can be written back as it is, and reads the same. */
static void
assert_round_trip(const struct config_key *key, const char *path,
                  const char *body, size_t len, const char *expected,
                  bool is_strict)
{
    struct outcome first = parse_bytes(key, body, len, is_strict);
    struct outcome second;
    auto_char *rendered = NULL;
    json_auto_t *decoded = NULL;
    size_t rendered_len;

    (void)expected;
    cr_assert_eq(first.err, ERR_OK, "%s", path);
    rendered = config_key_render(key, first.value, strlen(first.value), 1,
                                 &rendered_len);
    cr_assert_not_null(rendered);
    decoded = json_loadb(rendered, rendered_len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(decoded, "%s: %s", path, rendered);
    second = parse_bytes(key, rendered, rendered_len, false);
    cr_assert_eq(second.err, ERR_OK, "%s", path);
    cr_expect_str_eq(second.value, first.value);
    outcome_clear(&second);
    second = check_text(key, first.value, true);
    cr_assert_eq(second.err, ERR_OK, "%s", path);
    cr_expect_str_eq(second.value, first.value);
    outcome_clear(&first);
    outcome_clear(&second);
}

Test(config_keys, every_good_value_survives_a_round_trip)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "good", assert_round_trip);
}

/* With the n-th allocation failing, for every n: no memory is what it says,
 * and nothing is made; or it did not matter, and the outcome is the same. */
static void
assert_no_memory(const struct config_key *key, const char *path,
                 const char *body, size_t len, const char *expected,
                 bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome whole = parse_bytes(key, body, len, is_strict);
    bool has_failed = true;
    unsigned refused = 0;

    (void)expected;
    /* Long bodies would only repeat, slowly, what the short ones show. */
    for (unsigned n = 0; has_failed && n < 1000 && len < 1000; n++) {
        struct outcome outcome = {.messages = json_array()};
        json_t *value = NULL;

        no_memory_after(n);
        outcome.err =
            config_key_parse(key, body, len, &rules, outcome.messages, &value);
        encode(&outcome, value);
        has_failed = no_memory_end();
        if (outcome.err == ERR_NOMEM) {
            cr_expect(has_failed, "%s: n %u", path, n);
            cr_expect_null(outcome.value, "%s: n %u", path, n);
            refused++;
        } else {
            cr_expect_eq(outcome.err, whole.err, "%s: n %u", path, n);
            cr_expect(json_equal(outcome.messages, whole.messages), "%s: n %u",
                      path, n);
            cr_expect((outcome.value == NULL && whole.value == NULL) ||
                          strcmp(outcome.value, whole.value) == 0,
                      "%s: n %u: %s", path, n, outcome.value);
        }
        outcome_clear(&outcome);
    }
    cr_expect(refused > 0 || len >= 1000, "%s: no allocation failed", path);
    outcome_clear(&whole);
}

Test(config_keys, no_memory_is_told_from_a_bad_body)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        run_cases(&config_keys[i], "good", assert_no_memory);
        run_cases(&config_keys[i], "bad", assert_no_memory);
    }
}

Test(config_keys, render_without_memory)
{
    auto_char *body = NULL;
    size_t len;

    no_memory_after(0);
    body = config_key_render(&config_keys[0], "{}", 2, 0, &len);
    cr_expect_eq(no_memory_end(), body == NULL);
}

Test(config_keys, a_misspelt_name_is_guessed)
{
    static const struct {
        const char *name, *guess; /* NULL: none */
    } cases[] = {
        {"big_sale_order", "big_sales_order"},
        {"big-sales-order", "big_sales_order"},
        {"bigsalesorder", "big_sales_order"},
        {"Big_Sales_Order", "big_sales_order"},
        {"on_hold_timer", NULL},
        {"on_hold_timer_durations", "on_hold_timer_duration"},
        {"cancelation_allowed_form", "cancellation_allowed_from"},
        {"external_omss", "external_oms"},
        {"external_webhook_order", NULL},
        {"", NULL},
        {"x", NULL},
        {"oms", NULL},
        {"metrics", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct config_key *guess = config_key_guess(cases[i].name);

        if (cases[i].guess == NULL)
            cr_expect_null(guess, "%s", cases[i].name);
        else
            cr_expect(guess != NULL && !strcmp(guess->name, cases[i].guess),
                      "%s", cases[i].name);
    }
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        cr_expect_eq(config_key_guess(config_keys[i].name), &config_keys[i]);
}

/* What stands beside the keys in a path. */
Test(config_keys, no_key_has_the_name_of_something_else)
{
    cr_expect_null(config_key_find("history"));
    cr_expect_null(config_key_find("events"));
}
