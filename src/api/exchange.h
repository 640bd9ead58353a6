// SPDX-License-Identifier: MIT
/*
 * The handlers. A read answers at once. A write is checked, and then handed
 * back to the transport to be committed; api_written makes its answer.
 */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "auth/auth.h"
#include "http/http.h"
#include "model/config_keys.h"
#include "model/key_ring.h"
#include "store/store.h"

/* The largest version that a client may ask for: JSON Schema's int64. */
#define API_VERSION_MAX INT64_MAX

/* What the handlers work with; one per process. Borrowed. Where the store could
 * not be opened, both are NULL, and only routes that need no access are served:
 * plain CGI must answer all the same. */
struct api {
    struct store *store;
    struct auth *auth;
    struct secrets *secrets; /* NULL: secrets are stored as they are */
    bool has_mask;   /* some tokens see the mask, so it is no secret itself */
    bool is_unready; /* as the last GET of /readyz found; the log has it */
    bool has_hidden; /* a route for operators; the log has why */
};

/* One request on its way through the handlers. */
struct exchange {
    struct request request;
    struct response response;
    struct principal principal; /* a copy: it outlives the next auth_check */

    /* A write to commit before the response can be made; tenant NULL: none */
    struct store_write write;
    const struct config_key *key;
    bool is_restore; /* its value is an old one, not the client's */
    char *value;     /* owned */
    char *sealed;    /* owned; the same as it is stored, or NULL: as it is */

    /* api/route.c's, for the metrics. */
    unsigned int route; /* see metrics/metrics.h */
    uint64_t started;   /* monotonic ns */
};

void exchange_clear(struct exchange *exchange);

/* GET and HEAD of a config key, or of one version of it. */
void api_get(struct api *api, struct exchange *exchange);

/* GET and HEAD of all config keys at once. */
void api_list(struct api *api, struct exchange *exchange);

/* GET and HEAD of a page of a config key's history. */
void api_history(struct api *api, struct exchange *exchange);

/* POST of a config key: fills the response with an error, or write. */
void api_post(struct api *api, struct exchange *exchange);

/* POST of an old version to a config key's history; as api_post. */
void api_restore(struct api *api, struct exchange *exchange);

/* Makes the response of a write that was committed, or lost. */
void api_written(struct api *api, struct exchange *exchange);

/* GET of the service's own OpenAPI document. */
void api_openapi(struct api *api, struct exchange *exchange);

/* GET of /healthz: the process answers. */
void api_healthz(struct api *api, struct exchange *exchange);

/* GET of /readyz: whether requests would be served now. Leaves a probe in
 * write, if there is a store to be asked; api_probed makes its answer. */
void api_readyz(struct api *api, struct exchange *exchange);
void api_probed(struct api *api, struct exchange *exchange);

/* GET of /metrics, for Prometheus. */
void api_metrics(struct api *api, struct exchange *exchange);

/*
 * What several of the handlers' files need.
 */

/* Cache-Control of an answer that holds the key's value. */
const char *api_cache_control(const struct config_key *key);

/* 200 with the value of exchange's key. */
void api_respond_value(struct exchange *exchange, const char *value,
                       size_t value_len, int64_t updated_at);

/* What is stored, in its place the value that it stands for; and as the token
 * may see it. ERR_SEALED: the log says why it cannot be. ERR_NOMEM. */
enum err api_open_record(const struct api *api, const struct exchange *exchange,
                         const struct config_key *key, struct record *record);
enum err api_show_record(const struct api *api, const struct exchange *exchange,
                         const struct config_key *key, struct record *record);

/* The answer to either's failure. */
void api_respond_unreadable(struct exchange *exchange,
                            const struct config_key *key, enum err err);

/* If exchange->value has the mask in place of its secret, puts the current one
 * there, which is opened for that. False: the response is made. */
bool api_keep_secret(const struct api *api, struct exchange *exchange,
                     struct record *current);

/* Makes exchange->sealed, if there is a secret in the value and a key to seal
 * it with. Without keys, current must not be sealed. False: the response is
 * made. */
bool api_seal_value(const struct api *api, struct exchange *exchange,
                    struct record *current);

/* 200 with exchange->value, as the token may see it. */
void api_respond_written_value(struct exchange *exchange, int64_t updated_at);

/* 400 for an If-Match or If-None-Match that cannot be read. */
void api_respond_malformed_etag(struct exchange *exchange, const char *field);

/* True if a GET goes on to its value. Otherwise the response is made: 412 by
 * If-Match, 304 by If-None-Match, both against the response's own etag, or
 * 400. */
bool api_is_wanted(struct exchange *exchange, bool is_there, const char *cache);

#endif
