// SPDX-License-Identifier: MIT
/*
 * The secret within a config value, at rest and on show. What the store holds
 * instead of the secret's text is an object, which no valid value has there:
 *
 *   {"url":…,"api_key":{"sealed":{"kid":…,"data":…}},"timeout":15}
 *
 * Values are decoded, and changed in place. Those of keys without a secret stay
 * as they are. Whoever has one with an open secret drops it with seal_drop, and
 * its text with seal_free. Each may be ERR_NOMEM.
 */
#ifndef MODEL_SEAL_H
#define MODEL_SEAL_H

#include "base/err.h"
#include "model/config_keys.h"
#include "model/key_ring.h"

#include <jansson.h>
#include <stddef.h>

/* What is shown to those who must not see a secret. */
#define SEAL_MASK "********"

/* Whose value it is, and what opens it; secrets may be NULL: nothing does. */
struct seal {
    const struct key_ring *secrets;
    const char *tenant;
    const struct config_key *key;
};

/* Why a secret cannot be opened, and what sealed it, or says so. */
struct seal_fault {
    const char *reason; /* static */
    char kid[KEY_RING_KID_MAX + 1];
};

/* Decodes what is stored; a new reference. ERR_SEALED: it is nothing that was
 * ever stored, see *fault_out. */
enum err seal_load(const char *stored, size_t len, json_t **value_out,
                   struct seal_fault *fault_out);

/* Seals an open secret by the first key; without keys it stays as it is. */
enum err seal_close(const struct seal *seal, json_t *value);

/* Opens a secret. ERR_SEALED: it cannot be, see *fault_out. */
enum err seal_open(const struct seal *seal, json_t *value,
                   struct seal_fault *fault_out);

/* Seals a secret, open or sealed, by the first key, of which there must be one.
 * False in *is_renewed_out: it is so already. ERR_SEALED: as seal_open. */
enum err seal_renew(const struct seal *seal, json_t *value,
                    bool *is_renewed_out, struct seal_fault *fault_out);

/* Puts the mask in place of the secret, open or sealed. */
enum err seal_mask(const struct config_key *key, json_t *value);

/* True if the mask stands in place of the secret, or an open secret does. */
bool seal_is_masked(const struct config_key *key, const json_t *value);
bool seal_is_open(const struct config_key *key, const json_t *value);

/*
 * Gives value the secret of another one of the same key, opened or as it is
 * stored. This is the one rule of what a mask keeps. ERR_DENIED: the recipient
 * is another server, and whoever may not read a secret must not have it sent
 * there. ERR_TOOBIG: together they have more than CONFIG_VALUE_MAX. ERR_SEALED:
 * the other has none, so it is malformed.
 */
enum err seal_keep(const struct config_key *key, json_t *value,
                   const json_t *from);

/* Gives a value back; its secret is wiped with its last reference. Accepts
 * NULL. */
void seal_drop(const struct config_key *key, json_t *value);

/* Wipes a value's text, and frees it. Accepts NULL. */
void seal_free(char *text);

#endif
