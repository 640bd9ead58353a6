// SPDX-License-Identifier: MIT
#include "auth/jwk.h"

#include "base/util.h"
#include "lib/tokens.h"

#include <criterion/criterion.h>
#include <openssl/rsa.h>
#include <string.h>

static EVP_PKEY *rsa, *ec;

static void
set_up(void)
{
    rsa = tokens_read_rsa();
    ec = tokens_new_ec("P-256");
}

static void
tear_down(void)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

TestSuite(jwk, .init = set_up, .fini = tear_down);

static enum err
read_text(const char *text, enum jwk_part part, struct jwk *jwk,
          const char **why_out)
{
    json_auto_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    cr_assert_not_null(json, "%s", text);
    return jwk_read(json, part, jwk, why_out);
}

static void
assert_fit(const char *text, enum jwk_part part, const char *alg, size_t len)
{
    const char *why = "";
    struct jwk jwk;

    cr_assert_eq(read_text(text, part, &jwk, &why), ERR_OK, "%s: %s", text,
                 why);
    cr_assert_str_eq(jwk.alg, alg, "%s", text);
    cr_assert_eq(jwk.signature_len, len, "%s: %zu", text, jwk.signature_len);
    jwk_clear(&jwk);
}

static void
assert_unfit(const char *text, enum jwk_part part, const char *why)
{
    const char *given = "";
    struct jwk jwk;

    cr_assert_eq(read_text(text, part, &jwk, &given), ERR_INVALID, "%s", text);
    cr_assert_not_null(strstr(given, why), "%s: %s", text, given);
}

Test(jwk, type_gives_the_usual_algorithm)
{
    static const struct {
        const char *curve;
        const char *alg;
        size_t len;
    } cases[] = {
        {"P-256", "ES256", 64},
        {"P-384", "ES384", 96},
        {"P-521", "ES512", 132},
    };
    auto_char *text = tokens_jwk(rsa, NULL, NULL, "");

    assert_fit(text, JWK_PUBLIC, "RS256", 256);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        EVP_PKEY *key = tokens_new_ec(cases[i].curve);
        auto_char *plain = tokens_jwk(key, NULL, NULL, "");
        auto_char *marked = tokens_jwk(key, NULL, cases[i].alg, "");

        assert_fit(plain, JWK_PUBLIC, cases[i].alg, cases[i].len);
        assert_fit(marked, JWK_PUBLIC, cases[i].alg, cases[i].len);
        EVP_PKEY_free(key);
    }
}

Test(jwk, own_algorithm_wins)
{
    static const char *const algs[] = {"RS256", "RS384", "RS512",
                                       "PS256", "PS384", "PS512"};

    for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
        auto_char *text = tokens_jwk(rsa, NULL, algs[i], "");

        assert_fit(text, JWK_PUBLIC, algs[i], 256);
    }
}

Test(jwk, algorithm_must_be_ours_and_the_type_s)
{
    static const char *const bad[] = {"none",  "HS256", "RSA-OAEP", "ES256K",
                                      "rs256", "EdDSA", ""};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        auto_char *text = tokens_jwk(rsa, NULL, bad[i], "");

        assert_unfit(text, JWK_PUBLIC, "alg");
        cr_assert_null(jwk_find_alg(bad[i]));
    }
    auto_char *ec_as_rsa = tokens_jwk(ec, NULL, "RS256", "");
    auto_char *rsa_as_ec = tokens_jwk(rsa, NULL, "ES256", "");
    auto_char *other_curve = tokens_jwk(ec, NULL, "ES384", "");

    assert_unfit(ec_as_rsa, JWK_PUBLIC, "alg");
    assert_unfit(rsa_as_ec, JWK_PUBLIC, "alg");
    assert_unfit(other_curve, JWK_PUBLIC, "alg");
}

Test(jwk, use_and_operations)
{
    static const struct {
        const char *extra;
        bool may_verify, may_sign;
    } cases[] = {
        {",\"use\":\"sig\"", true, true},
        {",\"use\":\"enc\"", false, false},
        {",\"use\":7", false, false},
        {",\"key_ops\":[\"verify\"]", true, false},
        {",\"key_ops\":[1,\"sign\",\"verify\"]", true, true},
        {",\"key_ops\":[\"sign\"]", false, true},
        {",\"key_ops\":[]", false, false},
        {",\"key_ops\":\"verify\"", false, false},
        {",\"use\":\"enc\",\"key_ops\":[\"verify\"]", false, false},
        {",\"x5c\":[\"AA\"],\"x5u\":\"https://evil.example\"", true, true},
    };
    auto_char *private_key = tokens_jwk_private(ec, NULL, NULL);

    private_key[strlen(private_key) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *text = tokens_format("%s%s}", private_key, cases[i].extra);

        if (cases[i].may_verify)
            assert_fit(text, JWK_PUBLIC, "ES256", 64);
        else
            assert_unfit(text, JWK_PUBLIC, "use or key_ops");
        if (cases[i].may_sign)
            assert_fit(text, JWK_PRIVATE, "ES256", 64);
        else
            assert_unfit(text, JWK_PRIVATE, "use or key_ops");
    }
}

/* What OpenSSL and cjose would take. */
Test(jwk, weak_rsa)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);
    auto_char *weak = tokens_jwk(small, NULL, NULL, "");
    auto_char *good = tokens_jwk(rsa, NULL, NULL, "");
    auto_char *n = strdup(strstr(good, "\"n\":\"") + 5);
    static const struct {
        const char *format; /* of n */
        const char *why;
    } cases[] = {
        {"{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQ\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"Ag\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AA\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAAAAAAAAAB\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"n\":\"%s\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"n\":\"%s==\",\"e\":\"AQAB\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"n\":\"%sAAAA\",\"e\":\"AQAB\"}", "even"},
        {"{\"kty\":\"RSA\",\"n\":7,\"x\":\"%s\",\"e\":\"AQAB\"}", "n or e"},
    };

    *strchr(n, '"') = '\0';
    assert_unfit(weak, JWK_PUBLIC, "2048");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *at = strstr(cases[i].format, "%s");
        auto_char *text = tokens_format("%.*s%s%s", (int)(at - cases[i].format),
                                        cases[i].format, n, at + 2);

        assert_unfit(text, JWK_PUBLIC, cases[i].why);
    }
    EVP_PKEY_free(small);
}

/* A 1024 bit modulus does not become longer by zeros before it. */
Test(jwk, zeros_do_not_count_as_bits)
{
    unsigned char bytes[257] = {0};
    auto_char *padded = NULL;
    auto_char *weak = NULL;

    memset(bytes + 1, 0xff, sizeof(bytes) - 1);
    padded = tokens_base64url(bytes, sizeof(bytes));
    memset(bytes, 0, 128);
    weak = tokens_base64url(bytes, sizeof(bytes));

    auto_char *good_text = tokens_format(
        "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AAEAAQ\"}", padded);
    auto_char *weak_text =
        tokens_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}", weak);

    assert_fit(good_text, JWK_PUBLIC, "RS256", 256);
    assert_unfit(weak_text, JWK_PUBLIC, "2048");
}

Test(jwk, bad_curve_points)
{
    auto_char *good = tokens_jwk(ec, NULL, NULL, "");
    auto_char *off = strdup(good);
    auto_char *foreign = strdup(good);
    char *x = strstr(off, "\"x\":\"") + 6;
    static const char zeros[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";

    *x = *x == 'A' ? 'B' : 'A';
    memcpy(strstr(foreign, "P-256"), "P-384", 5);
    assert_unfit(off, JWK_PUBLIC, "do not make a key");
    assert_unfit(zeros, JWK_PUBLIC, "do not make a key");
    assert_unfit(foreign, JWK_PUBLIC, "curve's length");
}

Test(jwk, other_things)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"7", "object"},
        {"[]", "object"},
        {"{}", "kty"},
        {"{\"kty\":7}", "kty"},
        {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", "neither"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}", "neither"},
        {"{\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}",
         "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", "x or y"},
    };
    auto_char *odd_kid = tokens_jwk(ec, NULL, NULL, ",\"kid\":7");
    auto_char *public_half = tokens_jwk(ec, NULL, NULL, "");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_unfit(cases[i].text, JWK_PUBLIC, cases[i].why);
    assert_unfit(odd_kid, JWK_PUBLIC, "kid");
    assert_unfit(public_half, JWK_PRIVATE, "not a private key");
}

/* Of a factor without the others, cjose loses the memory. */
Test(jwk, factors_of_a_private_key)
{
    static const struct {
        const char *factors;
        const char *why;
    } cases[] = {
        {",\"p\":\"Aw\"", "some"},
        {",\"q\":\"Aw\"", "some"},
        {",\"p\":\"Aw\",\"q\":\"Aw\",\"dp\":\"Aw\",\"dq\":\"Aw\"", "some"},
        {",\"p\":\"A=\"", "not base64url"},
        {",\"p\":\"AA\"", "not base64url"},
        {",\"p\":7", "not base64url"},
    };
    auto_char *whole = tokens_jwk_private(rsa, NULL, NULL);
    auto_char *public_half = tokens_jwk(rsa, NULL, NULL, ",\"d\":\"Aw\"");
    auto_char *bad = tokens_jwk(rsa, NULL, NULL, ",\"d\":\"A=\"");

    assert_fit(whole, JWK_PRIVATE, "RS256", 256);
    assert_fit(public_half, JWK_PRIVATE, "RS256", 256);
    assert_unfit(bad, JWK_PRIVATE, "not base64url");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *text = tokens_format("%.*s%s}", (int)strlen(public_half) - 1,
                                        public_half, cases[i].factors);

        assert_unfit(text, JWK_PRIVATE, cases[i].why);
    }
}

/* Of a "=" further on, cjose would make an end of the process. */
Test(jwk, number_of_a_private_key)
{
    auto_char *whole = tokens_jwk_private(ec, NULL, NULL);
    char *d = strstr(whole, "\"d\":\"") + 5;

    assert_fit(whole, JWK_PRIVATE, "ES256", 64);
    for (size_t i = 0; d[i] != '"'; i++) {
        char was = d[i];

        d[i] = '=';
        assert_unfit(whole, JWK_PRIVATE, "not base64url");
        d[i] = was;
    }
}

Test(jwk, private_members, .init = NULL, .fini = NULL)
{
    static const char *const texts[] = {"{\"kty\":\"EC\",\"d\":\"AA\"}",
                                        "{\"kty\":\"oct\",\"k\":\"AA\"}",
                                        "{\"kty\":\"RSA\",\"p\":\"AA\"}"};
    json_auto_t *plain = json_loads("{\"kty\":\"EC\",\"x\":\"AA\"}", 0, NULL);

    cr_assert_not(jwk_is_private(plain));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        json_auto_t *json = json_loads(texts[i], 0, NULL);

        cr_assert(jwk_is_private(json), "%s", texts[i]);
    }
}
