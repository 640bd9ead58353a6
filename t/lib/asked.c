// SPDX-License-Identifier: MIT
#include "asked.h"

#include "api/write.h"
#include "base/util.h"
#include "no_memory.h"
#include "setting/etag.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Whose answers are asserted. */
static struct api *served;

static void
tag_of(struct api *api, const char *key, uint64_t version,
       char etag_out[ETAG_SIZE])
{
    struct record record;

    cr_assert_eq(store_get_version(api->store, "acme", key, version, &record),
                 ERR_OK);
    cr_assert_eq(record.version, version, "%s has no version %llu", key,
                 (unsigned long long)version);
    cr_assert_eq(etag_of_record(config_key_find(key), &record, etag_out),
                 ERR_OK);
    record_clear(&record);
}

/* text, with the tag of version N in place of each {N}; NULL stays NULL. Lives
 * until some calls later. */
static const char *
with_tags(struct api *api, const char *key, const char *text)
{
    static char texts[4][256];
    static size_t next;
    char *to = texts[next++ % ARRAY_SIZE(texts)];
    size_t len = 0;

    if (text == NULL)
        return NULL;
    while (*text != '\0') {
        cr_assert_lt(len + ETAG_SIZE, sizeof(*texts));
        if (*text != '{') {
            to[len++] = *text++;
            continue;
        }
        tag_of(api, key, strtoull(text + 1, NULL, 10), to + len);
        len += strlen(to + len);
        text = strchr(text, '}') + 1;
    }
    to[len] = '\0';
    return to;
}

void
ask(struct api *api, handler_fn *handler, const struct asked *asked,
    struct exchange *exchange)
{
    const char *body = asked->body != NULL ? asked->body : "";

    served = api;
    exchange_clear(exchange);
    exchange->request = (struct request){
        .path = "",
        .query = asked->query != NULL ? asked->query : "",
        .content_type = "application/json",
        .if_match = with_tags(api, asked->key, asked->if_match),
        .if_none_match = with_tags(api, asked->key, asked->if_none_match),
        .prefer = asked->prefer,
        .content_length = -1,
        .body = body,
        .body_len = strlen(body),
        .id = "r-1",
    };
    exchange->principal = (struct principal){
        .tenant = "acme",
        .subject = "alice",
        .may_read = true,
        .may_write = true,
        .may_reveal = !asked->is_masked,
    };
    if (asked->key != NULL)
        exchange->key = config_key_find(asked->key);
    handler(api, exchange);
}

void
wait_for_answer(struct api *api, struct exchange *exchange)
{
    exchange_wait_here(api, exchange);
    exchange_resume(api, exchange);
}

void
ask_all(struct api *api, handler_fn *handler, const struct asked *asked,
        struct exchange *exchange)
{
    ask(api, handler, asked, exchange);
    if (exchange->wait.what != WAIT_NONE)
        wait_for_answer(api, exchange);
}

void
set(struct api *api, const char *key, const char *value)
{
    struct exchange exchange = {0};
    char *body = NULL;

    cr_assert_geq(asprintf(&body, "{\"value\":%s}", value), 0);
    ASK(api, api_post, &exchange, .key = key, .body = body);
    cr_assert_eq(exchange.response.status, 200, "%s: %s", key, value);
    exchange_clear(&exchange);
    free(body);
}

json_t *
body_of(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    json_t *body = json_loadb(response->body, response->body_len,
                              JSON_REJECT_DUPLICATES, NULL);

    cr_assert_not_null(body, "%.*s", (int)response->body_len, response->body);
    return body;
}

void
assert_tag(const struct exchange *exchange, const char *etag)
{
    const struct config_key *key = exchange->key;

    cr_expect_str_eq(exchange->response.etag,
                     with_tags(served, key != NULL ? key->name : NULL, etag));
}

void
assert_answer(const struct exchange *exchange, int status, const char *etag,
              const char *body)
{
    const struct response *response = &exchange->response;
    const char *sent = response->body != NULL ? response->body : "";
    int len = (int)response->body_len;

    cr_expect_eq(response->status, status, "%d: %.*s", response->status, len,
                 sent);
    if (etag != NULL)
        assert_tag(exchange, etag);
    if (body != NULL)
        cr_expect(strlen(body) == response->body_len &&
                      memcmp(sent, body, response->body_len) == 0,
                  "%.*s", len, sent);
}

void
assert_problem(const struct exchange *exchange, int status, const char *message)
{
    json_t *body = body_of(exchange);
    const json_t *messages = json_object_get(body, "messages");
    bool is_there = false;

    assert_answer(exchange, status, NULL, NULL);
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (strcmp(json_string_value(json_array_get(messages, i)), message) ==
            0)
            is_there = true;
    cr_expect(is_there, "not %s: %.*s", message,
              (int)exchange->response.body_len, exchange->response.body);
    json_decref(body);
}

uint64_t
version_of(struct api *api, const char *key)
{
    struct record record;
    uint64_t version;

    cr_assert_eq(store_get(api->store, "acme", key, &record), ERR_OK);
    version = record.version;
    record_clear(&record);
    return version;
}

void
ask_without_memory(struct api *api, handler_fn *handler,
                   const struct asked *asked, int status)
{
    struct exchange exchange = {0};
    unsigned failures = 0;
    bool has_failed = true;

    for (unsigned n = 0; has_failed && n < 1000; n++) {
        no_memory_after(n);
        ask(api, handler, asked, &exchange);
        has_failed = no_memory_end();
        if (has_failed && exchange.response.status == 503) {
            cr_expect_eq(exchange.wait.what, WAIT_NONE);
            failures++;
            continue;
        }
        if (exchange.wait.what != WAIT_NONE)
            wait_for_answer(api, &exchange);
        assert_answer(&exchange, status, NULL, NULL);
    }
    cr_expect_not(has_failed);
    cr_expect_gt(failures, 0);
    exchange_clear(&exchange);
}
