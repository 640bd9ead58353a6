// SPDX-License-Identifier: MIT
#include "seal_text.h"

#include <criterion/criterion.h>

struct seal
seal_of(const struct key_ring *secrets, const char *tenant, const char *key)
{
    return (struct seal){secrets, tenant, config_key_find(key)};
}

enum err
finish(const struct config_key *key, enum err err, json_t *json,
       char **text_out)
{
    if (err == ERR_OK)
        err = config_key_encode(json, text_out);
    seal_drop(key, json);
    return err;
}

enum err
text_close(const struct seal *seal, const char *value, size_t len,
           char **text_out)
{
    struct seal_fault fault;
    json_t *json = NULL;
    enum err err = seal_load(value, len, &json, &fault);

    if (err == ERR_OK)
        err = seal_close(seal, json);
    return finish(seal->key, err, json, text_out);
}

enum err
text_open(const struct seal *seal, const char *stored, size_t len,
          char **text_out, struct seal_fault *fault_out)
{
    json_t *json = NULL;
    enum err err = seal_load(stored, len, &json, fault_out);

    if (err == ERR_OK)
        err = seal_open(seal, json, fault_out);
    return finish(seal->key, err, json, text_out);
}

enum err
text_renew(const struct seal *seal, const char *stored, size_t len,
           char **text_out, struct seal_fault *fault_out)
{
    json_t *json = NULL;
    bool is_renewed = false;
    enum err err = seal_load(stored, len, &json, fault_out);

    if (err == ERR_OK)
        err = seal_renew(seal, json, &is_renewed, fault_out);
    if (err == ERR_OK && is_renewed)
        return finish(seal->key, err, json, text_out);
    seal_drop(seal->key, json);
    return err;
}

enum err
text_mask(const struct config_key *key, const char *value, size_t len,
          char **text_out)
{
    struct seal_fault fault;
    json_t *json = NULL;
    enum err err = seal_load(value, len, &json, &fault);

    if (err == ERR_OK)
        err = seal_mask(key, json);
    return finish(key, err, json, text_out);
}

enum err
text_is_masked(const struct config_key *key, const char *value, size_t len,
               bool *is_masked_out)
{
    struct seal_fault fault;
    json_t *json = NULL;
    enum err err = seal_load(value, len, &json, &fault);

    if (err == ERR_OK)
        *is_masked_out = seal_is_masked(key, json);
    seal_drop(key, json);
    return err;
}

enum err
text_keep(const struct config_key *key, const char *value, size_t len,
          const char *from, size_t from_len, char **text_out)
{
    struct seal_fault fault;
    json_t *json = NULL, *other = NULL;
    enum err err = seal_load(value, len, &json, &fault);

    if (err == ERR_OK)
        err = seal_load(from, from_len, &other, &fault);
    if (err == ERR_OK)
        err = seal_keep(key, json, other);
    seal_drop(key, other);
    return finish(key, err, json, text_out);
}

char *
sealed(const struct seal *seal, const char *value)
{
    char *text = NULL;

    cr_assert_eq(text_close(seal, value, strlen(value), &text), ERR_OK);
    return text;
}
