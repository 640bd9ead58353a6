// SPDX-License-Identifier: MIT
/* What changes a config key. A write is checked, and then the exchange waits
 * for its commit. */
#ifndef API_WRITE_H
#define API_WRITE_H

struct api;
struct exchange;

/* POST of a config key. */
void api_post(struct api *api, struct exchange *exchange);

/* POST of an old version to a config key's history; as api_post. */
void api_restore(struct api *api, struct exchange *exchange);

#endif
