// SPDX-License-Identifier: MIT
/* All config keys of a tenant in one answer. */
#include "api.h"
#include "problem.h"
#include "setting.h"

#include <string.h>

_Static_assert(CONFIG_KEYS_MAX * sizeof(".18446744073709551615") <
                   ETAG_SIZE - 2,
               "a tag has room for the versions of all keys");

/* One that cannot be read spoils the whole: without it, a webhook that is set
 * would look as if it were not. */
static bool
show(const struct api *api, struct exchange *exchange,
     struct record records[CONFIG_KEYS_MAX])
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        enum err err =
            api_show_record(api, exchange, &config_keys[i], &records[i]);

        if (err != ERR_OK) {
            api_respond_unreadable(exchange, &config_keys[i], err);
            return false;
        }
    }
    return true;
}

static void
respond(struct exchange *exchange, const struct record records[CONFIG_KEYS_MAX])
{
    /* There may be a secret among the values. */
    static const char cache[] = "no-store";
    struct response *response = &exchange->response;
    uint64_t versions[CONFIG_KEYS_MAX];
    struct buf body = {0};

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        versions[i] = records[i].version;
    http_etag(versions, CONFIG_KEYS_MAX, response->etag);
    if (!api_is_wanted(exchange, true, cache))
        return;
    if (!setting_add_all(&body, records)) {
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
    struct record records[CONFIG_KEYS_MAX];
    enum err err =
        setting_list(api->store, exchange->principal.tenant, records);

    if (err == ERR_OK && show(api, exchange, records))
        respond(exchange, records);
    else if (err != ERR_OK)
        problem_respond(&exchange->response, &exchange->request, err, NULL);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
}
