// SPDX-License-Identifier: MIT
#include "http/http.h"
#include "base/util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define REQUEST(...)                                                           \
    request_of((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* A request of variables: name, value, …, NULL. Its text lives until the
 * fourth one after it. */
static struct request
request_of(const char *const *params)
{
    static char texts[4][32][256];
    static size_t last;
    char *variables[32] = {NULL};
    struct request request;

    last = (last + 1) % ARRAY_SIZE(texts);
    for (size_t i = 0; params[2 * i] != NULL; i++) {
        cr_assert_lt(i, ARRAY_SIZE(variables) - 1);
        variables[i] = texts[last][i];
        cr_assert_lt(snprintf(variables[i], sizeof(texts[last][i]), "%s=%s",
                              params[2 * i], params[2 * i + 1]),
                     (int)sizeof(texts[last][i]));
    }
    memset(&request, 0xa5, sizeof(request));
    request_init(&request, variables);
    return request;
}

Test(http, request_takes_every_parameter)
{
    struct request request = REQUEST(
        "REQUEST_METHOD", "POST", "PATH_INFO", "/a", "QUERY_STRING", "b=c",
        "HTTP_ACCEPT", "d", "HTTP_AUTHORIZATION", "e", "CONTENT_TYPE", "f",
        "CONTENT_LENGTH", "12", "HTTP_CONTENT_ENCODING", "g", "HTTP_IF_MATCH",
        "h", "HTTP_IF_NONE_MATCH", "i", "HTTP_PREFER", "j", "TENANT", "k",
        "REQUEST_ID", "l", "REQUEST_URI", "/m/a?b=c", "SCRIPT_NAME", "/m",
        "ORDERCONF_OPERATOR", "1");

    cr_expect_eq(request.method, HTTP_POST);
    cr_expect_str_eq(request.path, "/a");
    cr_expect_str_eq(request.query, "b=c");
    cr_expect_str_eq(request.accept, "d");
    cr_expect_str_eq(request.authorization, "e");
    cr_expect_str_eq(request.content_type, "f");
    cr_expect_eq(request.content_length, 12);
    cr_expect_str_eq(request.content_encoding, "g");
    cr_expect_str_eq(request.if_match, "h");
    cr_expect_str_eq(request.if_none_match, "i");
    cr_expect_str_eq(request.prefer, "j");
    cr_expect_str_eq(request.front_tenant, "k");
    cr_expect_str_eq(request.id, "l");
    cr_expect_str_eq(request.target, "/m/a?b=c");
    cr_expect_str_eq(request.prefix, "/m");
    cr_expect(request.is_operator);
    cr_expect_null(request.body);
    cr_expect_eq(request.body_len, 0);
}

static void
assert_bare(const struct request *request)
{
    cr_expect_eq(request->method, HTTP_OTHER);
    cr_expect_str_empty(request->path);
    cr_expect_str_empty(request->query);
    cr_expect_null(request->target);
    cr_expect_str_empty(request->prefix);
    cr_expect_not(request->is_operator);
    cr_expect_null(request->accept);
    cr_expect_null(request->authorization);
    cr_expect_null(request->content_type);
    cr_expect_eq(request->content_length, -1);
    cr_expect_null(request->content_encoding);
    cr_expect_null(request->if_match);
    cr_expect_null(request->if_none_match);
    cr_expect_null(request->prefer);
    cr_expect_null(request->front_tenant);
    cr_expect_eq(strlen(request->id), 32);
}

Test(http, request_without_parameters)
{
    struct request request = REQUEST();

    assert_bare(&request);
}

Test(http, request_takes_an_empty_parameter_as_absent)
{
    struct request request = REQUEST(
        "REQUEST_METHOD", "", "PATH_INFO", "", "QUERY_STRING", "",
        "HTTP_ACCEPT", "", "HTTP_AUTHORIZATION", "", "CONTENT_TYPE", "",
        "CONTENT_LENGTH", "", "HTTP_CONTENT_ENCODING", "", "HTTP_IF_MATCH", "",
        "HTTP_IF_NONE_MATCH", "", "HTTP_PREFER", "", "TENANT", "", "REQUEST_ID",
        "", "REQUEST_URI", "", "SCRIPT_NAME", "", "ORDERCONF_OPERATOR", "");

    assert_bare(&request);
}

Test(http, request_finds_the_authorization_that_apache_renamed)
{
    struct request renamed = REQUEST("REDIRECT_HTTP_AUTHORIZATION", "a");
    struct request both =
        REQUEST("REDIRECT_HTTP_AUTHORIZATION", "a", "HTTP_AUTHORIZATION", "b");
    struct request empty =
        REQUEST("REDIRECT_HTTP_AUTHORIZATION", "a", "HTTP_AUTHORIZATION", "");

    cr_expect_str_eq(renamed.authorization, "a");
    cr_expect_str_eq(both.authorization, "b");
    cr_expect_str_eq(empty.authorization, "a");
}

Test(http, request_is_an_operators_by_one_value)
{
    static const char *const others[] = {"0", "yes", "11", "1 ", " 1"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_not(REQUEST("ORDERCONF_OPERATOR", others[i]).is_operator,
                      "%s", others[i]);
    /* What a client can set. */
    cr_expect_not(REQUEST("HTTP_ORDERCONF_OPERATOR", "1").is_operator);
}

Test(http, request_methods_are_case_sensitive)
{
    static const struct {
        const char *name;
        enum http_method method;
    } cases[] = {
        {"GET", HTTP_GET},   {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
        {"get", HTTP_OTHER}, {"PUT", HTTP_OTHER},     {"GETS", HTTP_OTHER},
        {"POS", HTTP_OTHER}, {"OPTIONS", HTTP_OTHER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_expect_eq(REQUEST("REQUEST_METHOD", cases[i].name).method,
                     cases[i].method, "%s", cases[i].name);
}

Test(http, request_content_length)
{
    static const struct {
        const char *text;
        int64_t length;
    } cases[] = {
        {"0", 0},
        {"65536", 65536},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"99999999999999999999999999999999999999", INT64_MAX},
        {"-1", -2},
        {"+1", -2},
        {" 1", -2},
        {"1 ", -2},
        {"1, 1", -2},
        {"0x10", -2},
        {"1e3", -2},
        {"abc", -2},
        {"99999999999999999999999999999999999999x", -2},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_expect_eq(REQUEST("CONTENT_LENGTH", cases[i].text).content_length,
                     cases[i].length, "%s", cases[i].text);
}

Test(http, request_id_is_kept_if_it_is_harmless)
{
    static const char *const good[] = {
        "a",
        "0",
        "ec2f3c9bb016ba971bf6074098363",
        "A-Z_a.z:9",
    };
    static const char *const bad[] = {
        "a b", "a\r\nSet-Cookie: b", "a\"b", "\xc3\xa9", "a/b", "{}", " ",
    };
    char longest[HTTP_REQUEST_ID_MAX + 2];

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_expect_str_eq(REQUEST("REQUEST_ID", good[i]).id, good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_eq(strlen(REQUEST("REQUEST_ID", bad[i]).id), 32, "%s",
                     bad[i]);

    memset(longest, 'x', sizeof(longest));
    longest[HTTP_REQUEST_ID_MAX + 1] = '\0';
    cr_expect_eq(strlen(REQUEST("REQUEST_ID", longest).id), 32);
    longest[HTTP_REQUEST_ID_MAX] = '\0';
    cr_expect_str_eq(REQUEST("REQUEST_ID", longest).id, longest);
}

Test(http, request_id_is_fresh_each_time)
{
    struct request one = REQUEST();
    struct request other = REQUEST();

    cr_expect_eq(strspn(one.id, "0123456789abcdef"), 32);
    cr_expect_str_neq(one.id, other.id);
}

static void
assert_head(const struct response *response, const char *expected)
{
    struct request request = {.id = "abc"};
    char head[RESPONSE_HEAD_MAX + 1];
    size_t len;

    memset(head, '#', sizeof(head));
    len = response_head(response, &request, head);
    cr_assert_lt(len, RESPONSE_HEAD_MAX);
    cr_expect_eq(head[len], '#', "more was written than said");
    head[len] = '\0';
    cr_expect_str_eq(head, expected, "%s", head);
}

Test(http, head_of_an_answer)
{
    assert_head(
        &(struct response){
            .status = 200, .etag = "\"7\"", .body = "{}", .body_len = 2},
        "Status: 200 OK\r\n"
        "Content-Type: application/json\r\n"
        "Content-Length: 2\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Vary: Accept\r\n"
        "ETag: \"7\"\r\n"
        "X-Request-Id: abc\r\n"
        "\r\n");
}

Test(http, head_with_every_field)
{
    assert_head(&(struct response){.status = 405,
                                   .media = MEDIA_PROBLEM,
                                   .etag = "\"18446744073709551615\"",
                                   .allow = "GET, HEAD",
                                   .challenge = "Bearer",
                                   .cache = "no-store",
                                   .is_strict = true,
                                   .retry_after = 30,
                                   .body_len = 65536},
                "Status: 405 Method Not Allowed\r\n"
                "Content-Type: application/problem+json\r\n"
                "Content-Length: 65536\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Vary: Accept\r\n"
                "ETag: \"18446744073709551615\"\r\n"
                "Allow: GET, HEAD\r\n"
                "WWW-Authenticate: Bearer\r\n"
                "Cache-Control: no-store\r\n"
                "Preference-Applied: handling=strict\r\n"
                "Retry-After: 30\r\n"
                "X-Request-Id: abc\r\n"
                "\r\n");
}

Test(http, head_of_304_describes_no_content)
{
    assert_head(&(struct response){.status = 304, .etag = "\"0\""},
                "Status: 304 Not Modified\r\n"
                "Vary: Accept\r\n"
                "ETag: \"0\"\r\n"
                "X-Request-Id: abc\r\n"
                "\r\n");
}

Test(http, head_of_text_is_not_negotiated)
{
    assert_head(&(struct response){.status = 200, .media = MEDIA_METRICS},
                "Status: 200 OK\r\n"
                "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                "Content-Length: 0\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "X-Request-Id: abc\r\n"
                "\r\n");
}

Test(http, head_never_outgrows_its_buffer)
{
    char allow[2 * RESPONSE_HEAD_MAX];
    auto_char *expected = NULL;

    memset(allow, 'G', sizeof(allow));
    allow[sizeof(allow) - 1] = '\0';
    assert_head(&(struct response){.status = 304, .allow = allow},
                "Status: 304 Not Modified\r\n"
                "Vary: Accept\r\n"
                "X-Request-Id: abc\r\n"
                "\r\n");

    /* The longest that fits is there. */
    allow[900] = '\0';
    cr_assert_geq(asprintf(&expected,
                           "Status: 304 Not Modified\r\n"
                           "Vary: Accept\r\n"
                           "Allow: %s\r\n"
                           "X-Request-Id: abc\r\n"
                           "\r\n",
                           allow),
                  0);
    assert_head(&(struct response){.status = 304, .allow = allow}, expected);
}

Test(http, every_status_has_its_reason)
{
    cr_expect_str_eq(http_reason(200), "OK");
    cr_expect_str_eq(http_reason(304), "Not Modified");
    cr_expect_str_eq(http_reason(413), "Content Too Large");
    cr_expect_str_eq(http_reason(299), "Unknown");
}

Test(http, body_is_taken_and_freed)
{
    struct response response = {.status = 200};

    response_set_body(&response, strdup("first"), 5);
    response_set_body(&response, strdup("second"), 6);
    cr_expect_str_eq(response.body, "second");
    cr_expect_eq(response.body_len, 6);
    response_clear(&response);
    cr_expect_null(response.body);
    cr_expect_eq(response.body_len, 0);
    cr_expect_eq(response.status, 0);
    response_clear(&response);
}
