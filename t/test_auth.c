// SPDX-License-Identifier: MIT
#include "auth.h"

#include "base64url.h"
#include "lib/tokens.h"
#include "util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NOW 1700000000
#define ISSUER "https://id.example.com/realms/"
#define ISS_ACME "\"iss\":\"" ISSUER "acme\""
#define GOOD "{" ISS_ACME ",\"sub\":\"ada\",\"exp\":1700000060}"
#define HEADER_EC "{\"alg\":\"ES256\",\"kid\":\"ec\"}"
#define HEADER_RSA "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"

/* acme has an RSA key without alg, and an EC key; other has its own EC key
 * under the same kid. */
static EVP_PKEY *rsa, *ec, *ec_other;
static char *dir;
static struct auth *auth;
static const struct principal *principal;
static enum auth_refusal refusal;

static void
write_set(const char *name, const char *first, const char *second)
{
    auto_char *set = tokens_format("{\"keys\":[%s%s%s]}", first,
                                   *second != '\0' ? "," : "", second);

    tokens_write(dir, name, set);
}

static void
start(struct auth_options options)
{
    auto_char *jwks = tokens_format("%s/{tenant}.json", dir);

    options.jwks = jwks;
    if (options.issuer == NULL)
        options.issuer = ISSUER "{tenant}";
    cr_assert_null(auth_options_check(&options));
    auth_free(auth);
    auth = auth_new(&options);
}

static void
set_up_ec(void)
{
    tokens_catch_log();
    dir = tokens_new_dir();
    ec = tokens_new_ec("P-256");
    ec_other = tokens_new_ec("P-256");

    auto_char *own = tokens_jwk(ec, "ec", NULL, "");
    auto_char *foreign = tokens_jwk(ec_other, "ec", NULL, "");

    write_set("acme.json", own, "");
    write_set("other.json", foreign, "");
    start((struct auth_options){0});
}

static void
set_up_all(void)
{
    set_up_ec();
    rsa = tokens_new_rsa(2048);

    auto_char *own = tokens_jwk(ec, "ec", NULL, "");
    auto_char *own_rsa = tokens_jwk(rsa, "rsa", NULL, ",\"use\":\"sig\"");

    write_set("acme.json", own, own_rsa);
}

static void
tear_down(void)
{
    auth_free(auth);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ec_other);
    tokens_free_dir(dir);
}

/* No 12 characters in a row of the token may be in the log. */
static void
assert_log_is_clean(const char *name, const char *log, const char *token)
{
    for (const char *part = token; strlen(part) >= 12; part++) {
        auto_char *window = strndup(part, 12);

        cr_assert_null(strstr(log, window), "%s: the log holds %s", name,
                       window);
    }
}

static enum err
check_raw(const char *authorization, const char *front, enum access access,
          int64_t now)
{
    principal = NULL;
    refusal = AUTH_ACCEPTED;
    return auth_check(auth, authorization, front, access, now, "req-1",
                      &principal, &refusal);
}

static enum err
check_at(const char *token, int64_t now)
{
    auto_char *authorization = tokens_format("Bearer %s", token);

    return check_raw(authorization, NULL, ACCESS_READ, now);
}

static void
assert_refused(const char *name, const char *authorization,
               enum auth_refusal expected)
{
    enum err err = check_raw(authorization, NULL, ACCESS_READ, NOW);
    auto_char *log = tokens_take_log();

    cr_assert_eq(err, ERR_NOAUTH, "%s: err %d", name, err);
    cr_assert_eq(refusal, expected, "%s: refused as %s, not %s", name,
                 auth_refusal_name(refusal), auth_refusal_name(expected));
    cr_assert_null(principal);
    cr_assert_not_null(strstr(log, "\"event\":\"refused\""), "%s", name);
    cr_assert_not_null(strstr(log, auth_refusal_name(expected)), "%s", name);
    cr_assert_not_null(strstr(log, "\"request_id\":\"req-1\""), "%s", name);
    if (authorization != NULL)
        assert_log_is_clean(name, log, authorization);
}

static void
assert_token_refused(const char *name, const char *token,
                     enum auth_refusal expected)
{
    auto_char *authorization = tokens_format("Bearer %s", token);

    assert_refused(name, authorization, expected);
}

static void
assert_accepted(const char *name, const char *token)
{
    enum err err = check_at(token, NOW);
    auto_char *log = tokens_take_log();

    cr_assert_eq(err, ERR_OK, "%s: %s", name, auth_refusal_name(refusal));
    cr_assert_str_eq(principal->tenant, "acme", "%s", name);
    cr_assert_str_eq(log, "", "%s", name);
}

static char *
sign_ec(const char *claims)
{
    return tokens_sign(ec, "ES256", HEADER_EC, claims);
}

TestSuite(auth, .init = set_up_ec, .fini = tear_down);
TestSuite(auth_rsa, .init = set_up_all, .fini = tear_down);

/* Headers and claims that are signed properly by acme's EC key, and still
 * must be refused. NULL is the good one. */
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
     AUTH_MALFORMED},
    {"typ no string", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":1}", NULL,
     AUTH_MALFORMED},
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
    {"claims duplicate", NULL,
     "{" ISS_ACME ",\"exp\":1,\"exp\":1700000060}", AUTH_MALFORMED},
    {"claims no UTF-8", NULL,
     "{" ISS_ACME ",\"exp\":1700000060,\"sub\":\"\xc0\xaf\"}",
     AUTH_MALFORMED},
    {"exp beyond any number", NULL, "{" ISS_ACME ",\"exp\":1e999}",
     AUTH_MALFORMED},
    /* claims: issuer */
    {"iss absent", NULL, "{\"exp\":1700000060}", AUTH_ISSUER},
    {"iss null", NULL, "{\"iss\":null,\"exp\":1700000060}", AUTH_ISSUER},
    {"iss an array", NULL,
     "{\"iss\":[\"" ISSUER "acme\"],\"exp\":1700000060}", AUTH_ISSUER},
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
    {"iss goes up", NULL,
     "{\"iss\":\"" ISSUER "../acme\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss goes up inside", NULL,
     "{\"iss\":\"" ISSUER "x/../acme\",\"exp\":1700000060}", AUTH_ISSUER},
    {"iss is up", NULL, "{\"iss\":\"" ISSUER "..\",\"exp\":1700000060}",
     AUTH_ISSUER},
    {"iss escaped", NULL,
     "{\"iss\":\"" ISSUER "%61cme\",\"exp\":1700000060}", AUTH_ISSUER},
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
    {"exp a string", NULL, "{" ISS_ACME ",\"exp\":\"1700000060\"}",
     AUTH_CLAIM},
    {"exp true", NULL, "{" ISS_ACME ",\"exp\":true}", AUTH_CLAIM},
    {"exp now", NULL, "{" ISS_ACME ",\"exp\":1700000000}", AUTH_EXPIRED},
    {"exp a fraction before now", NULL,
     "{" ISS_ACME ",\"exp\":1699999999.5}", AUTH_EXPIRED},
    {"exp long ago", NULL, "{" ISS_ACME ",\"exp\":0}", AUTH_EXPIRED},
    {"exp negative", NULL, "{" ISS_ACME ",\"exp\":-1700000060}",
     AUTH_EXPIRED},
    {"exp beyond any date", NULL, "{" ISS_ACME ",\"exp\":1e300}", AUTH_CLAIM},
    {"nbf too late", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"nbf\":1700000061}", AUTH_EARLY},
    {"nbf a string", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"nbf\":\"0\"}", AUTH_CLAIM},
    {"iat too late", NULL,
     "{" ISS_ACME ",\"exp\":1700009999,\"iat\":1700000060.5}", AUTH_EARLY},
    {"iat an array", NULL, "{" ISS_ACME ",\"exp\":1700009999,\"iat\":[]}",
     AUTH_CLAIM},
    {"sub a number", NULL, "{" ISS_ACME ",\"exp\":1700000060,\"sub\":7}",
     AUTH_CLAIM},
};

Test(auth, signed_but_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(signed_cases); i++) {
        const struct signed_case *c = &signed_cases[i];
        auto_char *token =
            tokens_sign(ec, "ES256", c->header != NULL ? c->header : HEADER_EC,
                        c->claims != NULL ? c->claims : GOOD);

        assert_token_refused(c->name, token, c->refusal);
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

Test(auth, signed_and_accepted)
{
    for (size_t i = 0; i < ARRAY_SIZE(good_cases); i++) {
        const struct signed_case *c = &good_cases[i];
        auto_char *token =
            tokens_sign(ec, "ES256", c->header != NULL ? c->header : HEADER_EC,
                        c->claims != NULL ? c->claims : GOOD);

        assert_accepted(c->name, token);
    }
}

Test(auth, principal_has_tenant_and_subject)
{
    auto_char *token = sign_ec(GOOD);

    cr_assert_eq(check_at(token, NOW), ERR_OK);
    cr_assert_str_eq(principal->tenant, "acme");
    cr_assert_str_eq(principal->subject, "ada");
    cr_assert(principal->may_read);
    cr_assert(principal->may_write);
}

Test(auth, long_subject_is_refused_not_cut)
{
    for (int len = AUTH_SUBJECT_MAX; len <= AUTH_SUBJECT_MAX + 1; len++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"exp\":1700000060,\"sub\":\"%0*d\"}", len, 0);
        auto_char *token = sign_ec(claims);

        if (len <= AUTH_SUBJECT_MAX)
            assert_accepted("longest subject", token);
        else
            assert_token_refused("subject too long", token, AUTH_CLAIM);
    }
}

Test(auth, authorization_header)
{
    auto_char *token = sign_ec(GOOD);
    static const struct {
        const char *format;
        enum auth_refusal refusal;
    } cases[] = {
        {"Bearer %s", AUTH_ACCEPTED},
        {"bearer %s", AUTH_ACCEPTED},
        {"BEARER   %s", AUTH_ACCEPTED},
        {"%s", AUTH_MISSING},
        {"Basic %s", AUTH_MISSING},
        {"Bearer%s", AUTH_MISSING},
        {" Bearer %s", AUTH_MISSING},
        {"Bearer\t%s", AUTH_MISSING},
        {"Bearer Bearer %s", AUTH_MALFORMED},
        {"Bearer %s ", AUTH_MALFORMED},
        {"Bearer %s\n", AUTH_MALFORMED},
        {"Bearer %s,Bearer x", AUTH_MALFORMED},
        {"Bearer \"%s\"", AUTH_MALFORMED},
        {"Bearer \t%s", AUTH_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char authorization[2000];
        const char *at = strstr(cases[i].format, "%s");

        snprintf(authorization, sizeof(authorization), "%.*s%s%s",
                 (int)(at - cases[i].format), cases[i].format, token, at + 2);
        if (cases[i].refusal == AUTH_ACCEPTED)
            cr_assert_eq(check_raw(authorization, NULL, ACCESS_READ, NOW),
                         ERR_OK, "%s", cases[i].format);
        else
            assert_refused(cases[i].format, authorization, cases[i].refusal);
    }
    assert_refused("none", NULL, AUTH_MISSING);
    assert_refused("empty", "", AUTH_MISSING);
    assert_refused("no token", "Bearer", AUTH_MISSING);
    assert_refused("empty token", "Bearer ", AUTH_MALFORMED);
}

/* The same bytes, but for a bit that stands for nothing. */
static char *
respell(const char *token)
{
    char *text = strdup(token);

    text[strlen(text) - 1]++;
    return text;
}

/* The same two numbers, each with a zero byte before it. */
static char *
pad_ecdsa(const char *token)
{
    const char *signature = strrchr(token, '.') + 1;
    unsigned char *bytes = NULL;
    char padded[66] = {0};
    size_t len = 0;

    cr_assert_eq(base64url_decode(signature, strlen(signature), &bytes, &len),
                 ERR_OK);
    cr_assert_eq(len, 64);
    memcpy(padded + 1, bytes, 32);
    memcpy(padded + 34, bytes + 32, 32);
    free(bytes);

    auto_char *segment = tokens_base64url(padded, sizeof(padded));

    return tokens_format("%.*s%s", (int)(signature - token), token, segment);
}

/* What can be done to the text of a good token. */
Test(auth, mangled_text)
{
    auto_char *good = sign_ec(GOOD);
    char *claims = strchr(good, '.') + 1;
    char *signature = strchr(claims, '.') + 1;
    auto_char *header = strndup(good, (size_t)(claims - good - 1));
    auto_char *body = strndup(claims, (size_t)(signature - claims - 1));
    auto_char *large = tokens_format("%s.%0*d.%s", header, 9000, 0, signature);
    auto_char *zeros = tokens_base64url((char[64]){0}, 64);
    auto_char *padded = pad_ecdsa(good);
    auto_char *spelling = respell(good);
    auto_char *evil = tokens_base64url("{" ISS_ACME ",\"exp\":1800000000}",
                                       strlen("{" ISS_ACME
                                              ",\"exp\":1800000000}"));
    const struct {
        const char *name;
        char *token;
        enum auth_refusal refusal;
    } cases[] = {
        {"one segment", tokens_format("%s", header), AUTH_MALFORMED},
        {"two segments", tokens_format("%s.%s", header, body), AUTH_MALFORMED},
        {"signature empty", tokens_format("%s.%s.", header, body),
         AUTH_MALFORMED},
        {"header empty", tokens_format(".%s.%s", body, signature),
         AUTH_MALFORMED},
        {"claims empty", tokens_format("%s..%s", header, signature),
         AUTH_MALFORMED},
        {"dots", tokens_format(".."), AUTH_MALFORMED},
        {"four segments", tokens_format("%s.x", good), AUTH_MALFORMED},
        {"four, the last empty", tokens_format("%s.", good), AUTH_MALFORMED},
        {"JWE", tokens_format("%s.%s.%s.%s.%s", header, body, body, body, body),
         AUTH_MALFORMED},
        {"blank inside", tokens_format("%s. %s.%s", header, body, signature),
         AUTH_MALFORMED},
        {"line end inside", tokens_format("%s.\n%s.%s", header, body, signature),
         AUTH_MALFORMED},
        {"padding", tokens_format("%s==", good), AUTH_MALFORMED},
        {"padding and more", tokens_format("%s=x", good), AUTH_MALFORMED},
        {"padding in the header", tokens_format("%s=.%s.%s", header, body,
                                                signature), AUTH_MALFORMED},
        {"plain base64", tokens_format("%s.%s.+/%s", header, body,
                                       signature + 2), AUTH_MALFORMED},
        {"high byte", tokens_format("%s\xc3", good), AUTH_MALFORMED},
        {"oversized", tokens_format("%s", large), AUTH_MALFORMED},
        {"claims swapped", tokens_format("%s.%s.%s", header, evil, signature),
         AUTH_SIGNATURE},
        {"signature cut by a byte",
         tokens_format("%s.%s.%.*s", header, body, (int)strlen(signature) - 2,
                       signature), AUTH_SIGNATURE},
        {"signature cut by a character",
         tokens_format("%s.%s.%.*s", header, body, (int)strlen(signature) - 1,
                       signature), AUTH_MALFORMED},
        {"signature longer", tokens_format("%s.%s.%sAAAA", header, body,
                                           signature), AUTH_SIGNATURE},
        {"signature of zeros", tokens_format("%s.%s.%s", header, body, zeros),
         AUTH_SIGNATURE},
        {"signature in another spelling", tokens_format("%s", spelling),
         AUTH_MALFORMED},
        {"numbers of the signature padded", tokens_format("%s", padded),
         AUTH_SIGNATURE},
    };

    cr_assert_eq(check_at(good, NOW), ERR_OK);
    free(tokens_take_log());
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_token_refused(cases[i].name, cases[i].token, cases[i].refusal);
        free(cases[i].token);
    }
}

Test(auth, none_needs_no_key)
{
    static const char *const spellings[] = {"none", "None", "NONE", "nOnE"};

    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
        auto_char *header = tokens_format("{\"alg\":\"%s\"}", spellings[i]);
        auto_char *bare = tokens_join(header, GOOD, "");
        auto_char *two = tokens_join(header, GOOD, NULL);
        auto_char *any = tokens_join(header, GOOD, "AAAA");

        assert_token_refused(spellings[i], bare, AUTH_MALFORMED);
        assert_token_refused(spellings[i], two, AUTH_MALFORMED);
        assert_token_refused(spellings[i], any, AUTH_ALG);
    }
}

Test(auth, signatures_do_not_fit_other_tokens)
{
    auto_char *first = sign_ec(GOOD);
    auto_char *second = sign_ec("{" ISS_ACME ",\"exp\":1700000061}");
    auto_char *mixed =
        tokens_format("%.*s%s", (int)(strrchr(first, '.') - first), first,
                      strrchr(second, '.'));

    assert_token_refused("swapped", mixed, AUTH_SIGNATURE);
}

Test(auth, tenants_never_cross)
{
    auto_char *forged = tokens_sign(ec_other, "ES256", HEADER_EC, GOOD);
    auto_char *foreign = tokens_sign(
        ec_other, "ES256", HEADER_EC,
        "{\"iss\":\"" ISSUER "other\",\"exp\":1700000060}");

    assert_token_refused("acme by other's key", forged, AUTH_SIGNATURE);
    cr_assert_eq(check_at(foreign, NOW), ERR_OK);
    cr_assert_str_eq(principal->tenant, "other");
    assert_token_refused("again, both sets loaded", forged, AUTH_SIGNATURE);
}

Test(auth_rsa, public_key_is_no_secret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"rsa\"}";
    static const char as_rsa[] = "{\"alg\":\"RS256\",\"kid\":\"rsa\"}";
    size_t der_len = 0;
    auto_char *pem = tokens_public_pem(rsa);
    unsigned char *der = tokens_public_der(rsa, &der_len);
    auto_char *jwk = tokens_jwk(rsa, "rsa", NULL, "");
    auto_char *by_pem = tokens_sign_hs256(pem, strlen(pem), header, GOOD);
    auto_char *by_line = tokens_sign_hs256(pem, strlen(pem) - 1, header, GOOD);
    auto_char *by_der = tokens_sign_hs256(der, der_len, header, GOOD);
    auto_char *by_jwk = tokens_sign_hs256(jwk, strlen(jwk), header, GOOD);
    auto_char *hidden = tokens_sign_hs256(der, der_len, as_rsa, GOOD);

    free(der);
    assert_token_refused("PEM", by_pem, AUTH_ALG);
    assert_token_refused("PEM without line end", by_line, AUTH_ALG);
    assert_token_refused("DER", by_der, AUTH_ALG);
    assert_token_refused("JWK", by_jwk, AUTH_ALG);
    assert_token_refused("DER, said to be RS256", hidden, AUTH_SIGNATURE);
}

/* A key set may hold the worst: a secret that is the RSA key's own name. */
Test(auth, symmetric_keys_are_never_used)
{
    auto_char *own = tokens_jwk(ec, "ec", NULL, "");
    auto_char *token = tokens_sign_hs256(
        "secret", 6, "{\"alg\":\"HS256\",\"kid\":\"oct\"}", GOOD);
    auto_char *disguised = tokens_sign_hs256(
        "secret", 6, "{\"alg\":\"ES256\",\"kid\":\"oct\"}", GOOD);

    write_set("acme.json", own,
              "{\"kty\":\"oct\",\"kid\":\"oct\",\"k\":\"c2VjcmV0\"}");
    assert_token_refused("HS256", token, AUTH_ALG);
    assert_token_refused("no such key", disguised, AUTH_KEY);
}

Test(auth_rsa, key_decides_the_algorithm)
{
    auto_char *marked = tokens_jwk(rsa, "rsa", "RS256", "");
    static const char *const algs[] = {"RS384", "RS512", "PS256", "PS512"};

    for (int is_marked = 0; is_marked <= 1; is_marked++) {
        auto_char *good = tokens_sign(rsa, "RS256", HEADER_RSA, GOOD);

        cr_assert_eq(check_at(good, NOW), ERR_OK);
        free(tokens_take_log());
        for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
            auto_char *header = tokens_format(
                "{\"alg\":\"%s\",\"kid\":\"rsa\"}", algs[i]);
            auto_char *token = tokens_sign(rsa, algs[i], header, GOOD);
            auto_char *liar = tokens_sign(rsa, algs[i], HEADER_RSA, GOOD);

            assert_token_refused(algs[i], token, AUTH_ALG);
            assert_token_refused(algs[i], liar, AUTH_SIGNATURE);
        }
        write_set("acme.json", marked, "");
    }
}

Test(auth_rsa, two_keys_need_a_kid)
{
    auto_char *token = tokens_sign(ec, "ES256", "{\"alg\":\"ES256\"}", GOOD);

    assert_token_refused("no kid", token, AUTH_KEY);
}

/* RFC 8017, 8.1.2: a signature is as long as the modulus. */
Test(auth_rsa, signature_without_its_leading_zero)
{
    static const char header[] = "{\"alg\":\"PS256\",\"kid\":\"rsa\"}";
    auto_char *jwk = tokens_jwk(rsa, "rsa", "PS256", "");
    unsigned char *bytes = NULL;
    auto_char *token = NULL;
    const char *signature;
    size_t len;

    write_set("acme.json", jwk, "");
    do {
        free(token);
        free(bytes);
        bytes = NULL;
        token = tokens_sign(rsa, "PS256", header, GOOD);
        signature = strrchr(token, '.') + 1;
        cr_assert_eq(base64url_decode(signature, strlen(signature), &bytes,
                                      &len), ERR_OK);
    } while (bytes[0] != 0);

    auto_char *shorter = tokens_base64url(bytes + 1, len - 1);
    auto_char *cut = tokens_format("%.*s%s", (int)(signature - token), token,
                                   shorter);

    free(bytes);
    assert_accepted("whole", token);
    assert_token_refused("without its zero", cut, AUTH_SIGNATURE);
}

Test(auth_rsa, every_algorithm)
{
    static const struct {
        const char *alg;
        const char *curve;
    } cases[] = {
        {"RS256", NULL},    {"RS384", NULL},    {"RS512", NULL},
        {"PS256", NULL},    {"PS384", NULL},    {"PS512", NULL},
        {"ES256", "P-256"}, {"ES384", "P-384"}, {"ES512", "P-521"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        EVP_PKEY *key = cases[i].curve != NULL ? tokens_new_ec(cases[i].curve)
                                               : rsa;
        auto_char *jwk = tokens_jwk(key, "k", cases[i].alg, "");
        auto_char *header =
            tokens_format("{\"alg\":\"%s\",\"kid\":\"k\"}", cases[i].alg);
        auto_char *token = tokens_sign(key, cases[i].alg, header, GOOD);
        auto_char *bad = strdup(token);
        char *middle = strrchr(bad, '.') + 10;

        write_set("acme.json", jwk, "");
        free(tokens_take_log());
        cr_assert_eq(check_at(token, NOW), ERR_OK, "%s", cases[i].alg);
        *middle = *middle == 'A' ? 'B' : 'A';
        cr_assert_eq(check_at(bad, NOW), ERR_NOAUTH, "%s", cases[i].alg);
        cr_assert_eq(refusal, AUTH_SIGNATURE, "%s", cases[i].alg);
        if (key != rsa)
            EVP_PKEY_free(key);
    }
}

Test(auth, audience)
{
    static const struct {
        const char *aud;
        enum auth_refusal refusal;
    } cases[] = {
        {",\"aud\":\"orders\"", AUTH_ACCEPTED},
        {",\"aud\":[\"x\",\"orders\"]", AUTH_ACCEPTED},
        {",\"aud\":[1,\"orders\"]", AUTH_ACCEPTED},
        {"", AUTH_AUDIENCE},
        {",\"aud\":\"order\"", AUTH_AUDIENCE},
        {",\"aud\":\"orders2\"", AUTH_AUDIENCE},
        {",\"aud\":[]", AUTH_AUDIENCE},
        {",\"aud\":[\"x\"]", AUTH_AUDIENCE},
        {",\"aud\":[[\"orders\"]]", AUTH_AUDIENCE},
        {",\"aud\":{\"orders\":1}", AUTH_AUDIENCE},
        {",\"aud\":null", AUTH_AUDIENCE},
    };

    start((struct auth_options){.audience = "orders"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims = tokens_format("{" ISS_ACME ",\"exp\":1700000060%s}",
                                          cases[i].aud);
        auto_char *token = sign_ec(claims);

        if (cases[i].refusal == AUTH_ACCEPTED)
            assert_accepted(cases[i].aud, token);
        else
            assert_token_refused(cases[i].aud, token, cases[i].refusal);
    }
}

Test(auth, scopes)
{
    static const struct {
        const char *scope;
        bool may_read;
        bool may_write;
    } cases[] = {
        {"\"cfg:read cfg:write\"", true, true},
        {"\"cfg:write openid cfg:read\"", true, true},
        {"\"cfg:read\"", true, false},
        {"\"openid  cfg:write\"", false, true},
        {"\"\"", false, false},
        {"\"cfg:readers xcfg:read cfg:rea CFG:READ\"", false, false},
        {"[\"cfg:read\"]", false, false},
        {"7", false, false},
    };

    start((struct auth_options){.read_scope = "cfg:read",
                                .write_scope = "cfg:write"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims =
            tokens_format("{" ISS_ACME ",\"exp\":1700000060,\"scope\":%s}",
                          cases[i].scope);
        auto_char *token = sign_ec(claims);
        auto_char *header = tokens_format("Bearer %s", token);

        /* Twice: the second answer is the cache's. */
        for (int round = 0; round < 2; round++) {
            cr_expect_eq(check_raw(header, NULL, ACCESS_NONE, NOW), ERR_OK);
            cr_expect_eq(check_raw(header, NULL, ACCESS_READ, NOW),
                         cases[i].may_read ? ERR_OK : ERR_DENIED, "%s",
                         cases[i].scope);
            cr_expect_eq(refusal, cases[i].may_read ? AUTH_ACCEPTED
                                                    : AUTH_SCOPE);
            cr_expect_eq(check_raw(header, NULL, ACCESS_WRITE, NOW),
                         cases[i].may_write ? ERR_OK : ERR_DENIED, "%s",
                         cases[i].scope);
        }

        auto_char *log = tokens_take_log();

        assert_log_is_clean(cases[i].scope, log, token);
        if (!cases[i].may_read)
            cr_expect_not_null(strstr(log, "\"reason\":\"scope\""));
    }
}

Test(auth, front_tenant_must_agree)
{
    auto_char *token = sign_ec(GOOD);
    auto_char *header = tokens_format("Bearer %s", token);
    static const char *const others[] = {"other", "", "ACME", "acme ", "acm"};

    for (int round = 0; round < 2; round++) {
        cr_assert_eq(check_raw(header, "acme", ACCESS_READ, NOW), ERR_OK);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
            cr_assert_eq(check_raw(header, others[i], ACCESS_READ, NOW),
                         ERR_DENIED);
            cr_assert_eq(refusal, AUTH_TENANT);
            cr_assert_null(principal);
        }
    }

    auto_char *log = tokens_take_log();

    cr_assert_not_null(strstr(log, "\"reason\":\"tenant\""));
    cr_assert_not_null(strstr(log, "\"tenant\":\"acme\""));
    assert_log_is_clean("front tenant", log, token);
}

Test(auth, tenant_by_claim)
{
    static const struct {
        const char *claims;
        enum auth_refusal refusal;
    } cases[] = {
        {"\"iss\":\"https://idp.example\",\"org\":\"acme\"", AUTH_ACCEPTED},
        {"\"iss\":\"https://idp.example/\",\"org\":\"acme\"", AUTH_ISSUER},
        {"\"org\":\"acme\"", AUTH_ISSUER},
        {"\"iss\":\"https://idp.example\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":[\"acme\"]", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"../acme\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"other\"",
         AUTH_SIGNATURE},
    };

    start((struct auth_options){.issuer = "https://idp.example",
                                .tenant_claim = "org"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims =
            tokens_format("{\"exp\":1700000060,%s}", cases[i].claims);
        auto_char *token = sign_ec(claims);

        if (cases[i].refusal == AUTH_ACCEPTED)
            assert_accepted(cases[i].claims, token);
        else
            assert_token_refused(cases[i].claims, token, cases[i].refusal);
    }
}

Test(auth, issuer_template_may_go_on_after_the_tenant)
{
    auto_char *good = sign_ec("{\"iss\":\"https://acme.id.example/x\","
                              "\"exp\":1700000060}");
    auto_char *longer = sign_ec("{\"iss\":\"https://acme.id.example/x/x\","
                                "\"exp\":1700000060}");
    auto_char *overlap = sign_ec("{\"iss\":\"https://.id.example/x\","
                                 "\"exp\":1700000060}");

    start((struct auth_options){.issuer = "https://{tenant}.id.example/x"});
    assert_accepted("good", good);
    assert_token_refused("longer", longer, AUTH_ISSUER);
    assert_token_refused("nothing between", overlap, AUTH_ISSUER);
}

/* The name of what is not valid must not get into the log as a tenant. */
Test(auth, log_names_only_valid_tenants)
{
    auto_char *bad = sign_ec("{\"iss\":\"" ISSUER "EVIL\","
                             "\"exp\":1700000060}");
    auto_char *unknown = sign_ec("{\"iss\":\"" ISSUER "nobody\","
                                 "\"exp\":1700000060}");

    cr_assert_eq(check_at(bad, NOW), ERR_NOAUTH);
    auto_char *without = tokens_take_log();
    cr_assert_eq(check_at(unknown, NOW), ERR_NOAUTH);
    auto_char *with = tokens_take_log();

    cr_assert_null(strstr(without, "tenant"));
    cr_assert_null(strstr(without, "EVIL"));
    cr_assert_not_null(strstr(with, "\"tenant\":\"nobody\""));
}

Test(auth, tenant_names, .init = NULL, .fini = NULL)
{
    static const char *const good[] = {
        "a", "7", "a-b", "a--b", "0-0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    static const char *const bad[] = {
        "", "-", "-a", "a-", "A", "a.b", "a/b", "..", "a_b", "a b", "\xc3\xa9",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_expect(auth_tenant_is_valid(good[i], strlen(good[i])), "%s",
                  good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_not(auth_tenant_is_valid(bad[i], strlen(bad[i])), "%s",
                      bad[i]);
    cr_expect_not(auth_tenant_is_valid("a\0b", 3));
}

Test(auth, options, .init = NULL, .fini = NULL)
{
    static const struct {
        struct auth_options options;
        const char *why; /* starts with, or NULL */
    } cases[] = {
        {{.issuer = "i/{tenant}", .jwks = "k/{tenant}"}, NULL},
        {{.issuer = "i", .tenant_claim = "org", .jwks = "k/{tenant}"}, NULL},
        {{.jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "", .tenant_claim = "org", .jwks = "{tenant}"}, "issuer: "},
        {{.issuer = "i", .jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "{tenant}{tenant}", .jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "{tenant}", .tenant_claim = "org", .jwks = "{tenant}"},
         "issuer: "},
        {{.issuer = "{tenant}", .tenant_claim = "", .jwks = "{tenant}"},
         "issuer: "},
        {{.issuer = "i", .tenant_claim = "", .jwks = "{tenant}"},
         "tenant-claim: "},
        {{.issuer = "{tenant}"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "k"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}/{tenant}"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .audience = ""},
         "audience: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .read_scope = "a b"},
         "read-scope: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .write_scope = ""},
         "write-scope: "},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *why = auth_options_check(&cases[i].options);

        if (cases[i].why == NULL)
            cr_expect_null(why, "case %zu: %s", i, why);
        else
            cr_expect(why != NULL && strncmp(why, cases[i].why,
                                             strlen(cases[i].why)) == 0,
                      "case %zu: %s", i, why);
    }
}
