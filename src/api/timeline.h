// SPDX-License-Identifier: MIT
#ifndef API_TIMELINE_H
#define API_TIMELINE_H

struct api;
struct exchange;

/* The versions of all keys of the tenant, newest first, as many as a page has:
 * ?limit=, ?before=CURSOR, and of them those of ?key=, ?by=, ?since= and
 * ?until=. */
void api_timeline(struct api *api, struct exchange *exchange);

#endif
