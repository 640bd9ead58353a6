// SPDX-License-Identifier: MIT
/* A key set, and each key in it. */
#include "file.h"

#include "auth/jwk.h"
#include "auth/jwks.h"
#include "base/util.h"

#include <string.h>

/* A key that was read as a public one is nothing else. */
static void
check_public(const struct jwk *key)
{
    cjose_err error = {0};
    auto_char *text = cjose_jwk_to_json(key->key, true, &error);
    json_auto_t *json = json_loads(text, 0, NULL);
    json_t *alg = json_string(key->alg);
    const char *why = NULL;
    struct jwk again;

    FUZZ_CHECK(json != NULL && !jwk_is_private(json));
    FUZZ_CHECK(json_object_set_new(json, "alg", alg) == 0);
    FUZZ_CHECK(jwk_read(json, JWK_PUBLIC, &again, &why) == ERR_OK);
    FUZZ_CHECK(again.signature_len == key->signature_len);
    jwk_clear(&again);
}

static void
check_key(const json_t *json, enum jwk_part part)
{
    const char *why = NULL;
    struct jwk key;
    enum err err = jwk_read(json, part, &key, &why);

    FUZZ_CHECK(err == ERR_OK || err == ERR_INVALID);
    FUZZ_CHECK(err == ERR_OK || why != NULL);
    if (err != ERR_OK)
        return;
    FUZZ_CHECK(key.key != NULL && key.alg == jwk_find_alg(key.alg));
    FUZZ_CHECK(key.signature_len >= 64 && key.signature_len <= 2048);
    if (part == JWK_PUBLIC)
        check_public(&key);
    jwk_clear(&key);
}

/* The set as a file, and what a token's header may ask it for. */
static void
check_set(const json_t *keys)
{
    struct jwks *jwks = jwks_new(FILE_TEMPLATE);
    const json_t *json;
    size_t i;

    json_array_foreach(keys, i, json)
    {
        const char *kid = json_string_value(json_object_get(json, "kid"));
        const struct jwk *key = NULL;
        uint64_t generation;
        enum err err =
            jwks_find(jwks, FILE_TENANT, kid, "ES256", &key, &generation);

        FUZZ_CHECK(err == ERR_OK || err == ERR_NOTFOUND);
        if (err == ERR_OK && kid != NULL)
            FUZZ_CHECK(strcmp(key->kid, kid) == 0);
        if (i == 8)
            break;
    }
    if (!json_is_array(keys)) {
        const struct jwk *key;
        uint64_t generation;

        FUZZ_CHECK(jwks_find(jwks, FILE_TENANT, NULL, "ES256", &key,
                             &generation) == ERR_NOTFOUND);
    }
    jwks_free(jwks);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *root =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *keys = json_object_get(root, "keys");
    const json_t *json;
    size_t i;

    file_write(data, size);
    check_set(keys);
    json_array_foreach(keys, i, json)
    {
        check_key(json, JWK_PUBLIC);
        check_key(json, JWK_PRIVATE);
    }
    return 0;
}
