// SPDX-License-Identifier: MIT
#include "api/exchange.h"
#include "base/util.h"

#include "api/get.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(api, .init = api_world_set_up, .fini = api_world_tear_down);

#define TIMER "on_hold_timer_duration"

static void
assert_value(const char *query, const char *tag, json_int_t value)
{
    json_auto_t *body = NULL;

    ASK(&api, api_get, &answer, .key = TIMER, .query = query);
    assert_answer(&answer, 200, tag, NULL);
    body = body_of(&answer);
    cr_expect_eq(json_object_size(body), 2);
    cr_expect_eq(json_integer_value(json_object_get(body, "value")), value);
}

Test(api, get_of_a_version)
{
    set(&api, TIMER, "10");
    set(&api, TIMER, "20");
    set(&api, TIMER, "30");
    assert_value("", "{3}", 30);
    assert_value("version=3", "{3}", 30);
    assert_value("version=1", "{1}", 10);
    assert_value("v=1&version=2&w=3", "{2}", 20);
    assert_value("versions=1", "{3}", 30);
}

Test(api, get_of_a_version_that_is_not_there)
{
    store_mem_keep(api.store, 2);
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1");
    assert_problem(&answer, 404,
                   "version: version 1 of " TIMER
                   " does not exist, or is no longer kept");
    cr_expect_str_empty(answer.response.etag);

    set(&api, TIMER, "10");
    set(&api, TIMER, "20");
    set(&api, TIMER, "30");
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1");
    assert_answer(&answer, 404, "", NULL);
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=4");
    assert_answer(&answer, 404, "", NULL);
    ASK(&api, api_get, &answer, .key = TIMER,
        .query = "version=9223372036854775807");
    assert_answer(&answer, 404, "", NULL);
    assert_value("version=2", "{2}", 20);

    /* Unlike the key itself, a version has no default. */
    ASK(&api, api_get, &answer, .key = "external_oms", .query = "version=1");
    assert_problem(&answer, 404,
                   "version: version 1 of external_oms does not exist, or is "
                   "no longer kept");
}

Test(api, get_of_a_version_that_is_none)
{
    static const char *const bad[] = {
        "version=",    "version=0",  "version=-1",
        "version=x",   "version=1.", "version=9223372036854775808",
        "version=%31x"};

    set(&api, TIMER, "10");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ASK(&api, api_get, &answer, .key = TIMER, .query = bad[i]);
        assert_problem(
            &answer, 400,
            "version: must be an integer from 1 to 9223372036854775807");
    }
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1&version=1");
    assert_problem(&answer, 400, "version: must be there only once");
}

Test(api, get_of_a_version_that_the_client_has)
{
    set(&api, TIMER, "10");
    set(&api, TIMER, "20");
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1",
        .if_none_match = "{1}");
    assert_answer(&answer, 304, "{1}", "");
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1",
        .if_none_match = "{2}");
    assert_answer(&answer, 200, "{1}", NULL);
}

/* RFC 9110, section 13.2.1: where there is nothing, preconditions are not
 * looked at. */
Test(api, nothing_there_comes_before_preconditions)
{
    static const char *const fields[] = {"*", "\"0\"", "bad"};

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        ASK(&api, api_get, &answer, .key = "external_order_webhook",
            .if_none_match = fields[i]);
        assert_answer(&answer, 404, "\"0\"", NULL);
    }
}

Test(api, get_without_memory)
{
    set(&api, TIMER, "10");
    ask_without_memory(&api, api_get,
                       &(struct asked){.key = TIMER, .query = "version=1"},
                       200);
    ask_without_memory(&api, api_get,
                       &(struct asked){.key = TIMER, .query = "version=x"},
                       400);
}
