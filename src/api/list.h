// SPDX-License-Identifier: MIT
/* All config keys of a tenant. */
#ifndef API_LIST_H
#define API_LIST_H

struct api;
struct exchange;

/* GET and HEAD of all config keys at once. */
void api_list(struct api *api, struct exchange *exchange);

#endif
