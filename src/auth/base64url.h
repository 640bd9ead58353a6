// SPDX-License-Identifier: MIT
/* Strict base64url (RFC 4648, section 5), as JOSE uses it: no padding. */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include "base/err.h"

#include <stddef.h>

/* How many bytes at the start of text are of the alphabet. */
size_t base64url_span(const char *text);

/*
 * Decodes the len bytes at text, which a NUL or another byte outside the
 * alphabet must end. ERR_INVALID unless it is the one text that encodes its
 * bytes: a lenient reader makes two texts of one signature. On ERR_OK
 * *bytes_out is from malloc. ERR_NOMEM.
 */
enum err base64url_decode(const char *text, size_t len,
                          unsigned char **bytes_out, size_t *len_out);

/* From malloc; NULL on no memory. */
char *base64url_encode(const unsigned char *bytes, size_t len);

#endif
