// SPDX-License-Identifier: MIT
/* The history of a config key, page by page. */
#include "api/history.h"

#include "api/exchange.h"
#include "api/page.h"
#include "http/problem.h"

#include <stdio.h>

/* A page on its way, and the version that it ends with. */
struct walk {
    struct page page;
    uint64_t before; /* as asked for */
    uint64_t last;
};

static enum err
take(void *ctx, const struct record *record, const struct record_origin *origin)
{
    struct walk *walk = ctx;
    enum err err =
        page_add(&walk->page, walk->page.exchange->key, record, origin);

    if (err == ERR_OK)
        walk->last = record->version;
    return err;
}

/* Reads ?limit= and ?before=. False: the response is made. */
static bool
read_query(struct exchange *exchange, struct walk *walk)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = json_array();
    enum err limit_err =
        http_query_number(request->query, "limit", 1, PAGE_LIMIT_MAX, messages,
                          &walk->page.limit);
    enum err err = http_query_number(request->query, "before", 1,
                                     API_VERSION_MAX, messages, &walk->before);

    err = err_first(err, limit_err);
    if (err != ERR_OK)
        problem_respond(&exchange->response, request, err, messages);
    return err == ERR_OK;
}

void
api_history(struct api *api, struct exchange *exchange)
{
    struct walk walk = {
        .page = {.api = api,
                 .exchange = exchange,
                 .cache = api_cache_control(exchange->key),
                 .limit = PAGE_LIMIT},
    };
    char *link = NULL;
    enum err err;

    if (!read_query(exchange, &walk))
        return;
    /* One more than fits, to know whether there is more. */
    err = store_history(api->store, exchange->principal.tenant,
                        exchange->key->name, walk.before, walk.page.limit + 1,
                        take, &walk);
    if (err == ERR_ENDED)
        err = ERR_OK;
    if (err == ERR_OK && walk.page.has_next &&
        asprintf(&link, "<?limit=%llu&before=%llu>; rel=\"next\"",
                 (unsigned long long)walk.page.limit,
                 (unsigned long long)walk.last) < 0) {
        link = NULL;
        err = ERR_NOMEM;
    }
    page_respond(&walk.page, err, link);
}
