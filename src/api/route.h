// SPDX-License-Identifier: MIT
/* Where a request enters: path, method and access, then the handler. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "base/err.h"

struct api;
struct exchange;
struct metrics_names;

enum route_outcome {
    ROUTE_ANSWERED, /* the response is made */
    ROUTE_WAITS,    /* exchange->wait says for what */
};

/* Serves exchange->request, whose body is complete; and goes on when what the
 * exchange has waited for is there, which it may have to once more. */
enum route_outcome route_serve(struct api *api, struct exchange *exchange);
enum route_outcome route_resume(struct api *api, struct exchange *exchange);

/* Refuses a request that nothing can be done about, perhaps not even read:
 * makes err's response, and counts and logs it as any other. */
void route_refuse(struct exchange *exchange, enum err err);

/* Serves it to the end, and waits in place. */
void route_serve_here(struct api *api, struct exchange *exchange);

/* Fills in what the metrics call the routes. */
void route_name(struct metrics_names *names);

#endif
