// SPDX-License-Identifier: MIT
#include "api/exchange.h"
#include "base/util.h"

#include "api/get.h"
#include "api/write.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_write, .init = api_world_set_up, .fini = api_world_tear_down);

#define TIMER "on_hold_timer_duration"
#define SEQUENCE "sales_order_generator_sequence"

static void
store_raw(const char *key, const char *value)
{
    struct store_write write = {
        .tenant = "acme",
        .key = key,
        .value = value,
        .value_len = strlen(value),
        .author = "bob",
        .request_id = "r-0",
        .base = STORE_ANY_VERSION,
    };

    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
}

static json_int_t
value_of_answer(void)
{
    json_auto_t *body = body_of(&answer);

    cr_expect_eq(json_object_size(body), 2);
    return json_integer_value(json_object_get(body, "value"));
}

/* Who made the newest version. */
static enum err
see_subject(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    (void)origin;
    snprintf(ctx, 16, "%s", record->author);
    return ERR_OK;
}

Test(api_write, restoring_makes_a_new_version_with_its_own_author)
{
    char subject[16] = "";

    store_raw(TIMER, "10");
    store_raw(TIMER, "20");
    store_raw(TIMER, "30");
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{4}", NULL);
    cr_expect_eq(value_of_answer(), 10);
    ASK(&api, api_get, &answer, .key = TIMER);
    assert_answer(&answer, 200, "{4}", NULL);
    cr_expect_eq(value_of_answer(), 10);
    cr_assert_eq(
        store_history(api.store, "acme", TIMER, 0, 1, see_subject, subject),
        ERR_OK);
    cr_expect_str_eq(subject, "alice");

    /* The version that is there, too. */
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":4.0}");
    assert_answer(&answer, 200, "{5}", NULL);
}

Test(api_write, restoring_answers_in_the_shape_of_the_key)
{
    json_auto_t *body = NULL;

    store_raw("external_oms", "{\"enabled\":true}");
    ASK(&api, api_restore, &answer, .key = "external_oms",
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{2}", NULL);
    body = body_of(&answer);
    cr_expect(json_is_true(json_object_get(body, "enabled")));
}

Test(api_write, restoring_what_is_not_there)
{
    store_mem_keep(api.store, 2);
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":1}");
    assert_problem(&answer, 404,
                   "restore_version: version 1 of " TIMER
                   " does not exist, or is no longer kept");
    store_raw(TIMER, "10");
    store_raw(TIMER, "20");
    store_raw(TIMER, "30");
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 404, "", NULL);
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":4}");
    assert_answer(&answer, 404, "", NULL);
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":9223372036854775807}");
    assert_answer(&answer, 404, "", NULL);
    cr_expect_eq(version_of(&api, TIMER), 3);
}

Test(api_write, bad_bodies_of_restoring)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"", "body: must not be empty"},
        {"7", "body: must be an object"},
        {"[1]", "body: must be an object"},
        {"{}", "restore_version: is required"},
        {"{\"value\":1}", "restore_version: is required"},
        {"{\"restore_version\":null}", "restore_version: must be an integer"},
        {"{\"restore_version\":\"1\"}", "restore_version: must be an integer"},
        {"{\"restore_version\":1.5}", "restore_version: must be an integer"},
        {"{\"restore_version\":0}", "restore_version: must be at least 1"},
        {"{\"restore_version\":-1}", "restore_version: must be at least 1"},
        {"{\"restore_version\":1,\"restore_version\":1}", NULL},
        {"{\"restore_version\":9223372036854775808}", NULL},
        {"{\"restore_version\":1} x", NULL},
        {"{\"restore_version\":1,\"x\":1e999}", NULL},
    };

    store_raw(TIMER, "10");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ASK(&api, api_restore, &answer, .key = TIMER, .body = cases[i].body);
        assert_answer(&answer, 400, "", NULL);
        if (cases[i].message != NULL)
            assert_problem(&answer, 400, cases[i].message);
    }
    cr_expect_eq(version_of(&api, TIMER), 1);
}

Test(api_write, unknown_members_of_restoring)
{
    static const char body[] = "{\"restore_version\":1,\"reason\":\"x\"}";

    store_raw(TIMER, "10");
    ASK(&api, api_restore, &answer, .key = TIMER, .body = body,
        .prefer = "handling=strict");
    assert_problem(&answer, 400, "reason: is not a known member");
    cr_expect(answer.response.is_strict);
    ASK(&api, api_restore, &answer, .key = TIMER, .body = body);
    assert_answer(&answer, 200, "{2}", NULL);
}

Test(api_write, a_write_once_key_is_not_restored)
{
    store_raw(SEQUENCE, "{\"size\":5}");
    for (int version = 1; version < 3; version++) {
        char body[32];

        snprintf(body, sizeof(body), "{\"restore_version\":%d}", version);
        ASK(&api, api_restore, &answer, .key = SEQUENCE, .body = body);
        assert_problem(&answer, 400,
                       "restore_version: " SEQUENCE " can be set only once");
    }
    cr_expect_eq(version_of(&api, SEQUENCE), 1);
}

/* What an earlier program stored need not pass today's rules. */
Test(api_write, an_old_value_is_checked_again)
{
    store_raw("cancellation_allowed_from", "[\"store\",\"warehouse\"]");
    store_raw("big_sales_order",
              "{\"limit\":1,\"soft_limit_for_big_orders\":9}");
    ASK(&api, api_restore, &answer, .key = "cancellation_allowed_from",
        .body = "{\"restore_version\":1}");
    assert_problem(&answer, 400,
                   "restore_version: version 1 is no longer valid");
    assert_problem(&answer, 400, "value[1]: must be one of \"store\", \"dc\"");
    cr_expect_eq(version_of(&api, "cancellation_allowed_from"), 1);

    ASK(&api, api_restore, &answer, .key = "big_sales_order",
        .body = "{\"restore_version\":1}", .prefer = "handling=strict");
    assert_problem(&answer, 400, "value.limit: is not a known member");
    cr_expect_eq(version_of(&api, "big_sales_order"), 1);
    ASK(&api, api_restore, &answer, .key = "big_sales_order",
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{2}", NULL);
    cr_expect_null(
        memmem(answer.response.body, answer.response.body_len, "\"limit\"", 7));
}

static const struct condition {
    const char *if_match, *if_none_match;
    int status;
} conditions[] = {
    {"{2}", NULL, 200},      {"*", NULL, 200},     {"{1}", NULL, 412},
    {NULL, "*", 412},        {NULL, "{2}", 412},   {NULL, "{1}", 200},
    {"2", NULL, 400},        {NULL, "\"2", 400},   {"W/{2}", NULL, 412},
    {"{1}, {2}", NULL, 200}, {"\"2\"", NULL, 412}, {NULL, "\"2\"", 200},
};

/* Preconditions are of the key, whether its value comes by a POST, out of its
 * history, or not at all. */
static void
assert_condition(const struct condition *condition, handler_fn *handler,
                 const char *body, const char *query, uint64_t after)
{
    struct asked asked = {
        .key = TIMER,
        .body = body,
        .query = query,
        .if_match = condition->if_match,
        .if_none_match = condition->if_none_match,
    };
    char etag[16];

    store_close(api.store);
    api.store = store_mem_new();
    store_raw(TIMER, "10");
    store_raw(TIMER, "20");
    ask_all(&api, handler, &asked, &answer);
    if (condition->status != 200)
        after = 2;
    snprintf(etag, sizeof(etag), "{%d}", (int)after);
    assert_answer(&answer, condition->status, etag, NULL);
    cr_expect_eq(version_of(&api, TIMER), after);
}

Test(api_write, preconditions)
{
    static const char restore[] = "{\"restore_version\":1}";
    static const char value[] = "{\"value\":5}";

    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
        assert_condition(&conditions[i], api_post, value, "", 3);
        assert_condition(&conditions[i], api_restore, restore, "", 3);
        assert_condition(&conditions[i], api_post, value, "validate_only=true",
                         2);
        assert_condition(&conditions[i], api_restore, restore,
                         "validate_only=true", 2);
    }
}

Test(api_write, restoring_may_lose_a_race)
{
    struct asked asked = {.key = TIMER, .body = "{\"restore_version\":1}"};

    store_raw(TIMER, "10");
    ask(&api, api_restore, &asked, &answer);
    store_raw(TIMER, "20");
    cr_assert_eq(answer.wait.what, WAIT_COMMIT);
    wait_for_answer(&api, &answer);
    cr_expect_eq(answer.write.result, ERR_CONFLICT);
    assert_problem(&answer, 409,
                   TIMER ": another write came first; the version is now 2");
    assert_tag(&answer, "{2}");

    asked.if_match = "{2}";
    ask(&api, api_restore, &asked, &answer);
    store_raw(TIMER, "30");
    wait_for_answer(&api, &answer);
    cr_expect_eq(answer.write.result, ERR_PRECOND);
    assert_answer(&answer, 412, "{3}", NULL);
}

Test(api_write, validate_only_stores_nothing)
{
    int64_t before;
    struct record record;

    store_raw(TIMER, "10");
    cr_assert_eq(store_get(api.store, "acme", TIMER, &record), ERR_OK);
    before = record.updated_at;
    record_clear(&record);

    ASK(&api, api_post, &answer, .key = TIMER, .query = "validate_only=true",
        .body = "{\"value\":20.0}");
    cr_expect_eq(answer.wait.what, WAIT_NONE);
    assert_answer(&answer, 200, "{1}", NULL);
    cr_expect_eq(value_of_answer(), 20);
    ASK(&api, api_restore, &answer, .key = TIMER, .query = "validate_only=true",
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{1}", NULL);
    cr_expect_eq(value_of_answer(), 10);

    cr_assert_eq(store_get(api.store, "acme", TIMER, &record), ERR_OK);
    cr_expect_eq(record.version, 1);
    cr_expect_str_eq(record.value, "10");
    cr_expect_eq(record.updated_at, before);
    record_clear(&record);

    ASK(&api, api_post, &answer, .key = TIMER, .query = "validate_only=false",
        .body = "{\"value\":20.0}");
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_restore, &answer, .key = TIMER,
        .query = "x=y&validate_only=false", .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{3}", NULL);
}

Test(api_write, validate_only_of_a_key_that_is_not_set)
{
    ASK(&api, api_post, &answer, .key = "external_order_webhook",
        .query = "validate_only=true",
        .body = "{\"value\":{\"url\":\"https://a.example\","
                "\"api_key\":\"k\"}}");
    assert_answer(&answer, 200, "\"0\"", NULL);
    cr_expect_not_null(memmem(answer.response.body, answer.response.body_len,
                              "\"timeout\":15", 12));
    cr_expect_str_eq(answer.response.cache, "no-store");
    cr_expect_eq(version_of(&api, "external_order_webhook"), 0);
}

Test(api_write, validate_only_refuses_what_a_post_refuses)
{
    ASK(&api, api_post, &answer, .key = "cancellation_allowed_from",
        .query = "validate_only=true", .body = "{\"value\":[\"x\",1]}");
    assert_problem(&answer, 400, "value[0]: must be one of \"store\", \"dc\"");
    assert_problem(&answer, 400, "value[1]: must be a string");
    ASK(&api, api_post, &answer, .key = TIMER, .query = "validate_only=true",
        .body = "{\"value\":1,\"x\":1}", .prefer = "handling=strict");
    assert_problem(&answer, 400, "x: is not a known member");
    ASK(&api, api_restore, &answer, .key = TIMER, .query = "validate_only=true",
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 404, NULL, NULL);
}

Test(api_write, validate_only_of_a_write_once_key)
{
    static const char same[] = "{\"value\":{\"size\":5}}";
    static const char other[] = "{\"value\":{\"size\":6}}";

    ASK(&api, api_post, &answer, .key = SEQUENCE, .query = "validate_only=true",
        .body = other);
    assert_answer(&answer, 200, "\"0\"", NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE, .body = same);
    assert_answer(&answer, 200, "{1}", NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE, .query = "validate_only=true",
        .body = same);
    assert_answer(&answer, 200, "{1}", NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE, .query = "validate_only=true",
        .body = other);
    assert_problem(&answer, 400,
                   "value: " SEQUENCE
                   " is already set, and can be set only once");
    assert_tag(&answer, "{1}");
}

Test(api_write, validate_only_is_true_or_false)
{
    static const char *const bad[] = {
        "validate_only", "validate_only=", "validate_only=1",
        "validate_only=TRUE", "validate_only=yes"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ASK(&api, api_post, &answer, .key = TIMER, .query = bad[i],
            .body = "{\"value\":1}");
        assert_problem(&answer, 400, "validate_only: must be true or false");
        ASK(&api, api_restore, &answer, .key = TIMER, .query = bad[i],
            .body = "{\"restore_version\":1}");
        assert_problem(&answer, 400, "validate_only: must be true or false");
    }
    ASK(&api, api_post, &answer, .key = TIMER,
        .query = "validate_only=true&validate_only=true",
        .body = "{\"value\":1}");
    assert_problem(&answer, 400, "validate_only: must be there only once");
    cr_expect_eq(version_of(&api, TIMER), 0);
}

Test(api_write, without_memory)
{
    static const char value[] = "{\"value\":5}";
    static const char restore[] = "{\"restore_version\":1}";

    store_raw(TIMER, "10");
    store_raw("cancellation_allowed_from", "[\"warehouse\"]");
    ask_without_memory(&api, api_post,
                       &(struct asked){.key = TIMER, .body = value}, 200);
    ask_without_memory(&api, api_restore,
                       &(struct asked){.key = TIMER, .body = restore}, 200);
    ask_without_memory(
        &api, api_restore,
        &(struct asked){.key = "cancellation_allowed_from", .body = restore},
        400);
    ask_without_memory(&api, api_restore,
                       &(struct asked){.key = TIMER, .body = "{}"}, 400);
}
