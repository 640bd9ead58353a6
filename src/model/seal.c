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
copy(const char *value, size_t len, char **copy_out)
{
    char *text = strndup(value, len);

    if (text == NULL)
        return ERR_NOMEM;
    *copy_out = text;
    return ERR_OK;
}

/* The value, and in it the secret; NULL if it has none. ERR_SEALED: it is
 * nothing that was ever stored. */
static enum err
load(const struct config_key *key, const char *value, size_t len,
     json_t **value_out, json_t **secret_out)
{
    struct decode_fault fault;
    json_t *json = NULL;
    enum err err = decode_json(value, len, &json, &fault);

    if (err != ERR_OK) {
        json_decref(json);
        return ERR_SEALED;
    }
    *value_out = json;
    *secret_out = json_object_get(json, key->secret);
    return ERR_OK;
}

/* Jansson does not wipe what it frees. */
static void
wipe(const json_t *secret)
{
    if (json_is_string(secret))
        explicit_bzero((void *)(uintptr_t)json_string_value(secret),
                       json_string_length(secret));
}

/* Puts secret, which it takes, in its place, and gives the text. */
static enum err
put(const struct config_key *key, json_t *value, json_t *secret,
    char **text_out)
{
    /* Also if it is NULL, for there was no memory. */
    if (json_object_set_new(value, key->secret, secret) != 0)
        return ERR_NOMEM;
    return config_key_encode(value, text_out);
}

static struct secrets_place
place_of(const struct seal *seal)
{
    return (struct secrets_place){seal->tenant, seal->key->name,
                                  seal->key->secret};
}

/* Seals the secret of the value, which is a string. */
static enum err
close_secret(const struct seal *seal, json_t *value, json_t *secret,
             char **sealed_out)
{
    const struct secrets_place place = place_of(seal);
    auto_char *data =
        secrets_seal(seal->secrets, &place, json_string_value(secret),
                     json_string_length(secret));

    wipe(secret);
    if (data == NULL)
        return ERR_NOMEM;
    return put(seal->key, value,
               json_pack("{s:{s:s,s:s}}", "sealed", "kid",
                         secrets_kid(seal->secrets), "data", data),
               sealed_out);
}

enum err
seal_value(const struct seal *seal, const char *value, size_t len,
           char **sealed_out)
{
    json_auto_t *json = NULL;
    json_t *secret;
    enum err err;

    if (seal->key->secret == NULL || seal->secrets == NULL)
        return copy(value, len, sealed_out);
    err = load(seal->key, value, len, &json, &secret);
    if (err != ERR_OK)
        return err;
    if (!json_is_string(secret))
        return copy(value, len, sealed_out);
    return close_secret(seal, json, secret, sealed_out);
}

static enum err
fail(const char *reason, struct seal_fault *fault_out)
{
    fault_out->reason = reason;
    return ERR_SEALED;
}

/* The parts of what stands in place of a secret. */
static enum err
read_sealed(const json_t *secret, const char **kid_out, const char **data_out,
            struct seal_fault *fault_out)
{
    const json_t *sealed = json_object_get(secret, "sealed");
    const char *kid = json_string_value(json_object_get(sealed, "kid"));
    const char *data = json_string_value(json_object_get(sealed, "data"));

    if (kid == NULL || data == NULL || strlen(kid) > SECRETS_KID_MAX ||
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
    const struct secrets_place place = place_of(seal);
    const char *data;
    char *text = NULL;
    size_t len;
    enum err err = read_sealed(secret, kid_out, &data, fault_out);

    if (err != ERR_OK)
        return err;
    if (seal->secrets == NULL)
        return fail("no secret keys are set", fault_out);
    err = secrets_unseal(seal->secrets, &place, *kid_out, data, &text, &len);
    if (err == ERR_NOTFOUND)
        return fail("there is no such secret key", fault_out);
    if (err == ERR_INVALID)
        return fail("it is damaged, or another tenant's, key's or secret key's",
                    fault_out);
    if (err != ERR_OK)
        return err;
    *opened_out = json_stringn(text, len); /* UTF-8, as it was sealed */
    explicit_bzero(text, len);
    free(text);
    return *opened_out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
seal_open(const struct seal *seal, const char *stored, size_t len,
          char **value_out, struct seal_fault *fault_out)
{
    json_auto_t *json = NULL;
    json_t *secret, *opened;
    const char *kid;
    enum err err;

    *fault_out = (struct seal_fault){.kid = ""};
    if (seal->key->secret == NULL)
        return copy(stored, len, value_out);
    err = load(seal->key, stored, len, &json, &secret);
    if (err == ERR_SEALED)
        return fail("the stored value is malformed", fault_out);
    if (err != ERR_OK)
        return err;
    if (json_is_string(secret)) {
        wipe(secret);
        return copy(stored, len, value_out);
    }
    err = open_secret(seal, secret, &kid, &opened, fault_out);
    if (err != ERR_OK)
        return err;
    err = put(seal->key, json, opened, value_out);
    wipe(json_object_get(json, seal->key->secret));
    return err;
}

/* True if the first key has sealed it. */
static bool
is_current(const struct seal *seal, const char *kid)
{
    return strcmp(kid, secrets_kid(seal->secrets)) == 0;
}

enum err
seal_renew(const struct seal *seal, const char *stored, size_t len,
           char **renewed_out, struct seal_fault *fault_out)
{
    json_auto_t *json = NULL;
    json_t *secret, *opened = NULL;
    const char *kid = "";
    enum err err;

    *fault_out = (struct seal_fault){.kid = ""};
    if (seal->key->secret == NULL) {
        *renewed_out = NULL;
        return ERR_OK;
    }
    err = load(seal->key, stored, len, &json, &secret);
    if (err == ERR_SEALED)
        return fail("the stored value is malformed", fault_out);
    if (err != ERR_OK)
        return err;
    if (json_is_string(secret))
        return close_secret(seal, json, secret, renewed_out);
    err = open_secret(seal, secret, &kid, &opened, fault_out);
    if (err != ERR_OK)
        return err;
    if (is_current(seal, kid))
        *renewed_out = NULL;
    else
        err = close_secret(seal, json, opened, renewed_out);
    wipe(opened);
    json_decref(opened);
    return err;
}

enum err
seal_mask(const struct config_key *key, const char *value, size_t len,
          char **masked_out)
{
    json_auto_t *json = NULL;
    json_t *secret;
    enum err err;

    if (key->secret == NULL)
        return copy(value, len, masked_out);
    err = load(key, value, len, &json, &secret);
    if (err != ERR_OK)
        return err;
    if (secret == NULL)
        return copy(value, len, masked_out);
    wipe(secret);
    return put(key, json, json_string(SEAL_MASK), masked_out);
}

enum err
seal_is_masked(const struct config_key *key, const char *value, size_t len,
               bool *is_masked_out)
{
    json_auto_t *json = NULL;
    json_t *secret;
    enum err err;

    if (key->secret == NULL) {
        *is_masked_out = false;
        return ERR_OK;
    }
    err = load(key, value, len, &json, &secret);
    if (err != ERR_OK)
        return err;
    *is_masked_out = json_is_string(secret) &&
                     strcmp(json_string_value(secret), SEAL_MASK) == 0;
    wipe(secret);
    return ERR_OK;
}

/* A secret that is sealed counts as if it were open: a fourth less, and without
 * what is around it. */
static bool
is_too_long(const char *value, const json_t *secret)
{
    const json_t *sealed = json_object_get(secret, "sealed");
    const char *data = json_string_value(json_object_get(sealed, "data"));
    size_t len = strlen(value);

    if (data == NULL)
        return len > CONFIG_VALUE_MAX;
    return len - strlen(data) / 4 >
           CONFIG_VALUE_MAX + SEALED_AROUND + SECRETS_KID_MAX;
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
seal_keep(const struct config_key *key, const char *value, size_t len,
          const char *from, size_t from_len, char **kept_out)
{
    json_auto_t *json = NULL;
    json_auto_t *other = NULL;
    json_t *secret, *kept;
    char *text = NULL;
    enum err err = load(key, value, len, &json, &secret);

    if (err == ERR_OK)
        err = load(key, from, from_len, &other, &kept);
    if (err != ERR_OK)
        return err;
    err = check_recipient(key, json, other);
    if (err == ERR_OK)
        err = put(key, json, json_incref(kept), &text);
    if (err == ERR_OK && is_too_long(text, kept)) {
        seal_free(text);
        err = ERR_TOOBIG;
    }
    wipe(kept);
    if (err == ERR_OK)
        *kept_out = text;
    return err;
}

void
seal_free(char *value)
{
    if (value != NULL)
        explicit_bzero(value, strlen(value));
    free(value);
}
