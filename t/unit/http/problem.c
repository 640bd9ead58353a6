// SPDX-License-Identifier: MIT
#include "base/util.h"
#include "http/http.h"
#include "http/problem.h"
#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct request plain = {.id = "ec2f3c9bb016ba97"};

/* The body, parsed; what every problem has is checked on the way. */
static json_t *
body_of(const struct response *response)
{
    static const char *const texts[] = {"type", "title", "error_code",
                                        "message", "request_id"};
    json_t *body = json_loadb(response->body, response->body_len,
                              JSON_REJECT_DUPLICATES, NULL);

    cr_assert_not_null(body);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        cr_expect_gt(json_string_length(json_object_get(body, texts[i])), 0,
                     "%s", texts[i]);
    cr_expect_eq(json_integer_value(json_object_get(body, "status")),
                 response->status);
    cr_expect_gt(json_array_size(json_object_get(body, "messages")), 0);
    cr_expect_eq(json_object_size(body), 7);
    cr_expect_str_eq(response->cache, "no-store");
    return body;
}

static const char *
text_of(const json_t *body, const char *name)
{
    return json_string_value(json_object_get(body, name));
}

Test(problem, statuses_and_codes)
{
    static const struct {
        enum err err;
        int status;
        const char *title, *code;
    } cases[] = {
        {ERR_BADREQ, 400, "Bad Request", "bad_request"},
        {ERR_INVALID, 400, "Bad Request", "validation_failed"},
        {ERR_NOAUTH, 401, "Unauthorized", "unauthorized"},
        {ERR_DENIED, 403, "Forbidden", "forbidden"},
        {ERR_NOTFOUND, 404, "Not Found", "not_found"},
        {ERR_UNSET, 404, "Not Found", "config_not_set"},
        {ERR_METHOD, 405, "Method Not Allowed", "method_not_allowed"},
        {ERR_CONFLICT, 409, "Conflict", "concurrent_update_on_tenant_setting"},
        {ERR_PRECOND, 412, "Precondition Failed", "precondition_failed"},
        {ERR_TIMEOUT, 408, "Request Timeout", "request_timeout"},
        {ERR_TOOBIG, 413, "Content Too Large", "content_too_large"},
        {ERR_MEDIA, 415, "Unsupported Media Type", "unsupported_media_type"},
        {ERR_FIELDS, 431, "Request Header Fields Too Large",
         "headers_too_large"},
        {ERR_NOMEM, 503, "Service Unavailable", "out_of_memory"},
        {ERR_BUSY, 503, "Service Unavailable", "service_unavailable"},
        {ERR_STORE, 500, "Internal Server Error", "internal_server_error"},
        {ERR_FULL, 500, "Internal Server Error", "storage_full"},
        {ERR_SEALED, 500, "Internal Server Error", "secret_unreadable"},
    };

    cr_assert_eq(ARRAY_SIZE(cases), ERR_MAX - 1, "ERR_OK is no problem");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct response response = {0};
        json_t *body;

        cr_expect_eq(problem_status(cases[i].err), cases[i].status);
        problem_respond(&response, &plain, cases[i].err, NULL);
        cr_expect_eq(response.status, cases[i].status, "%s", cases[i].code);
        cr_expect_eq(response.media, MEDIA_PROBLEM);
        body = body_of(&response);
        cr_expect_str_eq(text_of(body, "type"), "about:blank");
        cr_expect_str_eq(text_of(body, "title"), cases[i].title);
        cr_expect_str_eq(text_of(body, "error_code"), cases[i].code);
        cr_expect_str_eq(text_of(body, "request_id"), plain.id);
        json_decref(body);
        response_clear(&response);
    }
}

/* A response to messages; the caller clears it. */
static struct response
respond(json_t *messages, json_t **body_out)
{
    struct response response = {0};

    cr_assert_not_null(messages);
    problem_respond(&response, &plain, ERR_INVALID, messages);
    *body_out = body_of(&response);
    cr_expect(json_equal(json_object_get(*body_out, "messages"), messages));
    json_decref(messages);
    return response;
}

Test(problem, one_message_is_the_message)
{
    json_t *body;
    struct response response =
        respond(json_pack("[s]", "value: is required"), &body);

    cr_expect_str_eq(text_of(body, "message"), "value: is required");
    json_decref(body);
    response_clear(&response);
}

Test(problem, several_messages_are_joined)
{
    json_t *body;
    struct response response =
        respond(json_pack("[sss]", "a: \"x\"", "b", "\xc3\xa9"), &body);

    cr_expect_str_eq(text_of(body, "message"), "a: \"x\"; b; \xc3\xa9");
    json_decref(body);
    response_clear(&response);
}

Test(problem, many_messages_are_all_listed_but_not_all_joined)
{
    json_t *messages = json_array();
    json_t *body;
    struct response response;

    for (int i = 0; i < 1000; i++)
        json_array_append_new(messages, json_sprintf("m%d", i));
    response = respond(messages, &body);
    cr_expect_str_eq(text_of(body, "message"),
                     "m0; m1; m2; m3; m4; m5; m6; m7; and 992 more");
    json_decref(body);
    response_clear(&response);
}

Test(problem, no_messages_give_the_default)
{
    json_t *messages = json_array();
    struct response response = {0};
    json_t *body;

    problem_respond(&response, &plain, ERR_STORE, messages);
    body = body_of(&response);
    cr_expect_str_eq(text_of(body, "message"), "internal error");
    json_decref(body);
    json_decref(messages);
    response_clear(&response);
}

Test(problem, no_memory_lists_no_violations)
{
    json_auto_t *messages = json_pack("[s]", "value: is required");
    struct response response = {0};
    json_t *body;

    problem_respond(&response, &plain, ERR_NOMEM, messages);
    body = body_of(&response);
    cr_expect_str_eq(text_of(body, "message"),
                     "out of memory, try again later");
    json_decref(body);
    response_clear(&response);
}

Test(problem, formatted_message)
{
    struct response response = {0};
    json_t *body;

    problem_respondf(&response, &plain, ERR_NOTFOUND, "no such key: %s, %d",
                     "a\"b\n", 7);
    body = body_of(&response);
    cr_expect_str_eq(text_of(body, "message"), "no such key: a\"b\n, 7");
    cr_expect_eq(json_array_size(json_object_get(body, "messages")), 1);
    json_decref(body);
    response_clear(&response);
}

Test(problem, bad_utf8_gives_the_default)
{
    struct response response = {0};
    json_t *body;

    problem_respondf(&response, &plain, ERR_NOTFOUND, "no such key: %s",
                     "\xff");
    cr_expect_eq(response.status, 404);
    body = body_of(&response);
    cr_expect_str_eq(text_of(body, "message"),
                     "there is no such config key or path");
    json_decref(body);
    response_clear(&response);
}

Test(problem, media_type_is_negotiated)
{
    struct request request = plain;
    struct response response = {0};

    request.accept = "application/json";
    problem_respond(&response, &request, ERR_CONFLICT, NULL);
    cr_expect_eq(response.media, MEDIA_JSON);
    request.accept = "text/html, */*;q=0.1";
    problem_respond(&response, &request, ERR_CONFLICT, NULL);
    cr_expect_eq(response.media, MEDIA_PROBLEM);
    response_clear(&response);
}

Test(problem, fields_that_were_set_before_stay)
{
    struct response response = {.allow = "GET, HEAD",
                                .etag = "\"3\"",
                                .challenge = "Bearer error=\"invalid_token\""};

    problem_respond(&response, &plain, ERR_NOAUTH, NULL);
    cr_expect_str_eq(response.allow, "GET, HEAD");
    cr_expect_str_eq(response.etag, "\"3\"");
    cr_expect_str_eq(response.challenge, "Bearer error=\"invalid_token\"");
    response_clear(&response);
}

Test(problem, statuses_bring_the_fields_they_need)
{
    struct response response = {0};

    problem_respond(&response, &plain, ERR_NOAUTH, NULL);
    cr_expect_str_eq(response.challenge, "Bearer");
    response_clear(&response);
    problem_respond(&response, &plain, ERR_BUSY, NULL);
    cr_expect_gt(response.retry_after, 0);
    cr_expect_null(response.challenge);
    response_clear(&response);
}

Test(problem, an_earlier_body_is_replaced)
{
    struct response response = {.status = 200};
    json_t *body;

    response_set_body(&response, strdup("{}"), 2);
    problem_respond(&response, &plain, ERR_STORE, NULL);
    body = body_of(&response);
    json_decref(body);
    response_clear(&response);
}

/* The constant body is the same shape, and its status fits. */
static void
assert_constant(const struct response *response)
{
    json_t *body = body_of(response);

    cr_expect_eq(response->status, 503);
    cr_expect_str_eq(text_of(body, "error_code"), err_name(ERR_NOMEM));
    cr_expect_str_eq(text_of(body, "title"), http_reason(503));
    cr_expect_null(response->allow);
    cr_expect_null(response->challenge);
    cr_expect_str_empty(response->etag);
    json_decref(body);
}

Test(problem, no_memory_gives_a_constant_body)
{
    json_auto_t *messages = json_pack("[ss]", "first", "second");
    bool has_failed = true;
    unsigned n;

    for (n = 0; has_failed && n < 1000; n++) {
        struct response response = {.etag = "\"3\"", .allow = "GET"};

        no_memory_after(n);
        problem_respond(&response, &plain, ERR_CONFLICT, messages);
        has_failed = no_memory_end();
        if (has_failed)
            assert_constant(&response);
        else
            cr_expect_eq(response.status, 409);
        response_clear(&response);
    }
    cr_expect_gt(n, 3);
}

/* There may still be memory for the default text. */
Test(problem, no_memory_for_a_formatted_message)
{
    bool has_failed = true;

    for (unsigned n = 0; has_failed && n < 1000; n++) {
        struct response response = {0};

        no_memory_after(n);
        problem_respondf(&response, &plain, ERR_NOTFOUND, "no such key: %d", 7);
        has_failed = no_memory_end();
        if (response.status == 503)
            assert_constant(&response);
        else
            cr_expect_eq(response.status, 404);
        cr_expect(has_failed || response.status == 404);
        response_clear(&response);
    }
}
