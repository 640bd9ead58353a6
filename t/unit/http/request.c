// SPDX-License-Identifier: MIT
/* A request from CGI variables. */
#include "http/http.h"
#include "base/util.h"

#include "lib/no_memory.h"

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
    cr_assert_eq(request_init(&request, variables), ERR_OK);
    return request;
}

Test(request, takes_every_parameter)
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

Test(request, without_parameters)
{
    struct request request = REQUEST();

    assert_bare(&request);
}

Test(request, takes_an_empty_parameter_as_absent)
{
    struct request request =
        REQUEST("REQUEST_METHOD", "", "PATH_INFO", "", "QUERY_STRING", "",
                "HTTP_ACCEPT", "", "HTTP_AUTHORIZATION", "", "CONTENT_TYPE", "",
                "CONTENT_LENGTH", "", "HTTP_CONTENT_ENCODING", "",
                "HTTP_PREFER", "", "TENANT", "", "REQUEST_ID", "",
                "REQUEST_URI", "", "SCRIPT_NAME", "", "ORDERCONF_OPERATOR", "");

    assert_bare(&request);
}

Test(request, finds_the_authorization_that_apache_renamed)
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

Test(request, is_an_operators_by_one_value)
{
    static const char *const others[] = {"0", "yes", "11", "1 ", " 1"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_not(REQUEST("ORDERCONF_OPERATOR", others[i]).is_operator,
                      "%s", others[i]);
    /* What a client can set. */
    cr_expect_not(REQUEST("HTTP_ORDERCONF_OPERATOR", "1").is_operator);
}

Test(request, methods_are_case_sensitive)
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

Test(request, content_length)
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

Test(request, id_is_kept_if_it_is_harmless)
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

Test(request, id_is_fresh_each_time)
{
    struct request one = REQUEST();
    struct request other = REQUEST();

    cr_expect_eq(strspn(one.id, "0123456789abcdef"), 32);
    cr_expect_str_neq(one.id, other.id);
}

/* Nothing at all, where a condition was meant, must not become none. */
Test(request, an_empty_condition_is_there)
{
    struct request request =
        REQUEST("HTTP_IF_MATCH", "", "HTTP_IF_NONE_MATCH", "");

    cr_expect_str_empty(request.if_match);
    cr_expect_str_empty(request.if_none_match);
}

Test(request, lines_of_a_field_are_one_list)
{
    struct request request = REQUEST(
        "HTTP_ACCEPT", "a", "HTTP_PREFER", "return=minimal", "HTTP_ACCEPT", "b",
        "HTTP_PREFER", "handling=strict", "HTTP_ACCEPT", "", "HTTP_ACCEPT", "c",
        "HTTP_IF_MATCH", "", "HTTP_IF_MATCH", "\"1\"", "HTTP_IF_NONE_MATCH",
        "d", "HTTP_IF_NONE_MATCH", "e", "HTTP_CONTENT_ENCODING", "f",
        "HTTP_CONTENT_ENCODING", "g", "HTTP_AUTHORIZATION", "h",
        "HTTP_AUTHORIZATION", "i");

    cr_expect_str_eq(request.accept, "a, b, c");
    cr_expect_str_eq(request.prefer, "return=minimal, handling=strict");
    cr_expect_str_eq(request.if_match, ", \"1\"");
    cr_expect_str_eq(request.if_none_match, "d, e");
    cr_expect_str_eq(request.content_encoding, "f, g");
    cr_expect_str_eq(request.authorization, "h, i");
    request_clear(&request);
    cr_expect_null(request.accept);
    for (size_t i = 0; i < REQUEST_FIELDS; i++)
        cr_expect_null(request.joined[i]);
}

Test(request, of_what_the_front_end_gives_the_first_counts)
{
    struct request request = REQUEST(
        "TENANT", "a", "TENANT", "b", "PATH_INFO", "/a", "PATH_INFO", "/b",
        "CONTENT_LENGTH", "", "CONTENT_LENGTH", "1", "CONTENT_LENGTH", "2",
        "REDIRECT_HTTP_AUTHORIZATION", "a", "REDIRECT_HTTP_AUTHORIZATION", "b");

    cr_expect_str_eq(request.front_tenant, "a");
    cr_expect_str_eq(request.path, "/a");
    cr_expect_eq(request.content_length, 1);
    cr_expect_str_eq(request.authorization, "a");
}

Test(request, without_memory_for_a_list_says_so)
{
    char first[] = "HTTP_ACCEPT=a", second[] = "HTTP_ACCEPT=b";
    char *variables[] = {first, second, NULL};
    struct request request;

    no_memory_after(0);
    cr_assert_eq(request_init(&request, variables), ERR_NOMEM);
    cr_assert(no_memory_end());
    cr_expect_eq(strlen(request.id), 32);
    request_clear(&request);
}

Test(request, reads_what_has_a_value_and_conditions)
{
    cr_expect(request_reads("PATH_INFO", 9, 1));
    cr_expect(request_reads("HTTP_IF_MATCH", 13, 1));
    cr_expect(request_reads("HTTP_IF_MATCH", 13, 0));
    cr_expect(request_reads("HTTP_IF_NONE_MATCH", 18, 0));
    cr_expect_not(request_reads("PATH_INFO", 9, 0));
    cr_expect_not(request_reads("HTTP_PREFER", 11, 0));
    cr_expect_not(request_reads("HTTP_COOKIE", 11, 1));
    cr_expect_not(request_reads("PATH_INFOS", 10, 1));
    cr_expect_not(request_reads("", 0, 1));
}
