// SPDX-License-Identifier: MIT
#include "api/timeline.h"

#include "api/exchange.h"
#include "base/util.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/store_mem.h"
#include "lib/write_of.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_timeline, .init = api_world_set_up, .fini = api_world_tear_down);

#define TIMER "on_hold_timer_duration"
#define BIG "big_sales_order"
#define OMS "external_oms"
#define WEBHOOK "external_order_webhook"

/* Stores a value by an author at a time, with any rule of its key broken. */
static void
store_as(const char *key, const char *value, const char *author)
{
    struct store_write write = write_of("acme", key, value);

    write.author = author;
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
}

/* The page as "key=version " each. */
static void
assert_entries(const char *expected)
{
    json_auto_t *body = body_of(&answer);
    const json_t *history = json_object_get(body, "history");
    char text[8192] = "";
    const json_t *entry;
    size_t i;

    cr_assert_eq(answer.response.status, 200);
    cr_assert(json_is_array(history));
    json_array_foreach(history, i, entry)
    {
        size_t len = strlen(text);

        snprintf(
            text + len, sizeof(text) - len, "%s=%lld ",
            json_string_value(json_object_get(entry, "key")),
            (long long)json_integer_value(json_object_get(entry, "version")));
    }
    cr_expect_str_eq(text, expected);
}

static void
assert_asked(const char *query, const char *expected)
{
    ASK(&api, api_timeline, &answer, .query = query);
    assert_entries(expected);
}

Test(api_timeline, is_empty_at_first)
{
    ASK(&api, api_timeline, &answer);
    assert_answer(&answer, 200, "", "{\"history\":[]}");
    cr_expect_null(answer.response.link);
    cr_expect_str_eq(answer.response.cache, "no-store");
}

Test(api_timeline, has_all_keys_newest_first)
{
    set(&api, BIG, "{\"soft_limit_for_big_orders\":7}");
    set(&api, TIMER, "5");
    set(&api, BIG, "{\"soft_limit_for_big_orders\":8}");
    assert_asked("", BIG "=2 " TIMER "=1 " BIG "=1 ");
}

Test(api_timeline, an_entry_is_one_of_the_history_with_its_key)
{
    json_auto_t *body = NULL;
    const json_t *entry;
    struct store_write write = write_of("acme", TIMER, "5");

    write.note = "for the summer";
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    ASK(&api, api_timeline, &answer);
    body = body_of(&answer);
    entry = json_array_get(json_object_get(body, "history"), 0);
    cr_expect_eq(json_object_size(entry), 8);
    cr_expect_str_eq(json_string_value(json_object_get(entry, "key")), TIMER);
    cr_expect_eq(json_integer_value(json_object_get(entry, "value")), 5);
    cr_expect_str_eq(json_string_value(json_object_get(entry, "note")),
                     "for the summer");
    cr_expect_not_null(json_object_get(entry, "etag"));
}

/* The query of the next page, without "<?" and what is behind it. */
static const char *
next_query(char query_out[2048])
{
    const char *link = answer.response.link;

    cr_assert_not_null(link);
    cr_assert_eq(strncmp(link, "<?", 2), 0);
    snprintf(query_out, 2048, "%.*s", (int)strcspn(link + 2, ">"), link + 2);
    cr_expect_str_eq(link + 2 + strlen(query_out), ">; rel=\"next\"");
    return query_out;
}

Test(api_timeline, its_pages_are_the_whole)
{
    char query[2048] = "limit=3";
    int seen = 0;

    for (int i = 0; i < 5; i++) {
        set(&api, TIMER, i % 2 == 0 ? "1" : "2");
        set(&api, OMS,
            i % 2 == 0 ? "{\"enabled\":true}" : "{\"enabled\":false}");
    }
    for (;;) {
        json_auto_t *body = NULL;

        ASK(&api, api_timeline, &answer, .query = query);
        body = body_of(&answer);
        seen += (int)json_array_size(json_object_get(body, "history"));
        if (answer.response.link == NULL)
            break;
        next_query(query);
    }
    cr_expect_eq(seen, 10);
}

Test(api_timeline, filters)
{
    char query[2048];

    store_as(TIMER, "1", "alice");
    store_as(BIG, "{\"soft_limit_for_big_orders\":1}", "bob & sons+");
    store_as(TIMER, "2", "bob & sons+");
    store_as(OMS, "{\"enabled\":true}", NULL);
    assert_asked("key=" TIMER, TIMER "=2 " TIMER "=1 ");
    assert_asked("by=alice", TIMER "=1 ");
    assert_asked("by=bob+%26%20sons%2B", TIMER "=2 " BIG "=1 ");
    assert_asked("by=bob+%26%20sons%2B&key=" TIMER, TIMER "=2 ");
    assert_asked("by=carol", "");
    assert_asked("since=2000-01-01T00:00:00Z",
                 OMS "=1 " TIMER "=2 " BIG "=1 " TIMER "=1 ");
    assert_asked("since=2100-01-01T00:00:00Z", "");
    assert_asked("until=2000-01-01T00:00:00Z", "");
    assert_asked("until=2100-01-01T02:00:00%2B02:00",
                 OMS "=1 " TIMER "=2 " BIG "=1 " TIMER "=1 ");
    assert_asked("limit=1&by=bob+%26%20sons%2B&since=2000-01-01T00:00:00Z"
                 "&until=2100-01-01T00:00:00Z",
                 TIMER "=2 ");
    /* They are those of the next page, too. */
    cr_expect_not_null(strstr(answer.response.link, "&by=bob%20%26%20sons%2B"));
    assert_asked(next_query(query), BIG "=1 ");
    cr_expect_null(answer.response.link);
}

/* What it costs is bounded: a page may be empty, and lead on all the same. */
Test(api_timeline, a_page_looks_at_so_many_versions)
{
    char query[2048];

    store_as(BIG, "{\"soft_limit_for_big_orders\":1}", "bob");
    for (int i = 0; i < 1000; i++)
        store_as(TIMER, "1", "alice");
    assert_asked("by=bob", "");
    assert_asked(next_query(query), BIG "=1 ");
    cr_expect_null(answer.response.link);
}

Test(api_timeline, a_parameter_that_is_wrong_is_named)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"limit=0", "limit: must be an integer from 1 to 100"},
        {"limit=101", "limit: must be an integer from 1 to 100"},
        {"before=", "before: must be a text of 1 to 107 bytes"},
        {"before=7", "before: must be the one of a Link field"},
        {"before=7-0123456789abcdef&before=7-0123456789abcdef",
         "before: must be there only once"},
        {"key=timer", "key: must be a config key"},
        {"by=", "by: must be a text of 1 to 255 bytes"},
        {"by=%zz", "by: must be a text of 1 to 255 bytes"},
        {"since=yesterday",
         "since: must be a time like 2026-11-22T05:39:41Z (RFC 3339)"},
        {"until=2026-11-27",
         "until: must be a time like 2026-11-22T05:39:41Z (RFC 3339)"},
        {"limit=0&before=7", "before: must be the one of a Link field"},
        {"limit=0&until=x",
         "until: must be a time like 2026-11-22T05:39:41Z (RFC 3339)"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ASK(&api, api_timeline, &answer, .query = cases[i].query);
        assert_problem(&answer, 400, cases[i].message);
    }
}

/* After a restore, for instance. */
Test(api_timeline, a_cursor_of_another_history_is_refused)
{
    char query[2048], *last;

    set(&api, TIMER, "1");
    set(&api, TIMER, "2");
    ASK(&api, api_timeline, &answer, .query = "limit=1");
    next_query(query);
    last = &query[strlen(query) - 1]; /* of the id */
    *last = *last == '0' ? '1' : '0';
    ASK(&api, api_timeline, &answer, .query = query);
    assert_problem(
        &answer, 400,
        "before: is of another history; begin with the newest version");
}

/* True if the body has it; no NUL ends that. */
static bool
has_text(const char *text)
{
    return memmem(answer.response.body, answer.response.body_len, text,
                  strlen(text)) != NULL;
}

Test(api_timeline, a_secret_is_shown_as_the_token_may_see_it)
{
    api.has_mask = true;
    set(&api, WEBHOOK,
        "{\"url\":\"https://a.example/\",\"api_key\":\"s3cret\"}");
    ASK(&api, api_timeline, &answer);
    cr_expect(has_text("s3cret"));
    ASK(&api, api_timeline, &answer, .is_masked = true);
    cr_expect_not(has_text("s3cret"));
    cr_expect(has_text("********"));
}

Test(api_timeline, without_memory_or_store_it_says_so)
{
    const struct asked asked = {.query = "limit=1&by=alice"};

    set(&api, TIMER, "1");
    set(&api, TIMER, "2");
    ask_without_memory(&api, api_timeline, &asked, 200);
}
