// SPDX-License-Identifier: MIT
#include "http/http.h"
#include "base/util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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
