// SPDX-License-Identifier: MIT
/*
 * The secret within a config value, at rest and on show. What the store holds
 * instead of the secret's text is an object, which no valid value has there:
 *
 *   {"url":…,"api_key":{"sealed":{"kid":…,"data":…}},"timeout":15}
 *
 * Values of keys without a secret are taken and given as they are. Values given
 * are canonical JSON text, from malloc, NUL-terminated; whoever has got one
 * with an open secret frees it with seal_free. Each may be ERR_NOMEM.
 */
#ifndef MODEL_SEAL_H
#define MODEL_SEAL_H

#include "base/err.h"
#include "model/config_keys.h"
#include "model/key_ring.h"

#include <stddef.h>

/* What is shown to those who must not see a secret. */
#define SEAL_MASK "********"

/* What to say of seal_keep's ERR_DENIED; for the names of the secret, the
 * recipient, and the secret again. */
#define SEAL_MOVED                                                             \
    "value.%s: is the mask, but value.%s has another scheme, user, host or "   \
    "port than the one that is stored: send the %s along"

/* Whose value it is, and what opens it; secrets may be NULL: nothing does. */
struct seal {
    const struct secrets *secrets;
    const char *tenant;
    const struct config_key *key;
};

/* Why a secret cannot be opened, and what sealed it, or says so. */
struct seal_fault {
    const char *reason; /* static */
    char kid[SECRETS_KID_MAX + 1];
};

/* What is to be stored: sealed by the first key; without keys, as it is. */
enum err seal_value(const struct seal *seal, const char *value, size_t len,
                    char **sealed_out);

/* The same of what is stored, sealed or not. *renewed_out is NULL if it is
 * sealed by the first key already. ERR_SEALED: as seal_open. */
enum err seal_renew(const struct seal *seal, const char *stored, size_t len,
                    char **renewed_out, struct seal_fault *fault_out);

/* What is stored, opened. ERR_SEALED: it cannot be, see *fault_out. */
enum err seal_open(const struct seal *seal, const char *stored, size_t len,
                   char **value_out, struct seal_fault *fault_out);

/* What is stored, or was opened, with the mask in place of the secret. */
enum err seal_mask(const struct config_key *key, const char *value, size_t len,
                   char **masked_out);

/* True in *is_masked_out if the mask stands in place of the secret. */
enum err seal_is_masked(const struct config_key *key, const char *value,
                        size_t len, bool *is_masked_out);

/*
 * value, with the secret of another one of the same key, opened or as it is
 * stored. This is the one rule of what a mask keeps. ERR_DENIED: the recipient
 * is another server, and whoever may not read a secret must not have it sent
 * there. ERR_TOOBIG: together they have more than CONFIG_VALUE_MAX.
 */
enum err seal_keep(const struct config_key *key, const char *value, size_t len,
                   const char *from, size_t from_len, char **kept_out);

/* Wipes a value, and frees it. Accepts NULL. */
void seal_free(char *value);

#endif
