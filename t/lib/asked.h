// SPDX-License-Identifier: MIT
/* Requests for the handlers, without transport and token. */
#ifndef ASKED_H
#define ASKED_H

#include "api/exchange.h"
#include "api/write.h"

typedef void handler_fn(struct api *api, struct exchange *exchange);

/* What a request says; NULL is absent. Each {N} in a field with entity tags
 * stands for the one of version N of the key. */
struct asked {
    const char *key;
    const char *query;
    const char *body;
    const char *if_match, *if_none_match, *prefer;
    bool is_masked; /* the token may not see secrets */
};

/* Begins alice's request for acme, and has the handler serve it. The exchange
 * is cleared first, or new. */
void ask(struct api *api, handler_fn *handler, const struct asked *asked,
         struct exchange *exchange);

/* Has what the exchange waits for happen, and its answer made. */
void wait_for_answer(struct api *api, struct exchange *exchange);

/* As ask, and waits for the answer if it has to be waited for. */
void ask_all(struct api *api, handler_fn *handler, const struct asked *asked,
             struct exchange *exchange);

#define ASK(api, handler, exchange, ...)                                       \
    ask_all((api), (handler), &(struct asked){__VA_ARGS__}, (exchange))

/* Stores acme's value through api_post, which must succeed. */
void set(struct api *api, const char *key, const char *value);

/* The answer is this; etag and body may be NULL: any. {N} is as above, and so
 * is the tag of a single key in assert_tag. */
void assert_answer(const struct exchange *exchange, int status,
                   const char *etag, const char *body);

void assert_tag(const struct exchange *exchange, const char *etag);

/* A problem that says this in one of its messages. */
void assert_problem(const struct exchange *exchange, int status,
                    const char *message);

/* The body; a new reference. */
json_t *body_of(const struct exchange *exchange);

/* The current version of acme's key. */
uint64_t version_of(struct api *api, const char *key);

/*
 * Serves the request again and again, with the n-th allocation failing for
 * every n until none does. Each answer is a 503 or the last one's status.
 */
void ask_without_memory(struct api *api, handler_fn *handler,
                        const struct asked *asked, int status);

#endif
