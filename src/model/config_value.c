// SPDX-License-Identifier: MIT
/* Values of config keys: what may be one, and what they are as text. */
#include "model/config_keys.h"

#include "base/buf.h"
#include "base/timestamp.h"
#include "base/util.h"
#include "json/messages.h"
#include "model/body.h"
#include "model/uri.h"

#include <string.h>

/* Of a canonical text. */
#define ENCODING ((size_t)(JSON_COMPACT | JSON_ENCODE_ANY))

/* Nearly all values have less, and are encoded at the first try. */
#define USUAL_SIZE 512

static bool
has_name(const struct config_key *key, const char *name)
{
    return strcmp(name, "value") == 0 ||
           (key->is_flat && schema_find(&key->value, name) != NULL);
}

static enum err
check_names(const struct config_key *key, json_t *root, json_t *messages)
{
    enum err err = ERR_OK;

    for (void *at = json_object_iter(root); at != NULL && err != ERR_NOMEM;
         at = json_object_iter_next(root, at)) {
        const char *name = json_object_iter_key(at);

        if (!has_name(key, name))
            err = messages_add_unknown(messages, "", name);
    }
    return err;
}

/* True if the body holds a member of the value at its top. */
static bool
is_flat_body(const struct config_key *key, const json_t *root)
{
    if (!key->is_flat)
        return false;
    for (const struct schema_member *member = key->value.members;
         member->name != NULL; member++)
        if (json_object_get(root, member->name) != NULL)
            return true;
    return false;
}

/* Both shapes in one body must say the same. */
static enum err
check_agree(const struct config_key *key, const json_t *nested,
            const json_t *flat, json_t *messages)
{
    enum err err = ERR_OK;

    for (const struct schema_member *member = key->value.members;
         member->name != NULL && err != ERR_NOMEM; member++) {
        const json_t *one = json_object_get(nested, member->name);
        const json_t *other = json_object_get(flat, member->name);

        if (one != other && !json_equal(one, other))
            err = messages_add(messages, "value.%s: differs from %s",
                               member->name, member->name);
    }
    return err;
}

/* Appends that the member must have one of the schemes. */
static enum err
add_scheme_fault(json_t *messages, const char *path, const char *member,
                 const char *schemes)
{
    struct buf text = {0};
    enum err err = ERR_NOMEM;
    bool is_complete = true;

    for (const char *at = schemes; is_complete && *at != '\0'; at++)
        is_complete =
            *at == ',' ? buf_add(&text, " or ", 4) : buf_add(&text, at, 1);
    if (is_complete)
        err = messages_add(messages, "%s.%s: must have the scheme %.*s", path,
                           member, (int)text.len, text.data);
    buf_clear(&text);
    return err;
}

/* What whoever runs the service demands of whom a secret is sent to. */
static enum err
check_recipient(const struct config_key *key, const json_t *value,
                const char *path, const struct config_rules *rules,
                json_t *messages)
{
    const char *uri;

    if (key->recipient == NULL || rules->schemes == NULL)
        return ERR_OK;
    uri = json_string_value(json_object_get(value, key->recipient));
    if (uri == NULL || uri_has_scheme(uri, rules->schemes))
        return ERR_OK; /* if there is none, the schema says so */
    return add_scheme_fault(messages, path, key->recipient, rules->schemes);
}

/* Checks a value by itself; path is where it stands. */
static enum err
check_bare(const struct config_key *key, const json_t *value, const char *path,
           const struct config_rules *rules, json_t *messages,
           json_t **canonical_out)
{
    json_auto_t *canonical = NULL;
    enum err recipient_err = ERR_OK;
    enum err err = validate(&key->value, value, path, rules->is_strict,
                            messages, &canonical);

    if (err != ERR_NOMEM)
        recipient_err = check_recipient(key, value, path, rules, messages);
    err = err_first(err, recipient_err);
    if (err == ERR_OK)
        *canonical_out = json_incref(canonical);
    return err;
}

/* Checks the value in either shape; every violation of both is listed. */
static enum err
check_value(const struct config_key *key, const json_t *root,
            const struct config_rules *rules, json_t *messages,
            json_t **canonical_out)
{
    json_auto_t *nested = NULL;
    json_auto_t *flat = NULL;
    const json_t *value = json_object_get(root, "value");
    bool is_flat = is_flat_body(key, root);
    enum err err = ERR_OK;
    enum err flat_err = ERR_OK;

    if (value != NULL)
        err = check_bare(key, value, "value", rules, messages, &nested);
    else if (!is_flat)
        return messages_add(
            messages, "value: is required%s",
            key->is_flat ? ", or its members at the top of the body" : "");
    if (is_flat && err != ERR_NOMEM)
        flat_err = validate(&key->value, root, "", false, messages, &flat);
    err = err_first(err, flat_err);
    if (err == ERR_OK && nested != NULL && flat != NULL)
        err = check_agree(key, nested, flat, messages);
    if (err == ERR_OK)
        *canonical_out = json_incref(nested != NULL ? nested : flat);
    return err;
}

enum err
config_key_measure(const json_t *value, size_t *len_out)
{
    size_t len = json_dumpb(value, NULL, 0, ENCODING);

    if (len == 0)
        return ERR_NOMEM;
    *len_out = len;
    return ERR_OK;
}

enum err
config_key_encode(const json_t *value, char **text_out)
{
    size_t size = USUAL_SIZE;
    char *text = malloc(size);
    /* Not json_dumps: its memory need not be from malloc. */
    size_t len = text != NULL ? json_dumpb(value, text, size - 1, ENCODING) : 0;

    if (len >= size) {
        explicit_bzero(text, size); /* there may be a secret in what fitted */
        free(text);
        size = len + 1;
        text = malloc(size);
        len = text != NULL ? json_dumpb(value, text, len, ENCODING) : 0;
    }
    if (len == 0) {
        free(text);
        return ERR_NOMEM;
    }
    text[len] = '\0';
    *text_out = text;
    return ERR_OK;
}

/* What a body is checked against. */
struct expected {
    const struct config_key *key;
    const struct config_rules *rules;
};

/* A body: the value, in either shape. */
static enum err
check_body(const void *ctx, json_t *root, bool is_strict, json_t *messages,
           json_t **canonical_out)
{
    const struct expected *expected = ctx;
    const struct config_key *key = expected->key;
    json_auto_t *canonical = NULL;
    enum err names_err = ERR_OK;
    enum err err;

    if (!json_is_object(root))
        return messages_add(messages, "body: must be an object");
    err = check_value(key, root, expected->rules, messages, &canonical);
    if (is_strict && err != ERR_NOMEM)
        names_err = check_names(key, root, messages);
    err = err_first(err, names_err);
    if (err == ERR_OK)
        *canonical_out = json_incref(canonical);
    return err;
}

/* A value by itself. */
static enum err
check_text(const void *ctx, json_t *root, bool is_strict, json_t *messages,
           json_t **canonical_out)
{
    const struct expected *expected = ctx;

    (void)is_strict; /* the rules have it */
    return check_bare(expected->key, root, "value", expected->rules, messages,
                      canonical_out);
}

enum err
config_key_parse(const struct config_key *key, const char *body, size_t len,
                 const struct config_rules *rules, json_t *messages,
                 json_t **value_out)
{
    const struct expected expected = {key, rules};

    return body_parse(body, len, rules->is_strict, check_body, &expected,
                      messages, value_out);
}

enum err
config_key_check(const struct config_key *key, const char *text, size_t len,
                 const struct config_rules *rules, json_t *messages,
                 json_t **value_out)
{
    const struct expected expected = {key, rules};

    return body_parse(text, len, rules->is_strict, check_text, &expected,
                      messages, value_out);
}

enum err
config_key_check_json(const struct config_key *key, const json_t *value,
                      const struct config_rules *rules, json_t *messages,
                      json_t **value_out)
{
    return check_bare(key, value, "value", rules, messages, value_out);
}

static char *
put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

char *
config_key_render(const struct config_key *key, const char *value,
                  size_t value_len, int64_t updated_at, size_t *len_out)
{
    static const char before[] = "{\"value\":";
    static const char between[] = ",\"updated_at\":\"";
    /* "{}" has no member to repeat. */
    bool has_members = key->is_flat && value_len > 2;
    char *body = malloc(sizeof(before) + value_len + sizeof(between) +
                        TIMESTAMP_LEN + value_len + sizeof("\",}"));
    char *at = body;

    if (body == NULL)
        return NULL;
    at = put(at, before, sizeof(before) - 1);
    at = put(at, value, value_len);
    at = put(at, between, sizeof(between) - 1);
    at = timestamp_put(at, updated_at);
    *at++ = '"';
    if (has_members) {
        *at++ = ',';
        at = put(at, value + 1, value_len - 2);
    }
    *at++ = '}';
    *at = '\0';
    *len_out = (size_t)(at - body);
    return body;
}
