// SPDX-License-Identifier: MIT
/* Tokens whose text, key or algorithm somebody has tampered with. */
#include "auth/auth.h"

#include "auth/base64url.h"
#include "lib/auth_world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(auth_forged, .init = world_set_up, .fini = world_tear_down);
TestSuite(auth_forged_rsa, .init = world_set_up_rsa, .fini = world_tear_down);

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
Test(auth_forged, mangled_text)
{
    auto_char *good = world_sign(GOOD);
    char *claims = strchr(good, '.') + 1;
    char *signature = strchr(claims, '.') + 1;
    auto_char *header = strndup(good, (size_t)(claims - good - 1));
    auto_char *body = strndup(claims, (size_t)(signature - claims - 1));
    auto_char *large = tokens_format("%s.%0*d.%s", header, 9000, 0, signature);
    auto_char *zeros = tokens_base64url((char[64]){0}, 64);
    auto_char *padded = pad_ecdsa(good);
    auto_char *spelling = respell(good);
    auto_char *evil =
        tokens_base64url("{" ISS_ACME ",\"exp\":1800000000}",
                         strlen("{" ISS_ACME ",\"exp\":1800000000}"));
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
        {"line end inside",
         tokens_format("%s.\n%s.%s", header, body, signature), AUTH_MALFORMED},
        {"padding", tokens_format("%s==", good), AUTH_MALFORMED},
        {"padding and more", tokens_format("%s=x", good), AUTH_MALFORMED},
        {"padding in the header",
         tokens_format("%s=.%s.%s", header, body, signature), AUTH_MALFORMED},
        {"plain base64",
         tokens_format("%s.%s.+/%s", header, body, signature + 2),
         AUTH_MALFORMED},
        {"high byte", tokens_format("%s\xc3", good), AUTH_MALFORMED},
        {"oversized", tokens_format("%s", large), AUTH_MALFORMED},
        {"claims swapped", tokens_format("%s.%s.%s", header, evil, signature),
         AUTH_SIGNATURE},
        {"signature cut by a byte",
         tokens_format("%s.%s.%.*s", header, body, (int)strlen(signature) - 2,
                       signature),
         AUTH_SIGNATURE},
        {"signature cut by a character",
         tokens_format("%s.%s.%.*s", header, body, (int)strlen(signature) - 1,
                       signature),
         AUTH_MALFORMED},
        {"signature longer",
         tokens_format("%s.%s.%sAAAA", header, body, signature),
         AUTH_SIGNATURE},
        {"signature of zeros", tokens_format("%s.%s.%s", header, body, zeros),
         AUTH_SIGNATURE},
        {"signature in another spelling", tokens_format("%s", spelling),
         AUTH_MALFORMED},
        {"numbers of the signature padded", tokens_format("%s", padded),
         AUTH_SIGNATURE},
    };

    cr_assert_eq(world_check_token(good, NOW), ERR_OK);
    free(tokens_take_log());
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        world_assert_token_refused(cases[i].name, cases[i].token,
                                   cases[i].refusal);
        free(cases[i].token);
    }
}

Test(auth_forged, none_needs_no_key)
{
    static const char *const spellings[] = {"none", "None", "NONE", "nOnE"};

    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
        auto_char *header = tokens_format("{\"alg\":\"%s\"}", spellings[i]);
        auto_char *bare = tokens_join(header, GOOD, "");
        auto_char *two = tokens_join(header, GOOD, NULL);
        auto_char *any = tokens_join(header, GOOD, "AAAA");

        world_assert_token_refused(spellings[i], bare, AUTH_MALFORMED);
        world_assert_token_refused(spellings[i], two, AUTH_MALFORMED);
        world_assert_token_refused(spellings[i], any, AUTH_ALG);
    }
}

Test(auth_forged, signatures_do_not_fit_other_tokens)
{
    auto_char *first = world_sign(GOOD);
    auto_char *second = world_sign("{" ISS_ACME ",\"exp\":1700000061}");
    auto_char *mixed =
        tokens_format("%.*s%s", (int)(strrchr(first, '.') - first), first,
                      strrchr(second, '.'));

    world_assert_token_refused("swapped", mixed, AUTH_SIGNATURE);
}

Test(auth_forged, tenants_never_cross)
{
    auto_char *forged = tokens_sign(world.ec_other, "ES256", HEADER_EC, GOOD);
    auto_char *foreign =
        tokens_sign(world.ec_other, "ES256", HEADER_EC,
                    "{\"iss\":\"" ISSUER "other\",\"exp\":1700000060}");

    world_assert_token_refused("acme by other's key", forged, AUTH_SIGNATURE);
    cr_assert_eq(world_check_token(foreign, NOW), ERR_OK);
    cr_assert_str_eq(world.principal->tenant, "other");
    world_assert_token_refused("again, both sets loaded", forged,
                               AUTH_SIGNATURE);
}

Test(auth_forged_rsa, public_key_is_no_secret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"rsa\"}";
    static const char as_rsa[] = "{\"alg\":\"RS256\",\"kid\":\"rsa\"}";
    size_t der_len = 0;
    auto_char *pem = tokens_public_pem(world.rsa);
    unsigned char *der = tokens_public_der(world.rsa, &der_len);
    auto_char *jwk = tokens_jwk(world.rsa, "rsa", NULL, "");
    auto_char *by_pem = tokens_sign_hs256(pem, strlen(pem), header, GOOD);
    auto_char *by_line = tokens_sign_hs256(pem, strlen(pem) - 1, header, GOOD);
    auto_char *by_der = tokens_sign_hs256(der, der_len, header, GOOD);
    auto_char *by_jwk = tokens_sign_hs256(jwk, strlen(jwk), header, GOOD);
    auto_char *hidden = tokens_sign_hs256(der, der_len, as_rsa, GOOD);

    free(der);
    world_assert_token_refused("PEM", by_pem, AUTH_ALG);
    world_assert_token_refused("PEM without line end", by_line, AUTH_ALG);
    world_assert_token_refused("DER", by_der, AUTH_ALG);
    world_assert_token_refused("JWK", by_jwk, AUTH_ALG);
    world_assert_token_refused("DER, said to be RS256", hidden, AUTH_SIGNATURE);
}

/* A key set may hold the worst: a secret that is the RSA key's own name. */
Test(auth_forged, symmetric_keys_are_never_used)
{
    auto_char *own = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *token = tokens_sign_hs256(
        "secret", 6, "{\"alg\":\"HS256\",\"kid\":\"oct\"}", GOOD);
    auto_char *disguised = tokens_sign_hs256(
        "secret", 6, "{\"alg\":\"ES256\",\"kid\":\"oct\"}", GOOD);

    world_write_set("acme.json", own,
                    "{\"kty\":\"oct\",\"kid\":\"oct\",\"k\":\"c2VjcmV0\"}");
    world_assert_token_refused("HS256", token, AUTH_ALG);
    world_assert_token_refused("no such key", disguised, AUTH_KEY);
}

Test(auth_forged_rsa, key_decides_the_algorithm)
{
    auto_char *marked = tokens_jwk(world.rsa, "rsa", "RS256", "");
    static const char *const algs[] = {"RS384", "RS512", "PS256", "PS512"};

    for (int is_marked = 0; is_marked <= 1; is_marked++) {
        auto_char *good = tokens_sign(world.rsa, "RS256", HEADER_RSA, GOOD);

        cr_assert_eq(world_check_token(good, NOW), ERR_OK);
        free(tokens_take_log());
        for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
            auto_char *header =
                tokens_format("{\"alg\":\"%s\",\"kid\":\"rsa\"}", algs[i]);
            auto_char *token = tokens_sign(world.rsa, algs[i], header, GOOD);
            auto_char *liar = tokens_sign(world.rsa, algs[i], HEADER_RSA, GOOD);

            world_assert_token_refused(algs[i], token, AUTH_ALG);
            world_assert_token_refused(algs[i], liar, AUTH_SIGNATURE);
        }
        world_write_set("acme.json", marked, "");
    }
}

Test(auth_forged_rsa, two_keys_need_a_kid)
{
    auto_char *token =
        tokens_sign(world.ec, "ES256", "{\"alg\":\"ES256\"}", GOOD);

    world_assert_token_refused("no kid", token, AUTH_KEY);
}

/* RFC 8017, 8.1.2: a signature is as long as the modulus. */
Test(auth_forged_rsa, signature_without_its_leading_zero)
{
    static const char header[] = "{\"alg\":\"PS256\",\"kid\":\"rsa\"}";
    auto_char *jwk = tokens_jwk(world.rsa, "rsa", "PS256", "");
    unsigned char *bytes = NULL;
    auto_char *token = NULL;
    const char *signature;
    size_t len;

    world_write_set("acme.json", jwk, "");
    do {
        free(token);
        free(bytes);
        bytes = NULL;
        token = tokens_sign(world.rsa, "PS256", header, GOOD);
        signature = strrchr(token, '.') + 1;
        cr_assert_eq(
            base64url_decode(signature, strlen(signature), &bytes, &len),
            ERR_OK);
    } while (bytes[0] != 0);

    auto_char *shorter = tokens_base64url(bytes + 1, len - 1);
    auto_char *cut =
        tokens_format("%.*s%s", (int)(signature - token), token, shorter);

    free(bytes);
    world_assert_accepted("whole", token);
    world_assert_token_refused("without its zero", cut, AUTH_SIGNATURE);
}

Test(auth_forged_rsa, every_algorithm)
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
        EVP_PKEY *key =
            cases[i].curve != NULL ? tokens_new_ec(cases[i].curve) : world.rsa;
        auto_char *jwk = tokens_jwk(key, "k", cases[i].alg, "");
        auto_char *header =
            tokens_format("{\"alg\":\"%s\",\"kid\":\"k\"}", cases[i].alg);
        auto_char *token = tokens_sign(key, cases[i].alg, header, GOOD);
        auto_char *bad = strdup(token);
        char *middle = strrchr(bad, '.') + 10;

        world_write_set("acme.json", jwk, "");
        free(tokens_take_log());
        cr_assert_eq(world_check_token(token, NOW), ERR_OK, "%s", cases[i].alg);
        *middle = *middle == 'A' ? 'B' : 'A';
        cr_assert_eq(world_check_token(bad, NOW), ERR_NOAUTH, "%s",
                     cases[i].alg);
        cr_assert_eq(world.refusal, AUTH_SIGNATURE, "%s", cases[i].alg);
        if (key != world.rsa)
            EVP_PKEY_free(key);
    }
}
