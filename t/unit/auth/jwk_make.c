// SPDX-License-Identifier: MIT
#include "auth/jwk_make.h"

#include "auth/jwk.h"
#include "auth/jwt.h"
#include "base/util.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 7638, section 3.1. */
Test(jwk_make, thumbprint_of_the_rfc)
{
    static const char text[] =
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM"
        "78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY3"
        "68QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt"
        "-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-k"
        "EgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\","
        "\"kid\":\"2011-04-29\"}";
    json_auto_t *jwk = json_loads(text, 0, NULL);
    auto_char *thumbprint = jwk_thumbprint(jwk);

    cr_assert_str_eq(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/* What is made can be read, signs, and verifies; no other key does. */
static void
assert_made_keys_work(const char *alg, size_t signature_len)
{
    json_auto_t *claims = json_pack("{s:s}", "iss", "x");
    json_auto_t *made = jwk_make(alg, 2048);
    json_auto_t *half = jwk_copy_public(made);
    json_auto_t *stranger = jwk_make(alg, 2048);
    struct jwk signer, verifier, other;
    enum auth_refusal refusal;
    const char *why = "";
    struct jwt jwt;

    cr_assert(jwk_is_private(made));
    cr_assert_not(jwk_is_private(half));
    cr_assert_eq(jwk_read(made, JWK_PRIVATE, &signer, &why), ERR_OK, "%s", why);
    cr_assert_eq(jwk_read(half, JWK_PUBLIC, &verifier, &why), ERR_OK);
    cr_assert_eq(jwk_read(stranger, JWK_PUBLIC, &other, &why), ERR_OK);
    cr_assert_str_eq(verifier.alg, alg);
    cr_assert_eq(verifier.signature_len, signature_len);
    cr_assert_str_eq(verifier.kid, signer.kid);

    auto_char *token = jwt_sign(&signer, claims);

    cr_assert_eq(jwt_read(token, strlen(token), &jwt, &refusal), ERR_OK);
    cr_assert_str_eq(jwt.kid, signer.kid);
    cr_assert_eq(jwt_verify(&jwt, &verifier, &refusal), ERR_OK);
    cr_assert_eq(jwt_verify(&jwt, &other, &refusal), ERR_NOAUTH);
    cr_assert_eq(refusal, AUTH_SIGNATURE);
    jwt_clear(&jwt);
    jwk_clear(&signer);
    jwk_clear(&verifier);
    jwk_clear(&other);
}

Test(jwk_make, made_rsa_keys_work)
{
    static const char *const algs[] = {"RS256", "RS384", "RS512",
                                       "PS256", "PS384", "PS512"};

    for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
        assert_made_keys_work(algs[i], 256);
}

Test(jwk_make, made_curve_keys_work)
{
    assert_made_keys_work("ES256", 64);
    assert_made_keys_work("ES384", 96);
    assert_made_keys_work("ES512", 132);
}
