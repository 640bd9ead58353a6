// SPDX-License-Identifier: MIT
#include "api/exchange.h"
#include "base/util.h"

#include "api/get.h"
#include "api/list.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "setting/etag.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define UNSET                                                                  \
    ",\"updated_at\":\"1970-01-01T00:00:00Z\",\"version\":0,"                  \
    "\"etag\":\"\\\"0\\\"\",\"updated_by\":null}"

static char none[ETAG_SIZE]; /* the tag of a tenant without any setting */
static char *values[CONFIG_KEYS_MAX]; /* one for a write of each key */

/* The value that t/data has as an example. */
static char *
example_of(const char *key)
{
    const char *srcdir = getenv("SRCDIR");
    char path[4096], text[4096] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/t/data/%s/good/example.json.expected",
             srcdir != NULL ? srcdir : ".", key);
    file = fopen(path, "re");
    cr_assert_not_null(file, "%s", path);
    cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
    fclose(file);
    return strdup(text);
}

static void
set_up(void)
{
    char etags[CONFIG_KEYS_MAX][ETAG_SIZE];

    api_world_set_up();
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        memcpy(etags[i], "\"0\"", sizeof("\"0\""));
        values[i] = example_of(config_keys[i].name);
    }
    etag_of_all(etags, none);
}

static void
tear_down(void)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        free(values[i]);
    api_world_tear_down();
}

TestSuite(api_list, .init = set_up, .fini = tear_down);

Test(api_list, of_a_tenant_that_never_set_anything)
{
    char expected[8192];
    size_t len = 0;

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        len += (size_t)snprintf(
            expected + len, sizeof(expected) - len,
            "%s\"%s\":{\"value\":%s" UNSET "%s", i > 0 ? "," : "{",
            config_keys[i].name,
            config_keys[i].unset != NULL ? config_keys[i].unset : "null",
            i + 1 == CONFIG_KEYS_MAX ? "}" : "");
    ASK(&api, api_list, &answer);
    assert_answer(&answer, 200, none, expected);
    cr_expect_str_eq(answer.response.cache, "no-store");
}

Test(api_list, says_of_each_key_what_it_says_itself)
{
    json_auto_t *body = NULL;

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        for (size_t n = 0; n < (config_keys[i].is_once ? 1 : i + 1); n++)
            set(&api, config_keys[i].name, values[i]);
    ASK(&api, api_list, &answer);
    assert_answer(&answer, 200, NULL, NULL);
    body = body_of(&answer);
    cr_expect_eq(json_object_size(body), CONFIG_KEYS_MAX);

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        json_t *listed = json_object_get(body, config_keys[i].name);
        json_auto_t *own = NULL;

        cr_expect_eq(json_object_size(listed), 5);
        cr_expect_str_eq(
            json_string_value(json_object_get(listed, "updated_by")), "alice");
        ASK(&api, api_get, &answer, .key = config_keys[i].name);
        assert_answer(&answer, 200,
                      json_string_value(json_object_get(listed, "etag")), NULL);
        own = body_of(&answer);
        cr_expect(json_equal(json_object_get(listed, "value"),
                             json_object_get(own, "value")));
        cr_expect(json_equal(json_object_get(listed, "updated_at"),
                             json_object_get(own, "updated_at")));
    }
}

Test(api_list, its_tag_changes_with_every_key)
{
    char before[HTTP_ETAG_SIZE] = "";

    ASK(&api, api_list, &answer);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        memcpy(before, answer.response.etag, sizeof(before));
        set(&api, config_keys[i].name, values[i]);
        ASK(&api, api_list, &answer, .if_none_match = before);
        assert_answer(&answer, 200, NULL, NULL);
        cr_expect_str_neq(answer.response.etag, before);
    }
}

Test(api_list, conditions)
{
    static const struct {
        const char *before, *behind; /* its tag */
        int status;
    } cases[] = {
        {"", "", 304},
        {"W/", "", 304},
        {"\"1\", ", "", 304},
        {"*", NULL, 304},                    /* a list is always there */
        {"\"3fee30be02775050\"", NULL, 200}, /* of another list */
        {"\"1\"", NULL, 200},
        {"\"0.1.0.0.0.0\"", NULL, 200}, /* of older programs */
        {"0.1.0.0.0.0", NULL, 400},
        {"", "\"", 400},
    };
    char tag[HTTP_ETAG_SIZE], field[64];

    set(&api, "on_hold_timer_duration", "1");
    ASK(&api, api_list, &answer);
    memcpy(tag, answer.response.etag, sizeof(tag));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool is_own = cases[i].behind != NULL;

        snprintf(field, sizeof(field), "%s%s%s", cases[i].before,
                 is_own ? tag : "", is_own ? cases[i].behind : "");
        ASK(&api, api_list, &answer, .if_none_match = field);
        assert_answer(&answer, cases[i].status, tag,
                      cases[i].status == 304 ? "" : NULL);
    }
}

static void
store_raw(const char *tenant, const char *key, const char *value)
{
    struct store_write write = {
        .tenant = tenant,
        .key = key,
        .value = value,
        .value_len = strlen(value),
        .base = STORE_ANY_VERSION,
    };

    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
}

Test(api_list, keys_of_other_tenants_and_other_programs_are_left_out)
{
    store_raw("brio", "on_hold_timer_duration", "5");
    store_raw("acme", "a_key_of_tomorrow", "5");
    store_raw("acme", "z_key_of_tomorrow", "5");
    ASK(&api, api_list, &answer);
    assert_answer(&answer, 200, none, NULL);
    cr_expect_null(
        memmem(answer.response.body, answer.response.body_len, "tomorrow", 8));
}

Test(api_list, without_memory)
{
    set(&api, "on_hold_timer_duration", "1");
    ask_without_memory(&api, api_list, &(struct asked){0}, 200);
}
