// SPDX-License-Identifier: MIT
/* URIs (RFC 3986), as far as it matters whom they name. */
#ifndef MODEL_URI_H
#define MODEL_URI_H

#include "base/err.h"

#include <stdbool.h>

/*
 * True in *is_same_out if both name the same server: the same scheme, user
 * information, host and port, when case, percent-encoding and a port that is
 * the scheme's own are normalized (sections 6.2.2 and 6.2.3). In doubt, it is
 * another one: a URI that cannot be read, or has no host, names the same server
 * only as the very same text. ERR_NOMEM.
 */
enum err uri_is_same_server(const char *one, const char *other,
                            bool *is_same_out);

#define URI_ESCAPED_SIZE(len) (3 * (len) + 1)

/* Writes text with all but unreserved characters percent-encoded (section 2.1),
 * into room for URI_ESCAPED_SIZE of its length. */
void uri_escape(const char *text, char *escaped_out);

#define URI_SCHEMES_RULE                                                       \
    "must be URI schemes separated by commas, such as https,http"

/* True if the list is of schemes (RFC 3986, section 3.1), with a comma between
 * two of them and nothing else: "https,http". */
bool uri_schemes_are_valid(const char *schemes);

/* True if the URI, or what may be none, begins with one of such a list, in any
 * case of letters, and a colon. */
bool uri_has_scheme(const char *uri, const char *schemes);

#endif
