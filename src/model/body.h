// SPDX-License-Identifier: MIT
/* From the bytes of a request body to a JSON value that was checked. */
#ifndef MODEL_BODY_H
#define MODEL_BODY_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Checks what was decoded; as validate, whose result it may be. */
typedef enum err body_check_fn(const void *ctx, json_t *root, bool is_strict,
                               json_t *messages, json_t **canonical_out);

/*
 * Decodes the body and has it checked. ERR_OK: *canonical_out is a new
 * reference. ERR_BADREQ (not JSON, or a number beyond 64 bits that check had
 * nothing against) and ERR_INVALID: messages grew. ERR_NOMEM.
 */
enum err body_parse(const char *body, size_t len, bool is_strict,
                    body_check_fn *check, const void *ctx, json_t *messages,
                    json_t **canonical_out);

#endif
