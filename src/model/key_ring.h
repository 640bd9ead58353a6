// SPDX-License-Identifier: MIT
/*
 * The key ring that secrets are encrypted with in the store: XChaCha20-Poly1305
 * (libsodium), a random nonce each. The file is a JWK Set (RFC 7517) of keys of
 * type oct with a kid and 32 bytes each; the first one seals, all open.
 */
#ifndef MODEL_KEY_RING_H
#define MODEL_KEY_RING_H

#include "base/err.h"

#include <stddef.h>

struct key_ring;

#define KEY_RING_KID_MAX 64
#define KEY_RING_KEYS_MAX 32

/* What a sealed text belongs to: nowhere else does it open. */
struct key_ring_place {
    const char *tenant;
    const char *key;
    const char *member;
};

/* Reads the file. ERR_INVALID: what is wrong is in why (why_size bytes), with
 * the path and without anything of a key. ERR_NOMEM. */
enum err key_ring_open(const char *path, struct key_ring **ring_out, char *why,
                       size_t why_size);

/* Wipes the keys. Accepts NULL. */
void key_ring_close(struct key_ring *ring);

/* The kid of the key that seals. */
const char *key_ring_kid(const struct key_ring *ring);

/* The text, sealed by the first key: base64url of nonce and ciphertext, from
 * malloc; NULL on no memory. */
char *key_ring_seal(const struct key_ring *ring,
                    const struct key_ring_place *place, const char *text,
                    size_t len);

/* Reverses it; *text_out is from malloc, and a NUL stands behind its text.
 * ERR_NOTFOUND: there is no such kid. ERR_INVALID: data is not what this key
 * sealed for this place. ERR_NOMEM. */
enum err key_ring_unseal(const struct key_ring *ring,
                         const struct key_ring_place *place, const char *kid,
                         const char *data, char **text_out, size_t *len_out);

#endif
