// SPDX-License-Identifier: MIT
/* A request header field, read as each of those that we read; and the same as
 * a query string. */
#include "fuzz.h"

#include "base/util.h"
#include "http/http.h"

#include <stdio.h>
#include <string.h>

static char *
join(const char *one, const char *other)
{
    char *joined = NULL;

    FUZZ_CHECK(asprintf(&joined, "%s%s", one, other) >= 0);
    return joined;
}

static void
check_accept(const char *field)
{
    enum media json = http_negotiate(field, MEDIA_JSON);
    enum media problem = http_negotiate(field, MEDIA_PROBLEM);
    auto_char *longer = join(field, ", text/html;q=0.3, a/b;c=\"d,e\"");

    FUZZ_CHECK(json == MEDIA_JSON || json == MEDIA_PROBLEM);
    /* A preference, or none, and then the fallback. */
    FUZZ_CHECK(json == problem ||
               (json == MEDIA_JSON && problem == MEDIA_PROBLEM));
    /* What is about another type changes nothing. */
    FUZZ_CHECK(http_negotiate(longer, MEDIA_JSON) == json);
    FUZZ_CHECK(http_negotiate(longer, MEDIA_PROBLEM) == problem);
}

static void
check_prefer(const char *field)
{
    auto_char *strict = join("handling=strict, ", field);
    auto_char *lenient = join("handling=lenient, ", field);
    auto_char *other = join("respond-async; wait=\"1,2\", ", field);

    /* The first one counts. */
    FUZZ_CHECK(http_is_strict(strict));
    FUZZ_CHECK(!http_is_strict(lenient));
    FUZZ_CHECK(http_is_strict(other) == http_is_strict(field));
}

/* Against the tag of a version. */
static enum etag_match
match(const char *field, uint64_t version, bool weak)
{
    char etag[HTTP_ETAG_SIZE];

    snprintf(etag, sizeof(etag), "\"%llu\"", (unsigned long long)version);
    return http_match_etag(field, etag, version > 0, weak);
}

static void
check_etags(const char *field)
{
    static const uint64_t versions[] = {0, 1, 42, UINT64_MAX};
    bool is_any = field[strspn(field, " \t")] == '*';
    bool is_malformed = match(field, 1, true) == ETAG_MALFORMED;
    auto_char *longer = join(field, ",\"42\"");
    auto_char *weaker = join(field, ",W/\"42\"");

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        enum etag_match strong = match(field, versions[i], false);
        enum etag_match weak = match(field, versions[i], true);

        FUZZ_CHECK((strong == ETAG_MALFORMED) == is_malformed);
        FUZZ_CHECK((weak == ETAG_MALFORMED) == is_malformed);
        FUZZ_CHECK(strong != ETAG_MATCHES || weak == ETAG_MATCHES);
    }
    if (is_any)
        FUZZ_CHECK(match(field, 0, true) != ETAG_MATCHES);
    else if (!is_malformed) {
        FUZZ_CHECK(match(longer, 42, false) == ETAG_MATCHES);
        FUZZ_CHECK(match(weaker, 42, true) == ETAG_MATCHES);
        FUZZ_CHECK(match(weaker, 42, false) == match(field, 42, false));
    }
}

/* The text as a query string. */
static void
check_query(const char *query)
{
    auto_char *longer = join(query, "&limit=5");
    json_auto_t *messages = json_array();
    uint64_t number = 0;
    enum err err = http_query_number(query, "limit", 1, 100, messages, &number);
    bool is_there = err != ERR_OK || number != 0;

    FUZZ_CHECK(err == ERR_OK || err == ERR_BADREQ);
    FUZZ_CHECK(err == ERR_OK || number == 0);
    FUZZ_CHECK(number <= 100);
    FUZZ_CHECK(json_array_size(messages) == (err != ERR_OK));

    /* One more is the only one, or one too many. */
    number = 0;
    err = http_query_number(longer, "limit", 1, 100, messages, &number);
    FUZZ_CHECK(is_there ? err == ERR_BADREQ : err == ERR_OK && number == 5);
}

static void
check_content_type(const char *field)
{
    auto_char *utf8 = join(field, ";charset=utf-8");
    auto_char *latin1 = join(field, ";charset=latin1");

    FUZZ_CHECK(!http_is_json(field) || http_is_json(utf8));
    FUZZ_CHECK(!http_is_json(latin1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_char *field = strndup((const char *)data, size);

    check_accept(field);
    check_prefer(field);
    check_etags(field);
    check_content_type(field);
    check_query(field);
    return 0;
}
