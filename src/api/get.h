// SPDX-License-Identifier: MIT
/* The value of a config key. */
#ifndef API_GET_H
#define API_GET_H

struct api;
struct exchange;

/* GET and HEAD of a config key, or of one version of it. */
void api_get(struct api *api, struct exchange *exchange);

#endif
