// SPDX-License-Identifier: MIT
#include "model/seal.h"

#include "base/util.h"
#include "json/decode.h"
#include "model/uri.h"

#include <stdint.h>

/* Bytes that are there for a sealed secret besides its own and the kid: names,
 * nonce, tag. At least so many. */
#define SEALED_AROUND 128

static enum err
fail(const char *reason, struct seal_fault *fault_out)
{
    fault_out->reason = reason;
    return ERR_SEALED;
}

enum err
seal_load(const char *stored, size_t len, json_t **value_out,
          struct seal_fault *fault_out)
{
    struct decode_fault fault;
    json_t *value = NULL;

    if (decode_json(stored, len, &value, &fault) != ERR_OK) {
        json_decref(value);
        *fault_out = (struct seal_fault){.kid = ""};
        return fail("the stored value is malformed", fault_out);
    }
    *value_out = value;
    return ERR_OK;
}

static json_t *
secret_of(const struct config_key *key, const json_t *value)
{
    return key->secret != NULL ? json_object_get(value, key->secret) : NULL;
}

/* Jansson does not wipe what it frees; what others still have is theirs. */
static void
wipe_last(const json_t *secret)
{
    if (json_is_string(secret) && secret->refcount == 1)
        explicit_bzero((void *)(uintptr_t)json_string_value(secret),
                       json_string_length(secret));
}

/* Puts secret, which it takes, in its place. */
static enum err
put(const struct config_key *key, json_t *value, json_t *secret)
{
    wipe_last(secret_of(key, value));
    /* Also if it is NULL, for there was no memory. */
    return json_object_set_new(value, key->secret, secret) == 0 ? ERR_OK
                                                                : ERR_NOMEM;
}

static struct key_ring_place
place_of(const struct seal *seal)
{
    return (struct key_ring_place){seal->tenant, seal->key->name,
                                   seal->key->secret};
}

enum err
seal_close(const struct seal *seal, json_t *value)
{
    const json_t *secret = secret_of(seal->key, value);
    const struct key_ring_place place = place_of(seal);
    auto_char *data = NULL;

    if (seal->secrets == NULL || !json_is_string(secret))
        return ERR_OK;
    data = key_ring_seal(seal->secrets, &place, json_string_value(secret),
                         json_string_length(secret));
    if (data == NULL)
        return ERR_NOMEM;
    return put(seal->key, value,
               json_pack("{s:{s:s,s:s}}", "sealed", "kid",
                         key_ring_kid(seal->secrets), "data", data));
}

/* The parts of what stands in place of a secret. */
static enum err
read_sealed(const json_t *secret, const char **kid_out, const char **data_out,
            struct seal_fault *fault_out)
{
    const json_t *sealed = json_object_get(secret, "sealed");
    const char *kid = json_string_value(json_object_get(sealed, "kid"));
    const char *data = json_string_value(json_object_get(sealed, "data"));

    if (kid == NULL || data == NULL || strlen(kid) > KEY_RING_KID_MAX ||
        json_object_size(secret) != 1 || json_object_size(sealed) != 2)
        return fail("the stored value is malformed", fault_out);
    memcpy(fault_out->kid, kid, strlen(kid) + 1);
    *kid_out = kid;
    *data_out = data;
    return ERR_OK;
}

/* A new string of what is sealed; *kid_out lives as long as secret. */
static enum err
open_secret(const struct seal *seal, const json_t *secret, const char **kid_out,
            json_t **opened_out, struct seal_fault *fault_out)
{
    const struct key_ring_place place = place_of(seal);
    const char *data;
    char *text = NULL;
    size_t len;
    enum err err = read_sealed(secret, kid_out, &data, fault_out);

    if (err != ERR_OK)
        return err;
    if (seal->secrets == NULL)
        return fail("no secret keys are set", fault_out);
    err = key_ring_unseal(seal->secrets, &place, *kid_out, data, &text, &len);
    if (err == ERR_NOTFOUND)
        return fail("there is no such secret key", fault_out);
    if (err == ERR_INVALID)
        return fail("it is damaged, or belongs to another tenant, config key "
                    "or secret key",
                    fault_out);
    if (err != ERR_OK)
        return err;
    *opened_out = json_stringn(text, len); /* UTF-8, as it was sealed */
    explicit_bzero(text, len);
    free(text);
    return *opened_out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
seal_open(const struct seal *seal, json_t *value, struct seal_fault *fault_out)
{
    const json_t *secret = secret_of(seal->key, value);
    json_t *opened;
    const char *kid;
    enum err err;

    *fault_out = (struct seal_fault){.kid = ""};
    if (seal->key->secret == NULL || json_is_string(secret))
        return ERR_OK;
    err = open_secret(seal, secret, &kid, &opened, fault_out);
    return err == ERR_OK ? put(seal->key, value, opened) : err;
}

enum err
seal_renew(const struct seal *seal, json_t *value, bool *is_renewed_out,
           struct seal_fault *fault_out)
{
    const json_t *secret = secret_of(seal->key, value);
    json_t *opened = NULL;
    const char *kid = "";
    enum err err = ERR_OK;

    *fault_out = (struct seal_fault){.kid = ""};
    *is_renewed_out = seal->key->secret != NULL;
    if (seal->key->secret == NULL || json_is_string(secret))
        return seal_close(seal, value);
    err = open_secret(seal, secret, &kid, &opened, fault_out);
    if (err != ERR_OK)
        return err;
    *is_renewed_out = strcmp(kid, key_ring_kid(seal->secrets)) != 0;
    if (!*is_renewed_out) {
        wipe_last(opened);
        json_decref(opened);
        return ERR_OK;
    }
    err = put(seal->key, value, opened);
    return err == ERR_OK ? seal_close(seal, value) : err;
}

enum err
seal_mask(const struct config_key *key, json_t *value)
{
    if (secret_of(key, value) == NULL)
        return ERR_OK;
    return put(key, value, json_string(SEAL_MASK));
}

bool
seal_is_open(const struct config_key *key, const json_t *value)
{
    return json_is_string(secret_of(key, value));
}

bool
seal_is_masked(const struct config_key *key, const json_t *value)
{
    const char *secret = json_string_value(secret_of(key, value));

    return secret != NULL && strcmp(secret, SEAL_MASK) == 0;
}

/* ERR_TOOBIG: with the secret, the value is. A secret that is sealed counts as
 * if it were open: a fourth less, and without what is around it. */
static enum err
check_size(const json_t *value, const json_t *secret)
{
    const json_t *sealed = json_object_get(secret, "sealed");
    const json_t *data = json_object_get(sealed, "data");
    size_t max = CONFIG_VALUE_MAX;
    size_t len;
    enum err err = config_key_measure(value, &len);

    if (data != NULL)
        max += SEALED_AROUND + KEY_RING_KID_MAX + json_string_length(data) / 4;
    return err == ERR_OK && len > max ? ERR_TOOBIG : err;
}

/* ERR_DENIED: a secret of from would be sent to another server. */
static enum err
check_recipient(const struct config_key *key, const json_t *value,
                const json_t *from)
{
    const char *to = json_string_value(json_object_get(value, key->recipient));
    const char *before =
        json_string_value(json_object_get(from, key->recipient));
    bool is_same = false;
    enum err err = ERR_OK;

    if (to != NULL && before != NULL)
        err = uri_is_same_server(to, before, &is_same);
    return err == ERR_OK && !is_same ? ERR_DENIED : err;
}

enum err
seal_keep(const struct config_key *key, json_t *value, const json_t *from)
{
    json_t *kept = secret_of(key, from);
    enum err err =
        kept != NULL ? check_recipient(key, value, from) : ERR_SEALED;

    if (err == ERR_OK)
        err = put(key, value, json_incref(kept));
    return err == ERR_OK ? check_size(value, kept) : err;
}

void
seal_drop(const struct config_key *key, json_t *value)
{
    if (value != NULL && value->refcount == 1)
        wipe_last(secret_of(key, value));
    json_decref(value);
}

void
seal_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}
