// SPDX-License-Identifier: MIT
/* All config keys of a tenant in one answer. */
#include "api/list.h"

#include "api/exchange.h"
#include "api/secret.h"
#include "http/problem.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <string.h>

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
            api_respond_failed(exchange, &config_keys[i], err);
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
    char etags[CONFIG_KEYS_MAX][ETAG_SIZE];
    struct buf body = {0};
    enum err err = etag_of_records(records, etags);

    if (err == ERR_OK) {
        etag_of_all(etags, response->etag);
        if (!api_check_conditions(exchange, true, cache))
            return;
        err = setting_add_all(&body, records, etags) ? ERR_OK : ERR_NOMEM;
    }
    if (err != ERR_OK) {
        buf_clear(&body);
        problem_respond(response, &exchange->request, err, NULL);
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
