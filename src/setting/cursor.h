// SPDX-License-Identifier: MIT
/*
 * A place among the versions of a tenant, as text for clients, who need not
 * understand it: SEQ-ID, the id being the first half of the version's write id,
 * as in its ETag. The id tells whether a store that was restored or moved has
 * the same version there. One that is older than format 2 is
 * 0-TIME-VERSION-KEY.
 */
#ifndef SETTING_CURSOR_H
#define SETTING_CURSOR_H

#include "setting/etag.h"
#include "store/store.h"

#include <stdbool.h>

#define CURSOR_SIZE                                                            \
    (sizeof("0-18446744073709551615-18446744073709551615-") + STORE_KEY_MAX)

struct cursor {
    struct store_place place;
    char id[ETAG_ID_LEN + 1]; /* "": the version has none */
};

/* Of a version of the key. */
void cursor_text(const char *key, const struct record *record,
                 char text_out[CURSOR_SIZE]);

/* False if the text is no cursor. */
bool cursor_read(const char *text, struct cursor *cursor_out);

/* ERR_OK if the tenant has this very version. ERR_NOTFOUND if it is not kept,
 * or if *is_other_out, another one is in its place. As store_timeline. */
enum err cursor_find(struct store *store, const char *tenant,
                     const struct cursor *cursor, bool *is_other_out);

#endif
