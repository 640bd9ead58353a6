// SPDX-License-Identifier: MIT
/* Which route a request has: by its path, by what the client asked for, and by
 * what the front end says of who asks. */
#include "api/route.h"

#include "base/util.h"
#include "lib/asked.h"
#include "lib/store_mem.h"
#include "metrics/metrics.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#define NO_PATH "there is no such path"
#define REMADE "there is no such path: the web server read it as another one"
#define LIST "/config/sales_order"
#define KEY "/config/sales_order/external_oms"

static struct exchange answer;

/* Without a store, a route that wants a token is a 500 if it is there. */
static void
serve(struct api *api, struct request request)
{
    exchange_clear(&answer);
    answer.request = request;
    answer.request.query = "";
    if (request.prefix == NULL)
        answer.request.prefix = "";
    memcpy(answer.request.id, "r-1", sizeof("r-1"));
    route_serve(api, &answer);
}

#define SERVE(api, ...) serve((api), (struct request){__VA_ARGS__})

static void
tear_down(void)
{
    exchange_clear(&answer);
}

TestSuite(route, .fini = tear_down);

Test(route, target_and_path_are_the_same)
{
    static const struct {
        const char *path, *bad;
        int status;
    } cases[] = {
        {KEY, KEY "%0a", 500},
        {KEY "/history", KEY "/history;x", 500},
        {LIST, LIST "/", 500},
        {"/openapi.json", "//openapi.json", 200},
        {"/healthz", "/healthz%20", 200},
        {"/readyz", "/readyz%0a", 503},
        {"/metrics", "/metrics%00", 200},
        {"/metrics\n", "/metrics%0a", 404},
    };
    struct api api = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = cases[i].path;
        auto_char *good = NULL, *bad = NULL;

        cr_assert_geq(asprintf(&good, "/v0%s?a=b", path), 0);
        cr_assert_geq(asprintf(&bad, "/v0%s?a=b", cases[i].bad), 0);
        for (enum http_method method = HTTP_GET; method <= HTTP_OTHER;
             method++) {
            SERVE(&api, .method = method, .path = path, .target = bad,
                  .prefix = "/v0", .is_operator = true);
            assert_problem(&answer, 404, REMADE);
            cr_expect_eq(answer.route, METRICS_NO_ROUTE);
            cr_expect_null(answer.response.allow);
        }
        SERVE(&api, .path = path, .target = good, .prefix = "/v0",
              .is_operator = true);
        assert_answer(&answer, cases[i].status, NULL, NULL);
        /* A front end that does not say what it was asked for is believed. */
        SERVE(&api, .path = path, .prefix = "/v0", .is_operator = true);
        assert_answer(&answer, cases[i].status, NULL, NULL);
    }
}

Test(route, a_wrong_prefix_serves_nothing)
{
    struct api api = {0};

    SERVE(&api, .path = "/healthz", .target = "/v0/healthz");
    assert_problem(&answer, 404, REMADE);
    SERVE(&api, .path = "/healthz", .target = "/healthz", .prefix = "/v0");
    assert_problem(&answer, 404, REMADE);
}

Test(route, operators_routes_are_for_those_whom_the_front_end_admits)
{
    static const struct {
        const char *path;
        int admitted; /* without a store */
    } cases[] = {{"/readyz", 503}, {"/metrics", 200}};
    struct api api = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = cases[i].path;

        for (enum http_method method = HTTP_GET; method <= HTTP_OTHER;
             method++) {
            SERVE(&api, .method = method, .path = path);
            assert_problem(&answer, 404, NO_PATH);
            cr_expect_eq(answer.route, METRICS_NO_ROUTE);
            cr_expect_null(answer.response.allow);
        }
        SERVE(&api, .path = path, .is_operator = true);
        assert_answer(&answer, cases[i].admitted, NULL, NULL);
        SERVE(&api, .method = HTTP_POST, .path = path, .is_operator = true);
        assert_answer(&answer, 405, NULL, NULL);
    }
    SERVE(&api, .path = "/healthz");
    assert_answer(&answer, 200, NULL, NULL);
}

Test(route, the_log_says_once_why_operators_routes_are_not_there,
     .init = cr_redirect_stderr)
{
    static const char why[] = "/readyz and /metrics are 404 unless the web "
                              "server sets ORDERCONF_OPERATOR to 1";
    struct api api = {0};
    json_t *line;

    SERVE(&api, .path = "/healthz");
    SERVE(&api, .path = "/metrics", .is_operator = true);
    SERVE(&api, .path = "/metrics", .target = "/metrics%0a");
    SERVE(&api, .path = "/metrics");
    SERVE(&api, .path = "/readyz");
    SERVE(&api, .path = "/metrics");
    line = json_loadf(cr_get_redirected_stderr(), 0, NULL);
    cr_assert_not_null(line); /* one, and nothing behind it */
    cr_expect_str_eq(json_string_value(json_object_get(line, "event")),
                     "hidden");
    cr_expect_str_eq(json_string_value(json_object_get(line, "path")),
                     "/metrics");
    cr_expect_str_eq(json_string_value(json_object_get(line, "reason")), why);
    json_decref(line);
}

/* Where there is a store, it is probed; a transport decides how to wait. */
Test(route, readyz_waits_for_the_store)
{
    struct api api = {.store = store_mem_new()};
    const struct request readyz = {
        .path = "/readyz", .query = "", .prefix = "", .is_operator = true};

    for (int way = 0; way < 2; way++) {
        exchange_clear(&answer);
        answer.request = readyz;
        if (way == 0) {
            cr_assert_eq(route_serve(&api, &answer), ROUTE_WAITS);
            cr_expect_eq(answer.wait.what, WAIT_PROBE);
            cr_expect_eq(answer.response.status, 0);
            answer.probed = ERR_FULL;
            cr_assert_eq(route_resume(&api, &answer), ROUTE_ANSWERED);
        } else {
            store_mem_fail(api.store, ERR_FULL);
            route_serve_here(&api, &answer);
        }
        cr_expect_eq(answer.wait.what, WAIT_NONE);
        assert_problem(&answer, 503, "store: is full");
    }
    store_close(api.store);
}

Test(route, a_misspelt_key_is_a_404_that_names_the_right_one)
{
    struct api api = {0};

    SERVE(&api, .path = "/config/sales_order/externl_oms");
    assert_problem(&answer, 404, NO_PATH "; is external_oms meant?");
    SERVE(&api, .path = "/config/sales_order/nothing_like_it");
    assert_problem(&answer, 404, NO_PATH);
    SERVE(&api, .path = "/config/sales_orders/external_oms");
    assert_problem(&answer, 404, NO_PATH);
}
