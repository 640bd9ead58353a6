// SPDX-License-Identifier: MIT
#include "api/service.h"

#include "api/exchange.h"
#include "base/buf.h"
#include "base/log.h"
#include "config.h"
#include "http/problem.h"
#include "metrics/metrics.h"
#include "metrics/text.h"

#include <jansson.h>
#include <string.h>

/* Only what is true now is of use. */
#define CACHE "no-store"

static void
respond_json(struct exchange *exchange, const char *text)
{
    struct response *response = &exchange->response;

    response->status = 200;
    response->media = MEDIA_JSON;
    response->cache = CACHE;
    response->body = text;
    response->body_len = strlen(text);
}

void
api_healthz(struct api *api, struct exchange *exchange)
{
    (void)api; /* whatever is wrong with it, the process answers */
    respond_json(exchange, "{\"status\":\"ok\"}");
}

/* Reads what nobody has stored: a look-up goes the same way. */
static bool
is_readable(struct store *store)
{
    struct record record = {0};
    enum err err = store_get(store, "probe", "probe", &record);

    record_clear(&record);
    return err == ERR_OK;
}

/* What keeps the store from being read or written, or NULL. */
static const char *
find_store_fault(const struct api *api, enum err probed)
{
    if (api->store == NULL)
        return "store: could not be opened";
    if (!is_readable(api->store))
        return "store: cannot be read";
    if (probed == ERR_FULL)
        return "store: is full";
    if (probed == ERR_NOTFOUND)
        return "store: the open store is not the one at its path";
    return probed != ERR_OK ? "store: cannot be written" : NULL;
}

static const char *
find_keys_fault(const struct api *api)
{
    if (api->auth != NULL && auth_is_ready(api->auth))
        return NULL;
    return "keys: no tenant has a key that can be used";
}

/* In the log, what changed. */
static void
note_ready(struct api *api, const char *store_fault, const char *keys_fault)
{
    bool is_ready = store_fault == NULL && keys_fault == NULL;

    if (!is_ready && !api->is_unready)
        log_event(LOG_LEVEL_ERR, "not_ready", LOG_TEXT("store", store_fault),
                  LOG_TEXT("keys", keys_fault));
    else if (is_ready && api->is_unready)
        log_event(LOG_LEVEL_NOTICE, "ready_again", {0});
    api->is_unready = !is_ready;
}

/* Says whether requests would be served, once the store is probed. */
static void
respond_ready(struct api *api, struct exchange *exchange)
{
    const char *store_fault = find_store_fault(api, exchange->probed);
    const char *keys_fault = find_keys_fault(api);
    json_auto_t *faults = NULL;

    note_ready(api, store_fault, keys_fault);
    if (store_fault == NULL && keys_fault == NULL) {
        respond_json(exchange, "{\"status\":\"ready\"}");
        return;
    }
    faults = json_pack("[s*,s*]", store_fault, keys_fault);
    problem_respond(&exchange->response, &exchange->request,
                    faults != NULL ? ERR_BUSY : ERR_NOMEM, faults);
}

void
api_readyz(struct api *api, struct exchange *exchange)
{
    if (api->store == NULL)
        respond_ready(api, exchange);
    else
        exchange_wait(exchange, WAIT_PROBE, respond_ready);
}

static bool
add_store(struct store *store, struct buf *out)
{
    struct store_stat stat;

    if (store == NULL || store_stat(store, &stat) != ERR_OK)
        return true; /* the counters are of use without it */
    return metrics_text_gauge(out, "orderconf_store_map_bytes",
                              "Maximum size of the store (--map-size).", NULL,
                              stat.map_bytes) &&
           metrics_text_gauge(
               out, "orderconf_store_used_bytes",
               "Bytes of the store that are in use, free pages excluded.", NULL,
               stat.used_bytes) &&
           metrics_text_gauge(out, "orderconf_store_readers",
                              "Processes that have the store open.", NULL,
                              stat.readers) &&
           metrics_text_gauge(
               out, "orderconf_store_readers_max",
               "Maximum number of processes that can have the store open.",
               NULL, stat.readers_max);
}

static bool
add_auth(const struct auth *auth, struct buf *out)
{
    return auth == NULL ||
           metrics_text_gauge(out, "orderconf_keys_fetch_failing",
                              "Tenants whose key set could not be fetched the "
                              "last time.",
                              NULL, auth_count_failing(auth));
}

void
api_metrics(struct api *api, struct exchange *exchange)
{
    struct response *response = &exchange->response;
    struct buf out = {0};

    if (!metrics_text(&out) ||
        !metrics_text_gauge(&out, "orderconf_build_info",
                            "Always 1; the label has the version.",
                            "version=\"" PACKAGE_VERSION "\"", 1) ||
        !metrics_text_gauge(&out, "orderconf_metrics_shared",
                            "1 if the counters are those of all processes, 0 "
                            "if they are of the answering one alone.",
                            NULL, metrics_is_shared()) ||
        !add_store(api->store, &out) || !add_auth(api->auth, &out)) {
        buf_clear(&out);
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    response->status = 200;
    response->media = MEDIA_METRICS;
    response->cache = CACHE;
    response_set_body(response, out.data, out.len);
}

static const char openapi_json[] =
#include "api/openapi_json.inc"
    ;

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
