// SPDX-License-Identifier: MIT
/*
 * The handlers. A read answers at once. A write is checked, and then handed
 * back to the transport to be committed; api_written makes its answer.
 */
#ifndef API_H
#define API_H

#include "auth.h"
#include "config_keys.h"
#include "http.h"
#include "store.h"

/* What the handlers work with; one per process. Borrowed. Where the store could
 * not be opened, both are NULL, and only routes that need no access are served:
 * plain CGI must answer all the same. */
struct api {
    struct store *store;
    struct auth *auth;
};

/* One request on its way through the handlers. */
struct exchange {
    struct request request;
    struct response response;
    struct principal principal; /* a copy: it outlives the next auth_check */

    /* A write to commit before the response can be made; tenant NULL: none */
    struct store_write write;
    const struct config_key *key;
    char *value; /* owned; what write.value points to */

    /* route.c's, for the metrics. */
    unsigned int route; /* see metrics.h */
    uint64_t started;   /* monotonic ns */
};

void exchange_clear(struct exchange *exchange);

/* GET and HEAD of a config key. */
void api_get(struct api *api, struct exchange *exchange);

/* POST of a config key: fills the response with an error, or write. */
void api_post(struct api *api, struct exchange *exchange);

/* Makes the response of a write that was committed, or lost. */
void api_written(struct exchange *exchange);

/* GET of the service's own OpenAPI document. */
void api_openapi(struct api *api, struct exchange *exchange);

#endif
