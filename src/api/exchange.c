// SPDX-License-Identifier: MIT
#include "api/exchange.h"

#include "http/problem.h"

#include <string.h>

void
exchange_clear(struct exchange *exchange)
{
    request_clear(&exchange->request);
    response_clear(&exchange->response);
    change_made_clear(&exchange->made);
    memset(exchange, 0, sizeof(*exchange));
}

void
exchange_wait(struct exchange *exchange, enum wait_for what, resume_fn *resume)
{
    exchange->wait.what = what;
    exchange->wait.resume = resume;
}

void
exchange_wait_here(struct api *api, struct exchange *exchange)
{
    switch (exchange->wait.what) {
    case WAIT_COMMIT:
        (void)store_commit_one(api->store, &exchange->write); /* in it, too */
        break;
    case WAIT_PROBE:
        exchange->probed = store_probe(api->store);
        break;
    case WAIT_NONE:
        break;
    }
}

void
exchange_resume(struct api *api, struct exchange *exchange)
{
    resume_fn *resume = exchange->wait.resume;

    exchange_wait(exchange, WAIT_NONE, NULL);
    resume(api, exchange);
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

/* If-Match holds for a GET, too (RFC 9110, section 13.2.2). False: the response
 * is made. */
static bool
check_match(struct exchange *exchange, bool is_there)
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
api_check_conditions(struct exchange *exchange, bool is_there,
                     const char *cache)
{
    struct response *response = &exchange->response;
    const char *field = exchange->request.if_none_match;

    if (!check_match(exchange, is_there))
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
