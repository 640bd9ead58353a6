// SPDX-License-Identifier: MIT
/* The registered claims of a verified token (RFC 7519, section 4.1). */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include "auth/principal.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Seconds by which the provider's clock may differ from ours: for nbf and iat,
 * and for exp. */
struct clock_skew {
    int64_t early, late;
};

/* Checks exp, which is required, against now. On ERR_OK, *expires_out is the
 * first second at which the token is no longer good. ERR_NOAUTH: *refusal_out
 * is AUTH_CLAIM or AUTH_EXPIRED. */
enum err claims_check_end(const json_t *claims, int64_t now,
                          const struct clock_skew *skew, int64_t *expires_out,
                          enum auth_refusal *refusal_out);

/* The same of nbf and iat: AUTH_CLAIM or AUTH_EARLY. */
enum err claims_check_start(const json_t *claims, int64_t now,
                            const struct clock_skew *skew,
                            enum auth_refusal *refusal_out);

/* True if aud is audience, or an array that holds it. */
bool claims_have_audience(const json_t *claims, const char *audience);

/* True if scope, a list with spaces between (RFC 8693, section 4.2), holds
 * it. */
bool claims_have_scope(const json_t *claims, const char *scope);

#endif
