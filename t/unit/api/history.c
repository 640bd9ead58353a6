// SPDX-License-Identifier: MIT
#include "api/exchange.h"
#include "base/util.h"

#include "api/get.h"
#include "api/history.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_history, .init = api_world_set_up, .fini = api_world_tear_down);

#define TIMER "on_hold_timer_duration"
#define WEBHOOK "external_order_webhook"

static void
write_timer(int count)
{
    for (int i = 1; i <= count; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", i * 10);
        set(&api, TIMER, value);
    }
}

/* The entries of the page that the answer is, borrowed from *body_out. */
static const json_t *
entries(json_t **body_out)
{
    const json_t *history;

    assert_answer(&answer, 200, "", NULL);
    *body_out = body_of(&answer);
    cr_expect_eq(json_object_size(*body_out), 1);
    history = json_object_get(*body_out, "history");
    cr_assert(json_is_array(history));
    return history;
}

/* The page has the versions from first down to last, and link behind it. */
static void
assert_page(const char *key, const char *query, int first, int last,
            const char *link)
{
    json_auto_t *body = NULL;
    const json_t *history;

    ASK(&api, api_history, &answer, .key = key, .query = query);
    history = entries(&body);
    cr_expect_eq(json_array_size(history), first - last + 1, "%s: %zu", query,
                 json_array_size(history));
    for (size_t i = 0; i < json_array_size(history); i++)
        cr_expect_eq(json_integer_value(json_object_get(
                         json_array_get(history, i), "version")),
                     first - (int)i);
    if (*link == '\0')
        cr_expect_null(answer.response.link);
    else
        cr_expect_str_eq(answer.response.link, link);
}

Test(api_history, of_what_was_never_set)
{
    ASK(&api, api_history, &answer, .key = TIMER);
    assert_answer(&answer, 200, "", "{\"history\":[]}");
    cr_expect_null(answer.response.link);
    ASK(&api, api_history, &answer, .key = WEBHOOK);
    assert_answer(&answer, 200, "", "{\"history\":[]}");
}

Test(api_history, an_entry_says_what_when_and_who)
{
    auto_char *expected = NULL;
    json_auto_t *current = NULL;

    set(&api, "external_oms", "{\"enabled\":true}");
    ASK(&api, api_get, &answer, .key = "external_oms");
    current = body_of(&answer);
    cr_assert_geq(
        asprintf(&expected,
                 "{\"history\":[{\"version\":1,\"etag\":\"\\%.*s\\\"\","
                 "\"value\":{\"enabled\":true},"
                 "\"updated_at\":\"%s\",\"updated_by\":\"alice\","
                 "\"request_id\":\"r-1\",\"note\":null}]}",
                 (int)strlen(answer.response.etag) - 1, answer.response.etag,
                 json_string_value(json_object_get(current, "updated_at"))),
        0);
    ASK(&api, api_history, &answer, .key = "external_oms");
    assert_answer(&answer, 200, "", expected);
    cr_expect_str_eq(answer.response.cache, "private, no-cache");
}

Test(api_history, who_is_null_if_the_token_did_not_say)
{
    struct store_write write = {
        .tenant = "acme",
        .key = TIMER,
        .value = "5",
        .value_len = 1,
        .base = STORE_ANY_VERSION,
    };
    json_auto_t *body = NULL;
    const json_t *entry;

    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    write.author = "a \"b\"\n\xff";
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    ASK(&api, api_history, &answer, .key = TIMER);
    entry = json_array_get(entries(&body), 1);
    cr_expect(json_is_null(json_object_get(entry, "updated_by")));
    cr_expect(json_is_null(json_object_get(entry, "request_id")));
    entry = json_array_get(json_object_get(body, "history"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(entry, "updated_by")),
                     "a \"b\"\n\xef\xbf\xbd");
}

Test(api_history, a_secret_is_not_for_caches)
{
    ASK(&api, api_history, &answer, .key = WEBHOOK);
    cr_expect_str_eq(answer.response.cache, "no-store");
}

Test(api_history, pages)
{
    write_timer(25);
    assert_page(TIMER, "", 25, 6, "<?limit=20&before=6>; rel=\"next\"");
    assert_page(TIMER, "limit=20&before=6", 5, 1, "");
    assert_page(TIMER, "limit=100", 25, 1, "");
    assert_page(TIMER, "limit=25", 25, 1, "");
    assert_page(TIMER, "limit=24", 25, 2, "<?limit=24&before=2>; rel=\"next\"");
    assert_page(TIMER, "before=2&limit=1", 1, 1, "");
    assert_page(TIMER, "before=3&limit=1", 2, 2,
                "<?limit=1&before=2>; rel=\"next\"");
    assert_page(TIMER, "before=1", 0, 1, "");
    assert_page(TIMER, "before=99&limit=2", 25, 24,
                "<?limit=2&before=24>; rel=\"next\"");
    assert_page(TIMER, "before=9223372036854775807&limit=%31", 25, 25,
                "<?limit=1&before=25>; rel=\"next\"");
    assert_page(TIMER, "unknown=1&Limit=0&limit=30", 25, 1, "");
}

Test(api_history, a_page_ends_where_the_versions_do)
{
    store_mem_keep(api.store, 3);
    write_timer(10);
    assert_page(TIMER, "limit=2", 10, 9, "<?limit=2&before=9>; rel=\"next\"");
    assert_page(TIMER, "limit=2&before=9", 8, 8, "");
}

/* A page has no more bytes than the largest value, or one version. */
Test(api_history, large_values_make_short_pages)
{
    static char value[HTTP_BODY_MAX];

    for (int i = 1; i <= 7; i++) {
        int key_len = i == 4 ? 65000 : 20000;

        snprintf(value, sizeof(value),
                 "{\"url\":\"https://a.example\",\"api_key\":\"%0*d\"}",
                 key_len, i);
        set(&api, WEBHOOK, value);
    }
    assert_page(WEBHOOK, "", 7, 5, "<?limit=20&before=5>; rel=\"next\"");
    cr_expect_lt(answer.response.body_len, HTTP_BODY_MAX + 100);
    assert_page(WEBHOOK, "limit=2", 7, 6, "<?limit=2&before=6>; rel=\"next\"");
    assert_page(WEBHOOK, "before=5", 4, 4,
                "<?limit=20&before=4>; rel=\"next\"");
    assert_page(WEBHOOK, "before=4", 3, 1, "");
}

Test(api_history, bad_parameters_are_named_all_at_once)
{
    static const char limit[] = "limit: must be an integer from 1 to 100";
    static const char before[] =
        "before: must be an integer from 1 to 9223372036854775807";

    write_timer(1);
    ASK(&api, api_history, &answer, .key = TIMER, .query = "limit=0&before=x");
    assert_problem(&answer, 400, limit);
    assert_problem(&answer, 400, before);
    ASK(&api, api_history, &answer, .key = TIMER, .query = "limit=101");
    assert_problem(&answer, 400, limit);
    ASK(&api, api_history, &answer, .key = TIMER, .query = "before=0");
    assert_problem(&answer, 400, before);
    ASK(&api, api_history, &answer, .key = TIMER,
        .query = "limit=1&limit=1&before=1&before=2");
    assert_problem(&answer, 400, "limit: must be there only once");
    assert_problem(&answer, 400, "before: must be there only once");
    cr_expect_null(answer.response.link);
}

Test(api_history, is_the_tenants_own)
{
    struct store_write write = {
        .tenant = "brio",
        .key = TIMER,
        .value = "5",
        .value_len = 1,
        .base = STORE_ANY_VERSION,
    };

    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    ASK(&api, api_history, &answer, .key = TIMER);
    assert_answer(&answer, 200, "", "{\"history\":[]}");
}

Test(api_history, without_memory)
{
    write_timer(3);
    ask_without_memory(&api, api_history,
                       &(struct asked){.key = TIMER, .query = "limit=2"}, 200);
    ask_without_memory(&api, api_history,
                       &(struct asked){.key = TIMER, .query = "limit=x"}, 400);
}
