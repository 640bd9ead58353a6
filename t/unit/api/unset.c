// SPDX-License-Identifier: MIT
/* What the handlers answer for a key that was unset: as if it had never been
 * set, but that its versions go on. */
#include "api/exchange.h"
#include "base/util.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "lib/api_world.h"
#include "lib/asked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TIMER "on_hold_timer_duration"
#define HOOK "external_order_webhook"
#define SEQUENCE "sales_order_generator_sequence"
#define UNSET_TIMER "{\"value\":0,\"updated_at\":\"1970-01-01T00:00:00Z\"}"

TestSuite(api_unset, .init = api_world_set_up, .fini = api_world_tear_down);

static void
unset(const char *key)
{
    struct store_write write = {
        .op = STORE_UNSET,
        .tenant = "acme",
        .key = key,
        .author = "cli:root",
        .request_id = "r-2",
        .base = STORE_ANY_VERSION,
    };

    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    cr_assert(write.is_new);
}

Test(api_unset, get_answers_the_default_with_the_next_version)
{
    set(&api, TIMER, "10");
    unset(TIMER);
    ASK(&api, api_get, &answer, .key = TIMER);
    assert_answer(&answer, 200, "{2}", UNSET_TIMER);
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = "{2}");
    assert_answer(&answer, 304, "{2}", "");
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = "{1}");
    assert_answer(&answer, 200, "{2}", UNSET_TIMER);
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = "*");
    assert_answer(&answer, 200, "{2}", UNSET_TIMER);
}

Test(api_unset, a_key_without_a_default_is_not_there)
{
    set(&api, HOOK, "{\"url\":\"https://a.example\",\"api_key\":\"k\"}");
    unset(HOOK);
    ASK(&api, api_get, &answer, .key = HOOK);
    assert_problem(&answer, 404, HOOK " is not set and has no default");
    assert_tag(&answer, "{2}");
    ASK(&api, api_get, &answer, .key = HOOK, .query = "version=2");
    assert_problem(&answer, 404, HOOK " is not set and has no default");
    ASK(&api, api_get, &answer, .key = HOOK, .query = "version=1");
    assert_answer(&answer, 200, "{1}", NULL);
}

Test(api_unset, its_version_reads_as_the_key_did)
{
    set(&api, TIMER, "10");
    unset(TIMER);
    set(&api, TIMER, "30");
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=2");
    assert_answer(&answer, 200, "{2}", UNSET_TIMER);
}

Test(api_unset, the_list_has_default_epoch_and_version)
{
    json_auto_t *body = NULL;
    json_t *timer;

    set(&api, TIMER, "10");
    unset(TIMER);
    ASK(&api, api_list, &answer);
    assert_answer(&answer, 200, NULL, NULL);
    body = body_of(&answer);
    timer = json_object_get(body, TIMER);
    cr_expect_eq(json_integer_value(json_object_get(timer, "value")), 0);
    cr_expect_eq(json_integer_value(json_object_get(timer, "version")), 2);
    cr_expect_str_eq(json_string_value(json_object_get(timer, "updated_at")),
                     "1970-01-01T00:00:00Z");
}

Test(api_unset, the_history_has_null_and_its_author)
{
    json_auto_t *body = NULL;
    json_t *first;

    set(&api, TIMER, "10");
    unset(TIMER);
    ASK(&api, api_history, &answer, .key = TIMER);
    body = body_of(&answer);
    first = json_array_get(json_object_get(body, "history"), 0);
    cr_expect_eq(json_integer_value(json_object_get(first, "version")), 2);
    cr_expect(json_is_null(json_object_get(first, "value")));
    cr_expect_str_eq(json_string_value(json_object_get(first, "updated_by")),
                     "cli:root");
    cr_expect_str_neq(json_string_value(json_object_get(first, "updated_at")),
                      "1970-01-01T00:00:00Z");
}

/* "*" looks at whether a value is there, a tag at the version. */
static const struct {
    const char *if_match, *if_none_match;
    int status;
} preconditions[] = {
    {"{1}", NULL, 412}, {"{2}", NULL, 200}, {"*", NULL, 412},  {NULL, "*", 200},
    {NULL, "{2}", 412}, {NULL, "{1}", 200}, {NULL, NULL, 200},
};

Test(api_unset, preconditions_of_a_post)
{
    for (size_t i = 0; i < ARRAY_SIZE(preconditions); i++) {
        int status = preconditions[i].status;

        api_world_tear_down();
        api_world_set_up();
        set(&api, TIMER, "10");
        unset(TIMER);
        ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":3}",
            .if_match = preconditions[i].if_match,
            .if_none_match = preconditions[i].if_none_match);
        assert_answer(&answer, status, status == 200 ? "{3}" : "{2}", NULL);
    }
}

/* The key was read with its value, and unset before the write arrived. */
Test(api_unset, a_write_that_was_under_way_has_lost)
{
    set(&api, TIMER, "10");
    ask(&api, api_post, &(struct asked){.key = TIMER, .body = "{\"value\":3}"},
        &answer);
    unset(TIMER);
    wait_for_answer(&api, &answer);
    assert_answer(&answer, 409, "{2}", NULL);
}

Test(api_unset, the_sequence_may_be_set_again)
{
    set(&api, SEQUENCE, "{\"size\":5}");
    unset(SEQUENCE);
    ASK(&api, api_post, &answer, .key = SEQUENCE, .query = "validate_only=true",
        .body = "{\"value\":{\"size\":6}}");
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE,
        .body = "{\"value\":{\"size\":6}}");
    assert_answer(&answer, 200, "{3}", NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE,
        .body = "{\"value\":{\"size\":7}}");
    assert_answer(&answer, 400, "{3}", NULL);
}

Test(api_unset, it_is_no_version_to_restore)
{
    set(&api, TIMER, "10");
    unset(TIMER);
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":2}");
    assert_problem(&answer, 400,
                   "restore_version: version 2 unset " TIMER
                   ", so it has no value");
    ASK(&api, api_restore, &answer, .key = TIMER,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{3}", NULL);
}
