// SPDX-License-Identifier: MIT
#include "base/util.h"
#include "http/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { JSON, PROBLEM, FALLBACK };

Test(http_fields, negotiate)
{
    static const struct {
        const char *accept;
        int media;
    } cases[] = {
        {NULL, FALLBACK},
        {"", FALLBACK},
        {"*/*", FALLBACK},
        {"application/*", FALLBACK},
        {"application/json", JSON},
        {"application/problem+json", PROBLEM},
        {"APPLICATION/JSON", JSON},
        {"Application/Problem+JSON", PROBLEM},
        {"text/html", FALLBACK},
        {"text/html, application/json", JSON},
        {"application/xml;q=0.9, application/problem+json;q=0.1", PROBLEM},
        {"json", FALLBACK},

        /* Both alike, whatever the order. */
        {"application/json, application/problem+json", FALLBACK},
        {"application/problem+json, application/json", FALLBACK},
        {"application/problem+json,application/json,*/*;q=0.1", FALLBACK},

        /* Weights. */
        {"application/json;q=0.5, application/problem+json;q=0.6", PROBLEM},
        {"application/json;q=0.6, application/problem+json;q=0.5", JSON},
        {"application/json;q=0.501,application/problem+json;q=0.5", JSON},
        {"application/json;q=1.000,application/problem+json;q=0.999", JSON},
        {"application/json;Q=0.1, application/problem+json", PROBLEM},
        {"application/json ; q=0.1 , application/problem+json", PROBLEM},
        {"application/json;q=0, */*", PROBLEM},
        {"application/json;q=0.000, */*;q=0.001", PROBLEM},
        {"application/problem+json;q=0, application/*", JSON},
        {"application/json;q=0", FALLBACK},
        {"*/*;q=0", FALLBACK},
        {"application/json;q=0, application/problem+json;q=0", FALLBACK},
        {"application/json;q=0.", FALLBACK},
        {"application/json;q=1.", JSON},

        /* The closest range decides, in any order. */
        {"*/*, application/json;q=0.5", PROBLEM},
        {"application/json;q=0.5, */*", PROBLEM},
        {"application/*;q=0.2, */*;q=0.9, application/json;q=0.3", JSON},
        {"*/*;q=0.9, application/*;q=0.2, application/problem+json;q=0.3",
         PROBLEM},
        {"application/*;q=0.1, application/json", JSON},
        {"application/*, application/json;q=0.1", PROBLEM},
        {"text/*, application/json;q=0.1", JSON},

        /* Parameters. */
        {"application/json;charset=utf-8", JSON},
        {"application/json; charset=\"UTF-8\"", JSON},
        {"application/json; charset=utf-8; q=0.2, application/problem+json",
         PROBLEM},
        {"application/json;charset=utf-8;q=0.2, application/json, "
         "application/problem+json;q=0.5",
         PROBLEM},
        {"application/json;charset=latin1", FALLBACK},
        {"application/json;odata=verbose", FALLBACK},
        {"application/json;odata=verbose, application/problem+json", PROBLEM},
        {"application/json;odata=verbose;q=0.1, application/json", JSON},
        {"application/json;x=\"a,b;q=0\", application/problem+json;q=0.1",
         PROBLEM},
        {"application/json;x=\"\\\",application/json\"", FALLBACK},
        /* "q" need not be last: what follows is a parameter all the same. */
        {"application/json;q=0.1;ext=1, application/problem+json;q=0.05",
         PROBLEM},
        {"application/json;q=0.1;charset=utf-8, application/problem+json",
         PROBLEM},
        {"application/json;, application/problem+json;q=0.5", JSON},
        {"application/json;;q=0.4;, application/problem+json;q=0.5", PROBLEM},

        /* Malformed pieces are passed over, the rest counts. */
        {"application/json;q=2, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=1.001, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=0.1234, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=-1, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=a, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=0.a, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=.5, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q=0,5, application/problem+json;q=0.1", PROBLEM},
        {"application/json;q, application/problem+json;q=0.1", PROBLEM},
        {"application/json extra, application/problem+json;q=0.1", PROBLEM},
        {"application / json, application/problem+json;q=0.1", PROBLEM},
        {"/json, application/, application, application/json", JSON},
        {",, ,application/json,,", JSON},
        {" \t application/json \t ", JSON},
        {"application/json;x=\"never closed, application/problem+json",
         FALLBACK},
        {"\"application/json\", application/problem+json", PROBLEM},
        {"*, */json, application/problem+json;q=0.1", PROBLEM},
        {"\xff\xfe, application/json", JSON},
        {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", FALLBACK},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         FALLBACK},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        enum media as_answer =
            cases[i].media == PROBLEM ? MEDIA_PROBLEM : MEDIA_JSON;
        enum media as_error =
            cases[i].media == JSON ? MEDIA_JSON : MEDIA_PROBLEM;

        cr_expect_eq(http_negotiate(cases[i].accept, MEDIA_JSON), as_answer,
                     "%s", cases[i].accept);
        cr_expect_eq(http_negotiate(cases[i].accept, MEDIA_PROBLEM), as_error,
                     "%s", cases[i].accept);
    }
}

Test(http_fields, content_types_that_are_json)
{
    static const char *const good[] = {
        "application/json",
        "Application/JSON",
        " application/json ",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json ; Charset=\"utf-8\"",
        "application/json; profile=\"a;charset=latin1\"",
        "application/json;",
        "application/json; v=1; charset=utf-8",
    };
    static const char *const bad[] = {
        NULL,
        "",
        "application",
        "application/",
        "application/jsonp",
        "application/json+x",
        "application/problem+json",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/*",
        "*/*",
        "application/json, application/json",
        "application/json charset=utf-8",
        "application/json; charset",
        "application/json; charset=",
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
        "application/json; charset=\"utf-8",
        "application/json; charset=utf-8; charset=latin1",
        "application /json",
        "application/json; charset = utf-8",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_expect(http_is_json(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_not(http_is_json(bad[i]), "%s", bad[i]);
}

Test(http_fields, prefer_handling)
{
    static const char *const strict[] = {
        "handling=strict",
        "Handling=Strict",
        "handling = strict",
        "handling=\"strict\"",
        " handling=strict ",
        "handling=strict; x=y",
        "handling=strict;x",
        "respond-async, handling=strict",
        "respond-async,handling=strict,wait=10",
        "return=minimal; note=\"a, handling=lenient\", handling=strict",
        "handling=strict, handling=lenient",
        ",, handling=strict",
        "=, @, handling=strict",
    };
    static const char *const not_strict[] = {
        NULL,
        "",
        "handling",
        "handling=",
        "handling=\"\"",
        "handling=lenient",
        "handling=stricter",
        "handling=lenient, handling=strict",
        "handling, handling=strict",
        "xhandling=strict",
        "strict",
        "return=\"handling=strict\"",
        "return=minimal; handling=strict",
        "note=\"x, handling=strict\"",
        "note=\"x, handling=strict",
        "handling:strict",
    };

    for (size_t i = 0; i < ARRAY_SIZE(strict); i++)
        cr_expect(http_is_strict(strict[i]), "%s", strict[i]);
    for (size_t i = 0; i < ARRAY_SIZE(not_strict); i++)
        cr_expect_not(http_is_strict(not_strict[i]), "%s", not_strict[i]);
}

Test(http_fields, entity_tags)
{
    static const struct {
        const char *field;
        uint64_t version;
        enum etag_match strong, weak;
    } cases[] = {
        {"*", 1, ETAG_MATCHES, ETAG_MATCHES},
        {" * ", 1, ETAG_MATCHES, ETAG_MATCHES},
        {"*", 0, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"0\"", 0, ETAG_MATCHES, ETAG_MATCHES},
        {"\"1\"", 1, ETAG_MATCHES, ETAG_MATCHES},
        {"\"2\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"1\"", 0, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"18446744073709551615\"", UINT64_MAX, ETAG_MATCHES, ETAG_MATCHES},
        {"\"18446744073709551617\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"01\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"+1\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"1x\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"\"", 0, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"abc\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"\"\xc3\xa9\\\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},

        {"W/\"1\"", 1, ETAG_DIFFERS, ETAG_MATCHES},
        {"W/\"2\"", 1, ETAG_DIFFERS, ETAG_DIFFERS},
        {"w/\"1\"", 1, ETAG_MALFORMED, ETAG_MALFORMED},

        {"\"3\", \"1\"", 1, ETAG_MATCHES, ETAG_MATCHES},
        {"\"1\", \"3\"", 1, ETAG_MATCHES, ETAG_MATCHES},
        {"\"3\",W/\"1\"\t,\"5\"", 1, ETAG_DIFFERS, ETAG_MATCHES},
        {",\"1\",,", 1, ETAG_MATCHES, ETAG_MATCHES},
        {"\"a,b\", \"1\"", 1, ETAG_MATCHES, ETAG_MATCHES},

        {"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {" ,", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"1", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"1\"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"'1'", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"W/", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"W/1", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1\" \"2\"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1\", 2", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1\";x", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1 \"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"1\", *", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"*, \"1\"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"**", 1, ETAG_MALFORMED, ETAG_MALFORMED},
        {"\"\x7f\"", 1, ETAG_MALFORMED, ETAG_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *field = cases[i].field;
        bool is_there = cases[i].version > 0;
        char etag[HTTP_ETAG_SIZE];

        snprintf(etag, sizeof(etag), "\"%llu\"",
                 (unsigned long long)cases[i].version);
        cr_expect_eq(http_match_etag(field, etag, is_there, false),
                     cases[i].strong, "%s", field);
        cr_expect_eq(http_match_etag(field, etag, is_there, true),
                     cases[i].weak, "%s", field);
    }
}

Test(http_fields, hostile_fields_cost_linear_time, .timeout = 5)
{
    static const char *const pieces[] = {"\"", "\"\\", "a/b;", "a/b;c=\"", ",",
                                         ";",  "W/\"", " ",    "a=\"\\\""};
    enum { LENGTH = 1 << 20 };
    char *field = malloc(LENGTH + 1);

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        size_t size = strlen(pieces[i]);

        for (size_t at = 0; at < LENGTH; at++)
            field[at] = pieces[i][at % size];
        field[LENGTH] = '\0';
        cr_expect_eq(http_negotiate(field, MEDIA_JSON), MEDIA_JSON);
        cr_expect_not(http_is_json(field));
        cr_expect_not(http_is_strict(field));
        cr_expect_eq(http_match_etag(field, "\"1\"", true, true),
                     ETAG_MALFORMED);
    }
    free(field);
}
