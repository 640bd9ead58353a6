// SPDX-License-Identifier: MIT
/* All config keys of a tenant in one answer. */
#include "api.h"
#include "json_text.h"
#include "problem.h"

#include <string.h>

_Static_assert(CONFIG_KEYS_MAX * sizeof(".18446744073709551615") <
                   ETAG_SIZE - 2,
               "a tag has room for the versions of all keys");

struct snapshot {
    struct record records[CONFIG_KEYS_MAX]; /* as config_keys */
};

static enum err
take(void *ctx, const char *tenant, const char *name,
     const struct record *record)
{
    struct snapshot *snapshot = ctx;
    const struct config_key *key = config_key_find(name);

    (void)tenant;
    if (key == NULL) /* one of a program that knows more keys */
        return ERR_OK;
    return record_copy(record, &snapshot->records[key - config_keys]);
}

/* "name":{"value":…,"updated_at":"…","version":…} */
static bool
add_key(struct buf *body, const struct config_key *key,
        const struct record *record)
{
    const char *unset = key->unset != NULL ? key->unset : "null";

    return json_text_add_string(body, key->name) &&
           json_text_add(body, ":{\"value\":") &&
           (record_is_set(record)
                ? buf_add(body, record->value, record->value_len)
                : json_text_add(body, unset)) &&
           json_text_add(body, ",\"updated_at\":") &&
           json_text_add_time(body,
                              record_is_set(record) ? record->updated_at : 0) &&
           json_text_add(body, ",\"version\":") &&
           json_text_add_number(body, record->version) &&
           json_text_add(body, "}");
}

static bool
render(const struct snapshot *snapshot, struct buf *body)
{
    if (!json_text_add(body, "{"))
        return false;
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        if ((i > 0 && !json_text_add(body, ",")) ||
            !add_key(body, &config_keys[i], &snapshot->records[i]))
            return false;
    return json_text_add(body, "}");
}

static void
respond(struct exchange *exchange, const struct snapshot *snapshot)
{
    /* There may be a secret among the values. */
    static const char cache[] = "no-store";
    struct response *response = &exchange->response;
    uint64_t versions[CONFIG_KEYS_MAX];
    struct buf body = {0};

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        versions[i] = snapshot->records[i].version;
    http_etag(versions, CONFIG_KEYS_MAX, response->etag);
    if (!api_is_modified(exchange, true, cache))
        return;
    if (!render(snapshot, &body)) {
        buf_clear(&body);
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    response->status = 200;
    response->media = http_negotiate(exchange->request.accept, MEDIA_JSON);
    response->cache = cache;
    response_set_body(response, body.data, body.len);
}

void
api_list(struct api *api, struct exchange *exchange)
{
    struct snapshot snapshot = {0};
    enum err err =
        store_list(api->store, exchange->principal.tenant, take, &snapshot);

    if (err == ERR_OK)
        respond(exchange, &snapshot);
    else
        problem_respond(&exchange->response, &exchange->request, err, NULL);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&snapshot.records[i]);
}
