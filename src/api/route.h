// SPDX-License-Identifier: MIT
/* Where a request enters: path, method and access, then the handler. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

struct api;
struct exchange;
struct metrics_names;

/*
 * Serves exchange->request, whose body is complete. Afterwards either the
 * response is made, or exchange->write waits to be committed; then call
 * route_written, which makes it.
 */
void route_serve(struct api *api, struct exchange *exchange);
void route_written(struct api *api, struct exchange *exchange);

/* Fills in what the metrics call the routes. */
void route_name(struct metrics_names *names);

#endif
