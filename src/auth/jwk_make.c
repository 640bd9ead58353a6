// SPDX-License-Identifier: MIT
#include "auth/jwk_make.h"

#include "auth/base64url.h"
#include "base/util.h"
#include "json/decode.h"

#include <cjose/cjose.h>
#include <openssl/evp.h>

char *
jwk_thumbprint(const json_t *jwk)
{
    /* What is required of either type, and no more. */
    static const char *const names[] = {"crv", "e", "kty", "n", "x", "y"};
    json_auto_t *required = json_object();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    auto_char *text = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_t *member = json_object_get(jwk, names[i]);

        if (member != NULL && json_object_set(required, names[i], member) != 0)
            return NULL;
    }
    text = json_dumps(required, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL || EVP_Digest(text, strlen(text), digest, &digest_len,
                                   EVP_sha256(), NULL) != 1)
        return NULL;
    return base64url_encode(digest, digest_len);
}

static cjose_jwk_t *
generate(const char *alg, unsigned bits)
{
    if (strcmp(alg, "ES256") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    if (strcmp(alg, "ES384") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, NULL);
    if (strcmp(alg, "ES512") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_521, NULL);
    return cjose_jwk_create_RSA_random(bits, NULL, 0, NULL);
}

static bool
set_text(json_t *object, const char *name, const char *text)
{
    return json_object_set_new(object, name, json_string(text)) == 0;
}

json_t *
jwk_make(const char *alg, unsigned bits)
{
    cjose_jwk_t *key = generate(alg, bits);
    struct decode_fault fault;
    json_t *jwk = NULL;
    auto_char *text = NULL;
    auto_char *kid = NULL;

    if (key == NULL)
        return NULL;
    text = cjose_jwk_to_json(key, true, NULL);
    (void)cjose_jwk_release(key);
    if (text == NULL || decode_json(text, strlen(text), &jwk, &fault) != ERR_OK)
        return NULL;
    kid = jwk_thumbprint(jwk);
    if (kid == NULL || !set_text(jwk, "kid", kid) ||
        !set_text(jwk, "alg", alg) || !set_text(jwk, "use", "sig")) {
        json_decref(jwk);
        return NULL;
    }
    return jwk;
}
