// SPDX-License-Identifier: MIT
/* The versions of a config key. */
#ifndef API_HISTORY_H
#define API_HISTORY_H

struct api;
struct exchange;

/* GET and HEAD of a page of a config key's history. */
void api_history(struct api *api, struct exchange *exchange);

#endif
