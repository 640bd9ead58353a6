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

/* Makes the last key the twin of one before it that it cannot be told from. */
static void
link_twin(struct key_set *set)
{
    struct jwk *last = &set->keys[set->count - 1];

    for (struct jwk *key = set->keys; last->kid != NULL && key != last; key++) {
        if (key->kid != NULL && strcmp(key->kid, last->kid) == 0 &&
            key->alg == last->alg && key->twin == NULL) {
            key->twin = last;
            return;
        }
    }
}

/* What is told of the keys, and to whom. */
struct skip {
    key_set_skip_fn *fn;
    void *ctx;
};

static enum err
add(struct key_set *set, const json_t *json, const struct skip *skip,
    const char **why_out)
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
    if (err == ERR_NOMEM)
        return err;
    if (err == ERR_OK) {
        set->count++;
        link_twin(set);
    } else {
        set->skipped++;
        skip->fn(skip->ctx, json_string_value(json_object_get(json, "kid")),
                 unfit);
    }
    return ERR_OK;
}

enum err
key_set_parse(struct key_set *set, const char *text, size_t len,
              key_set_skip_fn *skip, void *ctx, const char **why_out)
{
    const struct skip told = {skip, ctx};
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
        err = add(set, key, &told, why_out);
        if (err != ERR_OK)
            return err;
    }
    if (set->count == 0 && set->skipped > 0) {
        *why_out = "holds no key that can be used";
        return ERR_INVALID;
    }
    return ERR_OK;
}

enum err
key_set_check(const char *text, size_t len, key_set_skip_fn *skip, void *ctx,
              size_t *count_out, const char **why_out)
{
    struct key_set set = {0};
    enum err err = key_set_parse(&set, text, len, skip, ctx, why_out);

    if (err != ERR_NOMEM && set.has_private)
        *why_out = "holds a private key";
    else if (err == ERR_OK && set.count == 0)
        *why_out = "holds no key";
    if (err == ERR_OK && (set.has_private || set.count == 0))
        err = ERR_INVALID;
    *count_out = set.count;
    key_set_clear(&set);
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

        if (key->kid == NULL || strcmp(key->kid, kid) != 0)
            continue;
        if (strcmp(key->alg, alg) == 0)
            return key;
        if (found == NULL)
            found = key;
    }
    return found;
}
