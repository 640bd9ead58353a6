// SPDX-License-Identifier: MIT
/* The history of a config key, page by page. */
#include "api/history.h"

#include "api/exchange.h"
#include "api/secret.h"
#include "http/problem.h"
#include "json/text.h"
#include "setting/setting.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

/* Bytes of a page, unless a single version has more: about what the largest
 * value has, for which the front end has room anyway. */
#define PAGE_BYTES_MAX HTTP_BODY_MAX

struct page {
    const struct api *api;
    const struct exchange *exchange;
    uint64_t limit, before; /* as asked for */
    struct buf body;
    uint64_t count;
    uint64_t last; /* version */
    bool has_next;
};

/* Adds a version with its value as the token may see it. */
static enum err
add_shown(const struct page *page, struct buf *body,
          const struct record *record, const struct record_origin *origin)
{
    const struct config_key *key = page->exchange->key;
    struct record shown = *record;
    char *value = NULL;
    enum err err = ERR_OK;

    if (key->secret != NULL && record_is_set(record)) {
        err = api_show_value(page->api, page->exchange, key, record, &value);
        shown.value = value;
        shown.value_len = value != NULL ? strlen(value) : 0;
    }
    if (err == ERR_OK && !setting_add_version(body, key, &shown, origin))
        err = ERR_NOMEM;
    seal_free(value);
    return err;
}

/* Adds a version, or ends the walk because there is no room for it. */
static enum err
take(void *ctx, const struct record *record, const struct record_origin *origin)
{
    struct page *page = ctx;
    size_t len = page->body.len;

    if (page->count < page->limit) {
        enum err err = ERR_NOMEM;

        if (json_text_add(&page->body, page->count > 0 ? "," : ""))
            err = add_shown(page, &page->body, record, origin);
        if (err != ERR_OK)
            return err;
        if (page->count == 0 || page->body.len <= PAGE_BYTES_MAX) {
            page->count++;
            page->last = record->version;
            return ERR_OK;
        }
        page->body.len = len;
    }
    page->has_next = true;
    return ERR_ENDED;
}

/* Reads ?limit= and ?before=. False: the response is made. */
static bool
read_query(struct exchange *exchange, struct page *page)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = json_array();
    enum err limit_err = http_query_number(request->query, "limit", 1,
                                           LIMIT_MAX, messages, &page->limit);
    enum err err = http_query_number(request->query, "before", 1,
                                     API_VERSION_MAX, messages, &page->before);

    if (err == ERR_OK || limit_err == ERR_NOMEM)
        err = limit_err;
    if (err != ERR_OK)
        problem_respond(&exchange->response, request, err, messages);
    return err == ERR_OK;
}

static enum err
read_page(struct store *store, const struct exchange *exchange,
          struct page *page)
{
    enum err err;

    if (!json_text_add(&page->body, "{\"history\":["))
        return ERR_NOMEM;
    /* One more than fits, to know whether there is more. */
    err = store_history(store, exchange->principal.tenant, exchange->key->name,
                        page->before, page->limit + 1, take, page);
    if (err != ERR_OK && err != ERR_ENDED)
        return err;
    return json_text_add(&page->body, "]}") ? ERR_OK : ERR_NOMEM;
}

void
api_history(struct api *api, struct exchange *exchange)
{
    struct page page = {
        .api = api,
        .exchange = exchange,
        .limit = LIMIT_DEFAULT,
    };
    struct response *response = &exchange->response;
    enum err err;

    if (!read_query(exchange, &page))
        return;
    err = read_page(api->store, exchange, &page);
    if (err != ERR_OK) {
        buf_clear(&page.body);
        api_respond_failed(exchange, exchange->key, err);
        return;
    }
    if (page.has_next)
        snprintf(response->link, sizeof(response->link),
                 "<?limit=%llu&before=%llu>; rel=\"next\"",
                 (unsigned long long)page.limit, (unsigned long long)page.last);
    response->status = 200;
    response->media = http_negotiate(exchange->request.accept, MEDIA_JSON);
    response->cache = api_cache_control(exchange->key);
    response_set_body(response, page.body.data, page.body.len);
}
