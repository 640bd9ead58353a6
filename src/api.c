// SPDX-License-Identifier: MIT
#include "api.h"

#include "log.h"
#include "problem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char openapi_json[] =
#include "openapi_json.inc"
    ;

void
exchange_clear(struct exchange *exchange)
{
    response_clear(&exchange->response);
    free(exchange->value);
    memset(exchange, 0, sizeof(*exchange));
}

/* A secret must not stay behind in a cache; anything else may, as long as the
 * client asks whether it is still current. */
static const char *
cache_control(const struct config_key *key)
{
    return key->is_secret ? "no-store" : "private, no-cache";
}

static void
respond_value(struct exchange *exchange, const char *value, size_t value_len,
              int64_t updated_at)
{
    struct response *response = &exchange->response;
    size_t len;
    char *body = config_key_render(exchange->key, value, value_len, updated_at,
                                   &len);

    if (body == NULL) {
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    response->status = 200;
    response->media = http_negotiate(exchange->request.accept, MEDIA_JSON);
    response->cache = cache_control(exchange->key);
    response_set_body(response, body, len);
}

static void
respond_malformed_etag(struct exchange *exchange, const char *field)
{
    problem_respondf(&exchange->response, &exchange->request, ERR_BADREQ,
                     "%s: must be * or a list of entity tags in quotes", field);
}

/* Answers a GET with what is stored, or with 304. */
static void
respond_record(struct exchange *exchange, const struct record *record)
{
    const struct config_key *key = exchange->key;
    struct response *response = &exchange->response;
    const char *if_none_match = exchange->request.if_none_match;
    enum etag_match match = ETAG_DIFFERS;

    http_etag(&record->version, 1, response->etag);
    if (if_none_match != NULL)
        match = http_match_etag(if_none_match, response->etag,
                                record->version > 0, true);

    if (match == ETAG_MALFORMED) {
        respond_malformed_etag(exchange, "If-None-Match");
    } else if (record->version == 0 && key->unset == NULL) {
        problem_respondf(response, &exchange->request, ERR_UNSET,
                         "%s is not set and has no default", key->name);
    } else if (match == ETAG_MATCHES) {
        response->status = 304;
        response->cache = cache_control(key);
    } else if (record->version == 0) {
        respond_value(exchange, key->unset, strlen(key->unset), 0);
    } else {
        respond_value(exchange, record->value, record->value_len,
                      record->updated_at);
    }
}

void
api_get(struct api *api, struct exchange *exchange)
{
    struct record record = {0};
    enum err err = store_get(api->store, exchange->principal.tenant,
                             exchange->key->name, &record);

    if (err != ERR_OK)
        problem_respond(&exchange->response, &exchange->request, err, NULL);
    else
        respond_record(exchange, &record);
    record_clear(&record);
}

/* Size, media type and coding of the body, before anything reads it. */
static bool
is_body_readable(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    struct response *response = &exchange->response;

    if (request->content_length > HTTP_BODY_MAX ||
        request->body_len > HTTP_BODY_MAX)
        problem_respondf(response, request, ERR_TOOBIG,
                         "body: must be at most %d bytes", HTTP_BODY_MAX);
    else if (request->content_length == -2)
        problem_respondf(response, request, ERR_BADREQ,
                         "Content-Length: must be a number");
    else if (request->content_length >= 0 &&
             (size_t)request->content_length != request->body_len)
        problem_respondf(response, request, ERR_BADREQ,
                         "body: is %zu bytes, but Content-Length says %lld",
                         request->body_len,
                         (long long)request->content_length);
    else if (!http_is_json(request->content_type))
        problem_respondf(response, request, ERR_MEDIA,
                         "Content-Type: must be application/json in UTF-8");
    else if (request->content_encoding != NULL &&
             strcmp(request->content_encoding, "identity") != 0)
        problem_respondf(response, request, ERR_MEDIA,
                         "Content-Encoding: must be absent or identity");
    else
        return true;
    return false;
}

/* The canonical value of the body, into exchange->value. */
static bool
read_value(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = json_array();
    enum err err = ERR_NOMEM;

    exchange->response.is_strict = http_is_strict(request->prefer);
    if (messages != NULL)
        err = config_key_parse(exchange->key, request->body, request->body_len,
                               exchange->response.is_strict, messages,
                               &exchange->value);
    if (err != ERR_OK)
        problem_respond(&exchange->response, request, err, messages);
    return err == ERR_OK;
}

/* If-Match and If-None-Match against the version that is there (RFC 9110,
 * section 13.2.2). */
static bool
is_precondition_met(struct exchange *exchange, uint64_t version)
{
    const struct request *request = &exchange->request;
    const char *etag = exchange->response.etag;
    enum etag_match match = ETAG_MATCHES, none_match = ETAG_DIFFERS;

    if (request->if_match != NULL)
        match = http_match_etag(request->if_match, etag, version > 0, false);
    if (request->if_none_match != NULL)
        none_match =
            http_match_etag(request->if_none_match, etag, version > 0, true);

    if (match == ETAG_MALFORMED)
        respond_malformed_etag(exchange, "If-Match");
    else if (none_match == ETAG_MALFORMED)
        respond_malformed_etag(exchange, "If-None-Match");
    else if (match == ETAG_DIFFERS || none_match == ETAG_MATCHES)
        problem_respondf(&exchange->response, request, ERR_PRECOND,
                         "%s: %s is at version %llu",
                         match == ETAG_DIFFERS ? "If-Match" : "If-None-Match",
                         exchange->key->name, (unsigned long long)version);
    else
        return true;
    return false;
}

void
api_post(struct api *api, struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    struct record current = {0};
    enum err err;

    if (!is_body_readable(exchange) || !read_value(exchange))
        return;
    err = store_get(api->store, exchange->principal.tenant,
                    exchange->key->name, &current);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, NULL);
        return;
    }
    http_etag(&current.version, 1, exchange->response.etag);
    if (is_precondition_met(exchange, current.version))
        exchange->write = (struct store_write){
            .tenant = exchange->principal.tenant,
            .key = exchange->key->name,
            .value = exchange->value,
            .value_len = strlen(exchange->value),
            .subject = exchange->principal.subject,
            .request_id = request->id,
            .base = current.version,
            .lost = request->if_match != NULL || request->if_none_match != NULL
                        ? ERR_PRECOND
                        : ERR_CONFLICT,
            .once = exchange->key->is_once,
        };
    record_clear(&current);
}

void
api_written(struct exchange *exchange)
{
    const struct store_write *write = &exchange->write;
    const struct request *request = &exchange->request;
    struct response *response = &exchange->response;

    http_etag(&write->version, 1, response->etag);
    switch (write->result) {
    case ERR_OK:
        if (write->is_new)
            log_event(LOG_LEVEL_NOTICE, "stored",
                      LOG_TEXT("tenant", write->tenant),
                      LOG_TEXT("key", write->key),
                      LOG_NUMBER("version", (int64_t)write->version),
                      LOG_TEXT("subject", write->subject),
                      LOG_TEXT("request_id", request->id));
        respond_value(exchange, write->value, write->value_len,
                      write->updated_at);
        break;
    case ERR_CONFLICT:
    case ERR_PRECOND:
        problem_respondf(response, request, write->result,
                         "%s: another write came first, it is at version %llu",
                         write->key, (unsigned long long)write->version);
        break;
    case ERR_INVALID:
        problem_respondf(response, request, write->result,
                         "value: %s is already set, and can be set only once",
                         write->key);
        break;
    default:
        response->etag[0] = '\0';
        problem_respond(response, request, write->result, NULL);
    }
}

void
api_openapi(struct api *api, struct exchange *exchange)
{
    (void)api; /* the document is the same for everybody */
    exchange->response.status = 200;
    exchange->response.media = MEDIA_JSON;
    exchange->response.cache = "no-cache";
    exchange->response.body = openapi_json;
    exchange->response.body_len = sizeof(openapi_json) - 1;
}
