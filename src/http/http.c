// SPDX-License-Identifier: MIT
#include "http/http.h"

#include "base/number.h"
#include "base/util.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *const media_types[] = {
    [MEDIA_JSON] = "application/json",
    [MEDIA_PROBLEM] = "application/problem+json",
    [MEDIA_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
};

const char *
http_reason(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

/* There may be a secret in it. */
static void
drop_body(struct response *response)
{
    if (response->owned != NULL)
        explicit_bzero(response->owned, response->body_len);
    free(response->owned);
}

void
response_clear(struct response *response)
{
    drop_body(response);
    free(response->link);
    *response = (struct response){0};
}

void
response_set_body(struct response *response, char *body, size_t len)
{
    drop_body(response);
    response->owned = body;
    response->body = body;
    response->body_len = len;
}

struct head {
    char *text;
    size_t len;
};

/* A field that does not fit is left out as a whole; ours always fit. */
static void
head_add(struct head *head, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);
    char *at = head->text + head->len;

    if (head->len + name_len + value_len + sizeof(": \r\n\r\n") >
        RESPONSE_HEAD_MAX)
        return;
    memcpy(at, name, name_len);
    at += name_len;
    *at++ = ':';
    *at++ = ' ';
    memcpy(at, value, value_len);
    at += value_len;
    *at++ = '\r';
    *at++ = '\n';
    head->len = (size_t)(at - head->text);
}

static void
head_add_number(struct head *head, const char *name, uint64_t number)
{
    char text[NUMBER_SIZE];

    head_add(head, name, number_text(text, number));
}

static void
head_add_status(struct head *head, int status)
{
    char text[sizeof("000 ") + 32];
    const char *reason = http_reason(status);
    char digits[NUMBER_SIZE];

    memcpy(text, number_text(digits, (uint64_t)status), 3);
    text[3] = ' ';
    memcpy(text + 4, reason, strlen(reason) + 1);
    head_add(head, "Status", text);
}

size_t
response_head(const struct response *response, const struct request *request,
              char head_out[RESPONSE_HEAD_MAX])
{
    struct head head = {.text = head_out};

    head_add_status(&head, response->status);
    /* A 304 has no content to describe (RFC 9110, section 15.4.5). */
    if (response->status != 304) {
        head_add(&head, "Content-Type", media_types[response->media]);
        head_add_number(&head, "Content-Length", response->body_len);
        head_add(&head, "X-Content-Type-Options", "nosniff");
    }
    if (response->media != MEDIA_METRICS)
        head_add(&head, "Vary", "Accept");
    if (response->etag[0] != '\0')
        head_add(&head, "ETag", response->etag);
    if (response->link != NULL)
        head_add(&head, "Link", response->link);
    if (response->allow != NULL)
        head_add(&head, "Allow", response->allow);
    if (response->challenge != NULL)
        head_add(&head, "WWW-Authenticate", response->challenge);
    if (response->cache != NULL)
        head_add(&head, "Cache-Control", response->cache);
    if (response->is_strict)
        head_add(&head, "Preference-Applied", "handling=strict");
    if (response->retry_after != 0)
        head_add_number(&head, "Retry-After", response->retry_after);
    head_add(&head, "X-Request-Id", request->id);
    memcpy(head.text + head.len, "\r\n", 2);
    return head.len + 2;
}
