// SPDX-License-Identifier: MIT
/* What is said about a refusal, and to whom. */
#ifndef AUTH_REFUSAL_H
#define AUTH_REFUSAL_H

#include "auth/principal.h"

/* The log's and the metrics' word for it, e.g. "expired"; static. */
const char *auth_refusal_name(enum auth_refusal refusal);

/* What the client is told, static: which rule it was. NULL where that is not
 * for strangers: with a signature that is wrong, somebody may be trying. */
const char *auth_refusal_text(enum auth_refusal refusal);

/* The challenge for WWW-Authenticate (RFC 6750, section 3), static; NULL for a
 * refusal that another token would not help. */
const char *auth_refusal_challenge(enum auth_refusal refusal);

#endif
