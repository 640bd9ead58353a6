// SPDX-License-Identifier: MIT
#include "auth/key_set.h"

#include "json/decode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 512

void
key_set_clear(struct key_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        jwk_clear(&set->keys[i]);
    free(set->keys);
    *set = (struct key_set){0};
}

static enum err
add(struct key_set *set, const json_t *json, const char **why_out)
{
    const char *unfit;
    enum err err;

    if (set->count == KEYS_MAX) {
        *why_out = "holds too many keys";
        return ERR_INVALID;
    }
    if (jwk_is_private(json))
        set->has_private = true;
    err = jwk_read(json, JWK_PUBLIC, &set->keys[set->count], &unfit);
    if (err == ERR_OK)
        set->count++;
    else if (err == ERR_INVALID)
        set->skipped++;
    return err == ERR_NOMEM ? err : ERR_OK;
}

enum err
key_set_parse(struct key_set *set, const char *text, size_t len,
              const char **why_out)
{
    struct decode_fault fault;
    json_auto_t *root = NULL;
    const json_t *keys, *key;
    enum err err;
    size_t i;

    err = decode_json(text, len, &root, &fault);
    if (err != ERR_OK) {
        *why_out = fault.text;
        return ERR_INVALID;
    }
    keys = json_object_get(root, "keys");
    if (!json_is_array(keys)) {
        *why_out = "has no array \"keys\"";
        return ERR_INVALID;
    }
    set->keys = calloc(json_array_size(keys) + 1, sizeof(*set->keys));
    if (set->keys == NULL)
        return ERR_NOMEM;
    json_array_foreach(keys, i, key)
    {
        err = add(set, key, why_out);
        if (err != ERR_OK)
            break;
    }
    return err;
}

enum err
key_set_check(const char *text, size_t len, size_t *count_out,
              const char **why_out)
{
    struct key_set set = {0};
    enum err err = key_set_parse(&set, text, len, why_out);
    size_t count = set.count;

    if (err == ERR_OK && set.has_private)
        *why_out = "holds a private key";
    else if (err == ERR_OK && count == 0)
        *why_out = "holds no key that can be used";
    if (err == ERR_OK && (set.has_private || count == 0))
        err = ERR_INVALID;
    key_set_clear(&set);
    if (err == ERR_OK)
        *count_out = count;
    return err;
}

const struct jwk *
key_set_find(const struct key_set *set, const char *kid, const char *alg)
{
    const struct jwk *found = NULL;

    if (kid == NULL)
        return set->count == 1 ? &set->keys[0] : NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct jwk *key = &set->keys[i];

        if (key->kid != NULL && strcmp(key->kid, kid) == 0 &&
            (found == NULL || strcmp(key->alg, alg) == 0))
            found = key;
    }
    return found;
}
