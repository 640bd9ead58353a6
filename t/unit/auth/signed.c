// SPDX-License-Identifier: MIT
/* Tokens with a proper signature: what else must be right with them. */
#include "auth/auth.h"

#include "lib/auth_world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(auth_signed, .init = world_set_up, .fini = world_tear_down);

static const struct signed_case {
    const char *name;
    const char *header;
    const char *claims;
    enum auth_refusal refusal;
} signed_cases[] = {
    /* header */
    {"alg missing", "{\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg a number", "{\"alg\":256,\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg an array", "{\"alg\":[\"ES256\"],\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg in lower case", "{\"alg\":\"es256\",\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg unknown", "{\"alg\":\"ES256K\",\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg with a blank", "{\"alg\":\"ES256 \",\"kid\":\"ec\"}", NULL, AUTH_ALG},
    {"alg of another curve", "{\"alg\":\"ES384\",\"kid\":\"ec\"}", NULL,
     AUTH_ALG},
    {"alg of another type", "{\"alg\":\"RS256\",\"kid\":\"ec\"}", NULL,
     AUTH_ALG},
    {"crit", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"crit\":[\"exp\"],\"exp\":1}",
     NULL, AUTH_CRIT},
    {"crit empty", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"crit\":[]}", NULL,
     AUTH_CRIT},
    {"crit null", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"crit\":null}", NULL,
     AUTH_CRIT},
    {"b64", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"b64\":false}", NULL,
     AUTH_CRIT},
    {"typ of something else",
     "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"logout+jwt\"}", NULL,
     AUTH_TYPE},
    {"typ no string", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":1}", NULL,
     AUTH_TYPE},
    {"kid unknown", "{\"alg\":\"ES256\",\"kid\":\"eve\"}", NULL, AUTH_KEY},
    {"kid a path", "{\"alg\":\"ES256\",\"kid\":\"../other\"}", NULL, AUTH_KEY},
    {"kid no string", "{\"alg\":\"ES256\",\"kid\":7}", NULL, AUTH_MALFORMED},
    {"header duplicate", "{\"alg\":\"ES256\",\"kid\":\"eve\",\"kid\":\"ec\"}",
     NULL, AUTH_MALFORMED},
    {"header an array", "[\"ES256\"]", NULL, AUTH_MALFORMED},
    {"header cut", "{\"alg\":\"ES256\",\"kid\":\"ec\"", NULL, AUTH_MALFORMED},
    {"header and more", HEADER_EC "{}", NULL, AUTH_MALFORMED},
    {"header no UTF-8", "{\"alg\":\"ES256\",\"kid\":\"\xff\"}", NULL,
     AUTH_MALFORMED},
    {"header with NUL", "{\"alg\":\"ES256\",\"kid\":\"ec\\u0000\"}", NULL,
     AUTH_MALFORMED},
    /* claims: JSON */
    {"claims an array", NULL, "[" GOOD "]", AUTH_MALFORMED},
    {"claims no JSON", NULL, "exp=1700000060", AUTH_MALFORMED},
    {"claims and more", NULL, GOOD "x", AUTH_MALFORMED},
    {"claims duplicate", NULL, "{" ISS_ACME ",\"exp\":1,\"exp\":1700000060}",
     AUTH_MALFORMED},
    {"claims no UTF-8", NULL,
     "{" ISS_ACME ",\"exp\":1700000060,\"sub\":\"\xc0\xaf\"}", AUTH_MALFORMED},
    {"exp beyond any number", NULL, "{" ISS_ACME ",\"exp\":1e999}",
     AUTH_MALFORMED},
    /* claims: issuer */
    {"iss absent", NULL, "{\"exp\":1700000060}", AUTH_ISSUER},
    {"iss null", NULL, "{\"iss\":null,\"exp\":1700000060}", AUTH_ISSUER},
    {"iss an array", NULL, "{\"iss\":[\"" ISSUER "acme\"],\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss of another host", NULL,
     "{\"iss\":\"https://id.example.org/realms/acme\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss in other case", NULL,
     "{\"iss\":\"HTTPS://id.example.com/realms/acme\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss with a slash at its end", NULL,
     "{\"iss\":\"" ISSUER "acme/\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss without tenant", NULL, "{\"iss\":\"" ISSUER "\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss goes up", NULL, "{\"iss\":\"" ISSUER "../acme\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss goes up inside", NULL,
     "{\"iss\":\"" ISSUER "x/../acme\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss is up", NULL, "{\"iss\":\"" ISSUER "..\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss escaped", NULL, "{\"iss\":\"" ISSUER "%61cme\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss in upper case", NULL,
     "{\"iss\":\"" ISSUER "ACME\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss with a hyphen first", NULL,
     "{\"iss\":\"" ISSUER "-acme\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss with a dot", NULL,
     "{\"iss\":\"" ISSUER "acme.json\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss of 64 characters", NULL,
     "{\"iss\":\"" ISSUER "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaa\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss of a tenant without keys", NULL,
     "{\"iss\":\"" ISSUER "nobody\",\"exp\":1700000060}", AUTH_KEY},
    {"iss of another tenant, signed by acme", NULL,
     "{\"iss\":\"" ISSUER "other\",\"exp\":1700000060}", AUTH_SIGNATURE},
    /* claims: times */
    {"exp absent", NULL, "{" ISS_ACME "}", AUTH_CLAIM},
    {"exp null", NULL, "{" ISS_ACME ",\"exp\":null}", AUTH_CLAIM},
    {"exp a string", NULL, "{" ISS_ACME ",\"exp\":\"1700000060\"}", AUTH_CLAIM},
    {"exp true", NULL, "{" ISS_ACME ",\"exp\":true}", AUTH_CLAIM},
    {"exp now", NULL, "{" ISS_ACME ",\"exp\":1700000000}", AUTH_EXPIRED},
    {"exp a fraction before now", NULL, "{" ISS_ACME ",\"exp\":1699999999.5}",
     AUTH_EXPIRED},
    {"exp long ago", NULL, "{" ISS_ACME ",\"exp\":0}", AUTH_EXPIRED},
    {"exp negative", NULL, "{" ISS_ACME ",\"exp\":-1700000060}", AUTH_EXPIRED},
    {"exp beyond any date", NULL, "{" ISS_ACME ",\"exp\":1e300}", AUTH_CLAIM},
    {"nbf too late", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"nbf\":1700000061}", AUTH_EARLY},
    {"nbf a string", NULL, "{" ISS_ACME ",\"exp\":1700009999,\"nbf\":\"0\"}",
     AUTH_CLAIM},
    {"iat too late", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"iat\":1700000060.5}", AUTH_EARLY},
    {"iat an array", NULL, "{" ISS_ACME ",\"exp\":1700009999,\"iat\":[]}",
     AUTH_CLAIM},
    {"sub a number", NULL, "{" ISS_ACME ",\"exp\":1700000060,\"sub\":7}",
     AUTH_CLAIM},
};

Test(auth_signed, signed_but_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(signed_cases); i++) {
        const struct signed_case *c = &signed_cases[i];
        auto_char *token = tokens_sign(
            world.ec, "ES256", c->header != NULL ? c->header : HEADER_EC,
            c->claims != NULL ? c->claims : GOOD);

        world_assert_token_refused(c->name, token, c->refusal);
    }
}

/* Variations that are good; that they are keeps the table above honest. */
static const struct signed_case good_cases[] = {
    {"plain", NULL, NULL, 0},
    {"typ JWT", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"JWT\"}", NULL, 0},
    {"typ jwt", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"jwt\"}", NULL, 0},
    {"typ at+jwt", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+JWT\"}",
     NULL, 0},
    {"typ in full",
     "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"application/at+jwt\"}", NULL,
     0},
    {"no kid, one key", "{\"alg\":\"ES256\"}", NULL, 0},
    {"members that are not ours",
     "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jku\":\"https://evil.example\"}",
     NULL, 0},
    {"white space in JSON", "{ \"alg\" : \"ES256\",\n\"kid\":\"ec\" }\n", NULL,
     0},
    {"exp a fraction", NULL, "{" ISS_ACME ",\"exp\":1700000000.25}", 0},
    {"exp in exponents", NULL, "{" ISS_ACME ",\"exp\":1.8e9}", 0},
    {"nbf and iat within the leeway", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"nbf\":1700000060,\"iat\":1700000060}",
     0},
    {"no sub", NULL, "{" ISS_ACME ",\"exp\":1700000060}", 0},
    {"aud, when none is asked for", NULL,
     "{" ISS_ACME ",\"exp\":1700000060,\"aud\":\"x\"}", 0},
};

Test(auth_signed, signed_and_accepted)
{
    for (size_t i = 0; i < ARRAY_SIZE(good_cases); i++) {
        const struct signed_case *c = &good_cases[i];
        auto_char *token = tokens_sign(
            world.ec, "ES256", c->header != NULL ? c->header : HEADER_EC,
            c->claims != NULL ? c->claims : GOOD);

        world_assert_accepted(c->name, token);
    }
}
