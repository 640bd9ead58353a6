// SPDX-License-Identifier: MIT
/* The six config keys: one row each, and what can be done with a row. */
#ifndef MODEL_CONFIG_KEYS_H
#define MODEL_CONFIG_KEYS_H

#include "base/err.h"
#include "json/schema.h"

#include <stdint.h>

struct config_key {
    const char *name;
    struct schema value;
    const char *unset;  /* JSON of the value that an unset key reads as; NULL:
                           there is none, and reading it is ERR_UNSET */
    bool is_once;       /* write-once */
    bool is_flat;       /* the body also carries the value's members at its top,
                           the shape of the older API document */
    const char *secret; /* the value's member that is one, or NULL */
    const char *recipient; /* the member whose URI says whom the secret is sent
                              to; not NULL if secret is not */
};

#define CONFIG_KEYS_MAX 6

/* Bytes of a value's canonical text, at most. A request's body, which has 64
 * KiB, may be a little shorter: it may lack defaults, and 1e9 is a number. */
#define CONFIG_VALUE_MAX (64 * 1024 + 64)

extern const struct config_key config_keys[CONFIG_KEYS_MAX];

/* What a value must be beyond what its row says. Zeroed: nothing. */
struct config_rules {
    bool is_strict;      /* a member that the key does not name is refused */
    const char *schemes; /* the only ones that the URI of a recipient may have,
                            see uri_schemes_are_valid; borrowed. NULL: any */
};

/* The row, or NULL if there is no such key. */
const struct config_key *config_key_find(const char *name);

/* The key that name is most likely a misspelling of; NULL if none is near. */
const struct config_key *config_key_guess(const char *name);

/*
 * Reads a request body. On ERR_OK, *value_out is the canonical value, a new
 * reference. ERR_BADREQ (not JSON) and ERR_INVALID: messages grew, by every
 * violation there is. ERR_NOMEM: messages may have grown, but not by all.
 *
 * A flat key's body may have the value in either shape, or in both: then both
 * must be valid and say the same. No message holds any of the body but the
 * names of members.
 */
enum err config_key_parse(const struct config_key *key, const char *body,
                          size_t len, const struct config_rules *rules,
                          json_t *messages, json_t **value_out);

/* The same for the text of the value alone. */
enum err config_key_check(const struct config_key *key, const char *text,
                          size_t len, const struct config_rules *rules,
                          json_t *messages, json_t **value_out);

/* The same for one that is decoded already, e.g. one that was stored long
 * ago. */
enum err config_key_check_json(const struct config_key *key,
                               const json_t *value,
                               const struct config_rules *rules,
                               json_t *messages, json_t **value_out);

/* A canonical value's text, from malloc, NUL-terminated. ERR_NOMEM. */
enum err config_key_encode(const json_t *value, char **text_out);

/* How long its text is. ERR_NOMEM. */
enum err config_key_measure(const json_t *value, size_t *len_out);

/*
 * Makes the response body from the text of a value that config_key_parse made
 * (or the row's unset): {"value":…,"updated_at":"…"}, and for a flat key the
 * value's members after it. From malloc; NULL on no memory.
 */
char *config_key_render(const struct config_key *key, const char *value,
                        size_t value_len, int64_t updated_at, size_t *len_out);

#endif
