// SPDX-License-Identifier: MIT
#include "setting/jsonl.h"

#include "base/util.h"
#include "json/decode.h"
#include "json/messages.h"
#include "json/schema.h"
#include "json/text.h"
#include "model/seal.h"
#include "model/tenant.h"

#include <errno.h>

void
jsonl_setting_clear(struct jsonl_setting *setting)
{
    if (setting->key != NULL)
        seal_drop(setting->key, setting->value);
    *setting = (struct jsonl_setting){.value = NULL};
}

int
jsonl_compare(const struct jsonl_setting *a, const struct jsonl_setting *b)
{
    int order = strcmp(a->tenant, b->tenant);

    return order != 0 ? order : strcmp(a->key->name, b->key->name);
}

bool
jsonl_add(struct buf *text, const char *tenant, const char *key,
          const struct record *record)
{
    return json_text_add(text, "{\"tenant\":") &&
           json_text_add_string(text, tenant) &&
           json_text_add(text, ",\"key\":") &&
           json_text_add_string(text, key) &&
           json_text_add(text, ",\"value\":") &&
           buf_add(text, record->value, record->value_len) &&
           json_text_add(text, ",\"version\":") &&
           json_text_add_number(text, record->version) &&
           json_text_add(text, ",\"updated_at\":") &&
           json_text_add_time(text, record->updated_at) &&
           json_text_add(text, "}\n");
}

bool
jsonl_open(struct jsonl *jsonl, FILE *stream)
{
    *jsonl = (struct jsonl){.stream = stream};
    jsonl->text = malloc(JSONL_LINE_MAX);
    return jsonl->text != NULL;
}

void
jsonl_close(struct jsonl *jsonl)
{
    free(jsonl->text);
}

/* What editors put before the first line (U+FEFF), and behind the last. */
static void
skip_mark(struct jsonl *jsonl, size_t *len)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (jsonl->number > 1 || *len < strlen(mark) ||
        memcmp(jsonl->text, mark, strlen(mark)) != 0)
        return;
    *len -= strlen(mark);
    memmove(jsonl->text, jsonl->text + strlen(mark), *len);
}

static bool
is_blank_end(const struct jsonl *jsonl, size_t len)
{
    int c;

    if (len > 1 || (len == 1 && jsonl->text[0] != '\r'))
        return false;
    c = getc_unlocked(jsonl->stream);
    if (c != EOF)
        (void)ungetc(c, jsonl->stream); /* one always can be */
    return c == EOF && !ferror(jsonl->stream);
}

/* Reads up to the line's end, of which what fits is in text. */
static enum err
read_text(struct jsonl *jsonl, size_t *len_out)
{
    size_t len = 0;
    int c;

    while ((c = getc_unlocked(jsonl->stream)) != EOF && c != '\n') {
        if (len < JSONL_LINE_MAX)
            jsonl->text[len] = (char)c;
        len++;
    }
    if (ferror(jsonl->stream))
        return ERR_STORE;
    if (c == EOF && len == 0)
        return ERR_NOTFOUND;
    jsonl->number++;
    jsonl->offset += len + (c == '\n');
    *len_out = len;
    return ERR_OK;
}

static enum err
read_tenant(const struct jsonl *jsonl, json_t *name, json_t *messages,
            struct jsonl_setting *setting)
{
    const char *text = json_string_value(name);

    (void)jsonl;
    if (text == NULL || !tenant_read(text, strlen(text), setting->tenant))
        return messages_add(messages, "tenant: " TENANT_RULE);
    return ERR_OK;
}

static enum err
read_key(const struct jsonl *jsonl, json_t *name, json_t *messages,
         struct jsonl_setting *setting)
{
    const char *text = json_string_value(name);

    (void)jsonl;
    setting->key = text != NULL ? config_key_find(text) : NULL;
    if (setting->key == NULL)
        return messages_add(messages, "key: must be the name of a config key");
    return ERR_OK;
}

/* What was exported encrypted: opened, or as it is. */
static enum err
open_value(const struct jsonl *jsonl, json_t *value, json_t *messages,
           struct jsonl_setting *setting)
{
    const struct seal seal = {jsonl->secrets, setting->tenant, setting->key};
    struct seal_fault fault;
    enum err err = seal_open(&seal, value, &fault);

    if (err == ERR_SEALED && jsonl->keeps_sealed) {
        setting->value = json_incref(value);
        return ERR_OK;
    }
    if (err == ERR_SEALED)
        return messages_add(messages, "value.%s: cannot be decrypted: %s",
                            setting->key->secret, fault.reason);
    return err;
}

/* A text of so few bytes is no longer than a value may be, whatever it holds:
 * JSON makes at most six of one in a secret that was sealed. */
static enum err
check_size(const struct jsonl_setting *setting, json_t *messages)
{
    size_t len = 0;
    enum err err = ERR_OK;

    if (setting->size > CONFIG_VALUE_MAX / 6)
        err = config_key_measure(setting->value, &len);
    if (err == ERR_OK && len > CONFIG_VALUE_MAX)
        err = messages_add(messages, "value: must be at most %d bytes",
                           CONFIG_VALUE_MAX);
    return err;
}

static enum err
read_value(const struct jsonl *jsonl, json_t *value, json_t *messages,
           struct jsonl_setting *setting)
{
    const struct config_key *key = setting->key;
    enum err err = ERR_OK;

    if (value == NULL)
        return messages_add(messages, "value: is required");
    if (key == NULL || *setting->tenant == '\0')
        return ERR_INVALID; /* it is known already what is wrong */
    if (key->secret != NULL &&
        json_is_object(json_object_get(value, key->secret)))
        err = open_value(jsonl, value, messages, setting);
    if (err == ERR_OK && setting->value == NULL)
        err = config_key_check_json(key, value, &jsonl->rules, messages,
                                    &setting->value);
    if (err == ERR_OK && !jsonl->keeps_sealed)
        err = check_size(setting, messages);
    return err;
}

static enum err
read_version(const struct jsonl *jsonl, json_t *version, json_t *messages,
             struct jsonl_setting *setting)
{
    (void)jsonl;
    if (version == NULL)
        return ERR_OK;
    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return messages_add(messages, "version: must be an integer from 1");
    setting->version = (uint64_t)json_integer_value(version);
    return ERR_OK;
}

static enum err
read_time(const struct jsonl *jsonl, json_t *time, json_t *messages,
          struct jsonl_setting *setting)
{
    (void)jsonl;
    (void)setting; /* it is for people */
    if (time != NULL && !json_is_string(time))
        return messages_add(messages, "updated_at: must be a string");
    return ERR_OK;
}

/* A line's members, in the order in which they are looked at. */
static const struct {
    const char *name;
    enum err (*read)(const struct jsonl *jsonl, json_t *json, json_t *messages,
                     struct jsonl_setting *setting);
} members[] = {
    {"tenant", read_tenant},   {"key", read_key},         {"value", read_value},
    {"version", read_version}, {"updated_at", read_time},
};

static enum err
check_names(json_t *root, json_t *messages)
{
    enum err err = ERR_OK;
    const char *name;
    json_t *member;

    json_object_foreach(root, name, member)
    {
        size_t i = 0;

        while (i < ARRAY_SIZE(members) && strcmp(name, members[i].name) != 0)
            i++;
        if (i == ARRAY_SIZE(members) && err != ERR_NOMEM)
            err = messages_add_unknown(messages, "", name);
    }
    return err;
}

/* All that is wrong, not just the first. */
static enum err
read_members(const struct jsonl *jsonl, json_t *root, json_t *messages,
             struct jsonl_setting *setting)
{
    enum err err;

    if (!json_is_object(root))
        return messages_add(messages, "must be an object");
    err = check_names(root, messages);
    for (size_t i = 0; err != ERR_NOMEM && i < ARRAY_SIZE(members); i++) {
        enum err read = members[i].read(
            jsonl, json_object_get(root, members[i].name), messages, setting);

        if (read != ERR_OK)
            err = read;
    }
    return err;
}

static enum err
read_setting(const struct jsonl *jsonl, size_t len, json_t *messages,
             struct jsonl_setting *setting)
{
    struct decode_fault fault;
    json_auto_t *root = NULL;
    enum err decoded = decode_json(jsonl->text, len, &root, &fault);
    enum err err = ERR_OK;

    if (decoded != ERR_BADREQ)
        err = read_members(jsonl, root, messages, setting);
    /* Also for a number out of range that no rule of the value named. */
    if (err == ERR_OK && decoded != ERR_OK)
        err = messages_add(messages, "%s at column %zu", fault.text,
                           fault.column);
    return err;
}

enum err
jsonl_read(struct jsonl *jsonl, json_t *messages,
           struct jsonl_setting *setting_out)
{
    struct jsonl_setting setting = {.value = NULL};
    size_t len = 0;
    enum err err = read_text(jsonl, &len);

    if (err != ERR_OK)
        return err;
    if (is_blank_end(jsonl, len))
        return ERR_NOTFOUND;
    if (len <= JSONL_LINE_MAX)
        skip_mark(jsonl, &len);
    if (len > JSONL_LINE_MAX)
        return messages_add(messages, "is longer than %zu bytes",
                            JSONL_LINE_MAX);
    setting.line = jsonl->number;
    setting.size = len;
    err = read_setting(jsonl, len, messages, &setting);
    if (err == ERR_OK)
        *setting_out = setting;
    else
        jsonl_setting_clear(&setting);
    return err;
}
