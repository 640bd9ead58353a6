// SPDX-License-Identifier: MIT
#include "http/problem.h"

#include "base/util.h"
#include "http/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How many messages the one-line message holds; all are in messages. */
#define JOINED_MAX 8

/* error_code is err_name's, title the status's reason (RFC 9457, 4.2.1). */
static const struct {
    int status;
    const char *message;
} problems[ERR_MAX] = {
    [ERR_OK] = {200, "no error"},
    [ERR_BADREQ] = {400, "the request cannot be understood"},
    [ERR_INVALID] = {400, "the value is not valid"},
    [ERR_NOAUTH] = {401, "a valid bearer token is required"},
    [ERR_DENIED] = {403, "the token does not give access to this"},
    [ERR_NOTFOUND] = {404, "there is no such config key or path"},
    [ERR_UNSET] = {404, "the config key is not set and has no default"},
    [ERR_METHOD] = {405, "the method is not allowed here"},
    [ERR_CONFLICT] = {409, "another update of the config key came first"},
    [ERR_PRECOND] = {412, "the config key has another version"},
    [ERR_TIMEOUT] = {408, "the request did not arrive in time"},
    [ERR_TOOBIG] = {413, "the request body is too large"},
    [ERR_MEDIA] = {415, "the request body must be application/json"},
    [ERR_FIELDS] = {431, "the request header is too large"},
    [ERR_NOMEM] = {503, "out of memory, try again later"},
    [ERR_BUSY] = {503, "too busy, try again later"},
    [ERR_STORE] = {500, "internal error"},
    [ERR_FULL] = {500, "the storage is full"},
    [ERR_SEALED] = {500, "a stored secret cannot be read"},
};

/* Sent when there is no memory for a body of its own. The request's id is in
 * its header field alone. */
static const char no_memory[] =
    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
    "\"status\":503,\"error_code\":\"out_of_memory\","
    "\"message\":\"out of memory, try again later\","
    "\"messages\":[\"out of memory, try again later\"],"
    "\"request_id\":\"unknown\"}";

int
problem_status(enum err err)
{
    return problems[err].status;
}

/* "first; second; and 3 more", a new reference; NULL on no memory. */
static json_t *
join(const json_t *messages)
{
    size_t count = json_array_size(messages);
    size_t shown = count <= JOINED_MAX ? count : JOINED_MAX;
    json_t *joined;
    char *text;
    char *at;
    size_t size = sizeof("; and 18446744073709551615 more");

    for (size_t i = 0; i < shown; i++)
        size += json_string_length(json_array_get(messages, i)) + 2;
    text = at = malloc(size);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < shown; i++) {
        const json_t *message = json_array_get(messages, i);
        size_t len = json_string_length(message);

        if (i > 0) {
            memcpy(at, "; ", 2);
            at += 2;
        }
        memcpy(at, json_string_value(message), len);
        at += len;
    }
    if (shown < count)
        at += snprintf(at, size - (size_t)(at - text), "; and %zu more",
                       count - shown);
    joined = json_stringn(text, (size_t)(at - text));
    free(text);
    return joined;
}

/* The body's text, from malloc; NULL on no memory. */
static char *
body_text(enum err err, const char *request_id, json_t *messages,
          size_t *len_out)
{
    json_auto_t *body = NULL;
    json_t *message = join(messages);
    char *text;
    size_t len;

    /* json_pack takes the reference, and fails if it is NULL. */
    body =
        json_pack("{s:s, s:s, s:i, s:s, s:o, s:O, s:s}", "type", "about:blank",
                  "title", http_reason(problem_status(err)), "status",
                  problem_status(err), "error_code", err_name(err), "message",
                  message, "messages", messages, "request_id", request_id);
    len = body != NULL ? json_dumpb(body, NULL, 0, JSON_COMPACT) : 0;
    text = len > 0 ? malloc(len) : NULL;
    if (text == NULL || json_dumpb(body, text, len, JSON_COMPACT) != len) {
        free(text);
        return NULL;
    }
    *len_out = len;
    return text;
}

static void
respond_no_memory(struct response *response)
{
    response_clear(response);
    response->status = 503;
    response->err = ERR_NOMEM;
    response->body = no_memory;
    response->body_len = sizeof(no_memory) - 1;
}

void
problem_respond(struct response *response, const struct request *request,
                enum err err, json_t *messages)
{
    json_auto_t *own = NULL;
    char *body;
    size_t len;

    /* Without memory, the list of violations may not be whole. */
    if (err == ERR_NOMEM || json_array_size(messages) == 0) {
        own = json_pack("[s]", problems[err].message);
        messages = own;
    }
    body =
        messages != NULL ? body_text(err, request->id, messages, &len) : NULL;
    if (body != NULL) {
        response_set_body(response, body, len);
        response->status = problem_status(err);
        response->err = err;
    } else {
        respond_no_memory(response);
    }
    response->media = http_negotiate(request->accept, MEDIA_PROBLEM);
    response->cache = "no-store";
    if (response->status == 401 && response->challenge == NULL)
        response->challenge = "Bearer";
    if (response->status == 503 && response->retry_after == 0)
        response->retry_after = 1;
}

void
problem_respondf(struct response *response, const struct request *request,
                 enum err err, const char *format, ...)
{
    json_auto_t *messages = json_array();
    va_list args;

    va_start(args, format);
    /* A text that is not UTF-8 is left out, and err's own takes its place. */
    (void)json_array_append_new(messages, json_vsprintf(format, args));
    va_end(args);
    problem_respond(response, request, err, messages);
}
