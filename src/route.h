// SPDX-License-Identifier: MIT
/* Where a request enters: path, method and access, then the handler. */
#ifndef ROUTE_H
#define ROUTE_H

struct api;
struct exchange;

/*
 * Serves exchange->request, whose body is complete. Afterwards either the
 * response is made, or exchange->write waits to be committed (see api.h).
 */
void route_serve(struct api *api, struct exchange *exchange);

#endif
