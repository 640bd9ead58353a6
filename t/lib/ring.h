// SPDX-License-Identifier: MIT
/* Key rings, by the kids of their keys. */
#ifndef RING_H
#define RING_H

#include "model/seal.h"

/* "one two": a ring of these, the first of which seals. A kid stands for the
 * same key in every ring; "one/other" is another key of the kid one. */
struct key_ring *ring_make(const char *kids);

/* The same as a file's text, from malloc. */
char *ring_text(const char *kids);

/* A value's text, sealed; from malloc. */
char *ring_seal(const struct seal *seal, const char *value);

#endif
