// SPDX-License-Identifier: MIT
#include "auth/base64url.h"

#include <cjose/base64.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_span(const char *text)
{
    return strspn(text, alphabet);
}

/* True if the bits of the last character that encode nothing are zero. */
static bool
has_clean_end(const char *text, size_t len)
{
    size_t value;

    if (len % 4 == 0)
        return true;
    value = (size_t)(strchr(alphabet, text[len - 1]) - alphabet);
    return value % (len % 4 == 2 ? 16 : 4) == 0;
}

enum err
base64url_decode(const char *text, size_t len, unsigned char **bytes_out,
                 size_t *len_out)
{
    uint8_t *bytes = NULL;
    cjose_err error = {0};

    /* cjose alone would stop at a '=' and ignore the rest. */
    if (len % 4 == 1 || base64url_span(text) != len ||
        !has_clean_end(text, len))
        return ERR_INVALID;
    if (!cjose_base64url_decode(text, len, &bytes, len_out, &error))
        return error.code == CJOSE_ERR_NO_MEMORY ? ERR_NOMEM : ERR_INVALID;
    *bytes_out = bytes;
    return ERR_OK;
}

char *
base64url_encode(const unsigned char *bytes, size_t len)
{
    char *text = NULL;
    size_t text_len;

    if (!cjose_base64url_encode(bytes, len, &text, &text_len, NULL))
        return NULL;
    return text;
}
