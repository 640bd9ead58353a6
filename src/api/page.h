// SPDX-License-Identifier: MIT
/* A page of versions: {"history":[…]}, of one key or of several. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct config_key;
struct exchange;
struct record;
struct record_origin;

#define PAGE_LIMIT 20
#define PAGE_LIMIT_MAX 100

/* Zeroed but for the first five members is a valid start. */
struct page {
    const struct api *api;
    struct exchange *exchange;
    const char *cache; /* Cache-Control */
    uint64_t limit;    /* the most versions in it */
    bool names_keys;   /* each version says whose it is */
    struct buf body;   /* owned until page_respond */
    uint64_t count;
    bool has_next;                   /* one that came had no room */
    const struct config_key *sealed; /* whose secret could not be read */
};

/* Adds a version of key, with its value as the token may see it. ERR_ENDED:
 * there is no room for it, and so none for what comes behind it. ERR_SEALED and
 * ERR_NOMEM. */
enum err page_add(struct page *page, const struct config_key *key,
                  const struct record *record,
                  const struct record_origin *origin);

/* Answers with the page, or with the error that its walk has ended with. Takes
 * link, the value of a Link field from malloc, or NULL. */
void page_respond(struct page *page, enum err err, char *link);

#endif
