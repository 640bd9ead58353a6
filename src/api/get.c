// SPDX-License-Identifier: MIT
#include "api/exchange.h"

#include "http/problem.h"
#include "model/seal.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <stdlib.h>
#include <string.h>

static const char openapi_json[] =
#include "api/openapi_json.inc"
    ;

_Static_assert(ETAG_SIZE <= HTTP_ETAG_SIZE, "a response has room for a tag");

void
exchange_clear(struct exchange *exchange)
{
    response_clear(&exchange->response);
    seal_free(exchange->value);
    free(exchange->sealed);
    memset(exchange, 0, sizeof(*exchange));
}

/* A secret must not stay behind in a cache; anything else may, as long as the
 * client asks whether it is still current. */
const char *
api_cache_control(const struct config_key *key)
{
    return key->secret != NULL ? "no-store" : "private, no-cache";
}

void
api_respond_value(struct exchange *exchange, const char *value,
                  size_t value_len, int64_t updated_at)
{
    struct response *response = &exchange->response;
    size_t len;
    char *body =
        config_key_render(exchange->key, value, value_len, updated_at, &len);

    if (body == NULL) {
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    response->status = 200;
    response->media = http_negotiate(exchange->request.accept, MEDIA_JSON);
    response->cache = api_cache_control(exchange->key);
    response_set_body(response, body, len);
}

void
api_respond_malformed_etag(struct exchange *exchange, const char *field)
{
    problem_respondf(&exchange->response, &exchange->request, ERR_BADREQ,
                     "%s: must be * or a list of entity tags in quotes", field);
}

/* If-Match holds for a GET, too (RFC 9110, section 13.2.2). */
static bool
is_matched(struct exchange *exchange, bool is_there)
{
    struct response *response = &exchange->response;
    const char *field = exchange->request.if_match;

    if (field == NULL)
        return true;
    switch (http_match_etag(field, response->etag, is_there, false)) {
    case ETAG_MATCHES:
        return true;
    case ETAG_MALFORMED:
        api_respond_malformed_etag(exchange, "If-Match");
        break;
    case ETAG_DIFFERS:
        problem_respondf(response, &exchange->request, ERR_PRECOND,
                         "If-Match: the entity tag is %s", response->etag);
    }
    return false;
}

bool
api_is_wanted(struct exchange *exchange, bool is_there, const char *cache)
{
    struct response *response = &exchange->response;
    const char *field = exchange->request.if_none_match;

    if (!is_matched(exchange, is_there))
        return false;
    if (field == NULL)
        return true;
    switch (http_match_etag(field, response->etag, is_there, true)) {
    case ETAG_MATCHES:
        response->status = 304;
        response->cache = cache;
        return false;
    case ETAG_MALFORMED:
        api_respond_malformed_etag(exchange, "If-None-Match");
        return false;
    case ETAG_DIFFERS:
        break;
    }
    return true;
}

/* Answers with what is stored, unless a precondition says not to. */
static void
respond_record(struct exchange *exchange, const struct record *record)
{
    const struct config_key *key = exchange->key;
    struct response *response = &exchange->response;
    bool is_there = record_is_set(record);
    const char *value;

    if (etag_of_record(key, record, response->etag) != ERR_OK) {
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    if (!is_there && key->unset == NULL) {
        problem_respondf(response, &exchange->request, ERR_UNSET,
                         "%s is not set and has no default", key->name);
        return;
    }
    if (!api_is_wanted(exchange, is_there, api_cache_control(key)))
        return;
    value = setting_value(key, record);
    api_respond_value(exchange, value, strlen(value), setting_time(record));
}

/* Reads ?version=; 0 if it is absent. False: the response is made. */
static bool
read_version(struct exchange *exchange, uint64_t *version_out)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = NULL;
    uint64_t version = 0;
    enum err err;

    if (*request->query == '\0') { /* as nearly always */
        *version_out = 0;
        return true;
    }
    messages = json_array();
    err = http_query_number(request->query, "version", 1, API_VERSION_MAX,
                            messages, &version);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, messages);
        return false;
    }
    *version_out = version;
    return true;
}

/* 404 for a version that is not there. */
static void
respond_no_version(struct exchange *exchange, uint64_t version)
{
    problem_respondf(&exchange->response, &exchange->request, ERR_NOTFOUND,
                     "version: %s has no version %llu, or no longer",
                     exchange->key->name, (unsigned long long)version);
}

void
api_get(struct api *api, struct exchange *exchange)
{
    const char *tenant = exchange->principal.tenant;
    const char *key = exchange->key->name;
    struct record record = {0};
    uint64_t version;
    enum err err;

    if (!read_version(exchange, &version))
        return;
    if (version == 0)
        err = store_get(api->store, tenant, key, &record);
    else
        err = store_get_version(api->store, tenant, key, version, &record);

    if (err == ERR_OK)
        err = api_show_record(api, exchange, exchange->key, &record);
    if (err != ERR_OK)
        api_respond_unreadable(exchange, exchange->key, err);
    else if (version != record.version && version != 0)
        respond_no_version(exchange, version);
    else
        respond_record(exchange, &record);
    record_clear(&record);
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
