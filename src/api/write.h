// SPDX-License-Identifier: MIT
/* What changes a config key. A write is checked, and then left in the exchange
 * to be committed. */
#ifndef API_WRITE_H
#define API_WRITE_H

struct api;
struct exchange;

/* POST of a config key: fills the response with an error, or write. */
void api_post(struct api *api, struct exchange *exchange);

/* POST of an old version to a config key's history; as api_post. */
void api_restore(struct api *api, struct exchange *exchange);

/* Makes the response of a write that was committed, or lost. */
void api_written(struct api *api, struct exchange *exchange);

#endif
