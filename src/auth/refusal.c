// SPDX-License-Identifier: MIT
#include "auth/refusal.h"

#include <stddef.h>

#define INVALID "Bearer error=\"invalid_token\""
#define SCOPE "Bearer error=\"insufficient_scope\""

/* The same text in the problem's body and, as error_description, in the
 * challenge. It has neither quotes nor backslashes. */
#define TOLD(challenge, text) text, challenge ", error_description=\"" text "\""

static const struct {
    const char *name, *text, *challenge;
} refusals[AUTH_REFUSAL_MAX] = {
    [AUTH_ACCEPTED] = {"accepted", NULL, NULL},
    /* RFC 6750, section 3.1: no error code for a request without a token. */
    [AUTH_MISSING] = {"missing", NULL, "Bearer"},
    [AUTH_TOO_LONG] = {"too_long",
                       TOLD(INVALID, "the token is longer than 16384 bytes")},
    [AUTH_MALFORMED] = {"malformed", TOLD(INVALID, "the token is no signed "
                                                   "JWT in compact form")},
    [AUTH_ALG] = {"algorithm",
                  TOLD(INVALID, "the algorithm of the token is not one that "
                                "is accepted, or not that of its key")},
    [AUTH_CRIT] = {"critical",
                   TOLD(INVALID, "the token has a critical extension")},
    [AUTH_TYPE] = {"type", TOLD(INVALID, "the typ of the token is neither JWT "
                                         "nor at+jwt")},
    [AUTH_ISSUER] = {"issuer",
                     TOLD(INVALID, "the issuer of the token is another one "
                                   "than this service trusts")},
    [AUTH_KEY] = {"key", TOLD(INVALID, "the key that signed the token is not "
                                       "known for its tenant")},
    [AUTH_SIGNATURE] = {"signature", NULL, INVALID},
    [AUTH_EXPIRED] = {"expired", TOLD(INVALID, "the token has expired")},
    [AUTH_EARLY] = {"early", TOLD(INVALID, "the token is not valid yet")},
    [AUTH_CLAIM] = {"claim", TOLD(INVALID, "a claim of the token is missing "
                                           "or of the wrong type")},
    [AUTH_AUDIENCE] = {"audience",
                       TOLD(INVALID, "the token is for another audience")},
    [AUTH_TENANT] = {"tenant",
                     "the token is for another tenant than the host name",
                     NULL},
    [AUTH_SCOPE] = {"scope", TOLD(SCOPE, "the token lacks the scope for this")},
};

const char *
auth_refusal_name(enum auth_refusal refusal)
{
    return refusals[refusal].name;
}

const char *
auth_refusal_text(enum auth_refusal refusal)
{
    return refusals[refusal].text;
}

const char *
auth_refusal_challenge(enum auth_refusal refusal)
{
    return refusals[refusal].challenge;
}
