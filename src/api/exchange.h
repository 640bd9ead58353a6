// SPDX-License-Identifier: MIT
/*
 * A request on its way through the handlers, and what several of them need. A
 * handler makes the response, or has the exchange wait: for its write to be
 * committed, for instance. The transport then sees to what it waits for, and
 * has it resumed.
 */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "auth/auth.h"
#include "http/http.h"
#include "model/config_keys.h"
#include "model/key_ring.h"
#include "setting/change.h"
#include "store/store.h"

/* The largest version that a client may ask for: JSON Schema's int64. */
#define API_VERSION_MAX INT64_MAX

/* What the handlers work with; one per process. Borrowed. Where the store could
 * not be opened, both are NULL, and only routes that need no access are served:
 * plain CGI must answer all the same. */
struct api {
    struct store *store;
    struct auth *auth;
    struct key_ring *secrets;    /* NULL: secrets are stored as they are */
    const char *webhook_schemes; /* see struct config_rules */
    bool has_mask;     /* some tokens see the mask, so it is no secret itself */
    bool is_unready;   /* as the last GET of /readyz found; the log has it */
    bool has_hidden;   /* a route for operators; the log has why */
    bool is_abandoned; /* a commit that does not end still uses the store */
};

/* What an exchange waits for; server/waiting.c and exchange_wait_here know how
 * that happens. */
enum wait_for {
    WAIT_NONE,   /* nothing: its response is made */
    WAIT_COMMIT, /* its write's, which then has its result */
    WAIT_PROBE,  /* the store's, whose result is then in probed */
};

struct exchange;

/* Goes on with an exchange when what it has waited for is there: makes the
 * response, or has it wait again. */
typedef void resume_fn(struct api *api, struct exchange *exchange);

/* One request on its way through the handlers. */
struct exchange {
    struct request request;
    struct response response;
    struct principal principal; /* a copy: it outlives the next auth_check */

    /* While there is no response: what for, and what goes on then. */
    struct {
        enum wait_for what;
        resume_fn *resume;

        /* server/waiting.c's. */
        void *owner;
        uint64_t probe; /* its number */
        struct exchange *next;
    } wait;
    struct store_write write; /* see WAIT_COMMIT */
    enum err probed;          /* see WAIT_PROBE */

    const struct config_key *key;
    struct change_made made; /* what write stores, and its answer shows */

    /* api/route.c's, for the metrics. */
    unsigned int route; /* see metrics/metrics.h */
    uint64_t started;   /* monotonic ns */
};

void exchange_clear(struct exchange *exchange);

/* For handlers: there is no response yet, and resume goes on. */
void exchange_wait(struct exchange *exchange, enum wait_for what,
                   resume_fn *resume);

/* Waits in place, for a process that serves nobody else meanwhile. */
void exchange_wait_here(struct api *api, struct exchange *exchange);

/* Goes on, when what it has waited for is there. */
void exchange_resume(struct api *api, struct exchange *exchange);

/* Cache-Control of an answer that holds the key's value. */
const char *api_cache_control(const struct config_key *key);

/* 200 with the value of exchange's key. */
void api_respond_value(struct exchange *exchange, const char *value,
                       size_t value_len, int64_t updated_at);

/* 400 for an If-Match or If-None-Match that cannot be read. */
void api_respond_malformed_etag(struct exchange *exchange, const char *field);

/* True if a GET goes on to its value. Otherwise the response is made: 412 by
 * If-Match, 304 by If-None-Match, both against the response's own etag, or
 * 400. */
bool api_check_conditions(struct exchange *exchange, bool is_there,
                          const char *cache);

#endif
