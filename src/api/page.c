// SPDX-License-Identifier: MIT
#include "api/page.h"

#include "api/exchange.h"
#include "api/secret.h"
#include "json/text.h"
#include "setting/setting.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a page, unless a single version has more: about what the largest
 * value has, for which the front end has room anyway. */
#define PAGE_BYTES_MAX HTTP_BODY_MAX

static enum err
add_shown(struct page *page, const struct config_key *key,
          const struct record *record, const struct record_origin *origin)
{
    struct record shown = *record;
    char *value = NULL;
    enum err err = ERR_OK;

    if (key->secret != NULL && record_is_set(record)) {
        err = api_show_value(page->api, page->exchange, key, record, &value);
        page->sealed = err == ERR_SEALED ? key : NULL;
        shown.value = value;
        shown.value_len = value != NULL ? strlen(value) : 0;
    }
    if (err == ERR_OK && !setting_add_version(&page->body, key, &shown, origin,
                                              page->names_keys))
        err = ERR_NOMEM;
    seal_free(value);
    return err;
}

enum err
page_add(struct page *page, const struct config_key *key,
         const struct record *record, const struct record_origin *origin)
{
    size_t len = page->body.len;

    if (page->count < page->limit) {
        const char *before = page->count > 0 ? "," : "{\"history\":[";
        enum err err = ERR_NOMEM;

        if (json_text_add(&page->body, before))
            err = add_shown(page, key, record, origin);
        if (err != ERR_OK)
            return err;
        if (page->count == 0 || page->body.len <= PAGE_BYTES_MAX) {
            page->count++;
            return ERR_OK;
        }
        page->body.len = len;
    }
    page->has_next = true;
    return ERR_ENDED;
}

void
page_respond(struct page *page, enum err err, char *link)
{
    struct response *response = &page->exchange->response;
    const char *end = page->count > 0 ? "]}" : "{\"history\":[]}";

    if (err == ERR_OK && !json_text_add(&page->body, end))
        err = ERR_NOMEM;
    if (err != ERR_OK) {
        free(link);
        buf_clear(&page->body);
        api_respond_failed(page->exchange, page->sealed, err);
        return;
    }
    response->link = link;
    response->status = 200;
    response->media =
        http_negotiate(page->exchange->request.accept, MEDIA_JSON);
    response->cache = page->cache;
    response_set_body(response, page->body.data, page->body.len);
}
