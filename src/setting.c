// SPDX-License-Identifier: MIT
#include "setting.h"

#include "json_text.h"
#include "log.h"

#include <string.h>
#include <time.h>

const char *
setting_value(const struct config_key *key, const struct record *record)
{
    return record_is_set(record) ? record->value : key->unset;
}

int64_t
setting_time(const struct record *record)
{
    return record_is_set(record) ? record->updated_at : 0;
}

bool
setting_add(struct buf *json, const struct config_key *key,
            const struct record *record)
{
    const char *value = setting_value(key, record);

    return json_text_add(json, "{\"value\":") &&
           json_text_add(json, value != NULL ? value : "null") &&
           json_text_add(json, ",\"updated_at\":") &&
           json_text_add_time(json, setting_time(record)) &&
           json_text_add(json, ",\"version\":") &&
           json_text_add_number(json, record->version) &&
           json_text_add(json, "}");
}

bool
setting_add_all(struct buf *json, const struct record records[CONFIG_KEYS_MAX])
{
    if (!json_text_add(json, "{"))
        return false;
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        if ((i > 0 && !json_text_add(json, ",")) ||
            !json_text_add_string(json, config_keys[i].name) ||
            !json_text_add(json, ":") ||
            !setting_add(json, &config_keys[i], &records[i]))
            return false;
    return json_text_add(json, "}");
}

/* A member that is a text, or null. */
static bool
add_text(struct buf *json, const char *name, const char *text)
{
    return json_text_add(json, ",") && json_text_add_string(json, name) &&
           json_text_add(json, ":") &&
           (text != NULL && *text != '\0' ? json_text_add_string(json, text)
                                          : json_text_add(json, "null"));
}

bool
setting_add_version(struct buf *json, const struct record *record,
                    const struct record_origin *origin)
{
    return json_text_add(json, "{\"version\":") &&
           json_text_add_number(json, record->version) &&
           json_text_add(json, ",\"value\":") &&
           json_text_add(json,
                         record_is_set(record) ? record->value : "null") &&
           json_text_add(json, ",\"updated_at\":") &&
           json_text_add_time(json, record->updated_at) &&
           add_text(json, "updated_by", record->author) &&
           add_text(json, "request_id", origin->request_id) &&
           json_text_add(json, "}");
}

static enum err
take(void *ctx, const char *tenant, const char *name,
     const struct record *record)
{
    struct record *records = ctx;
    const struct config_key *key = config_key_find(name);

    (void)tenant;
    if (key == NULL) /* one of a program that knows more keys */
        return ERR_OK;
    return record_copy(record, &records[key - config_keys]);
}

enum err
setting_list(struct store *store, const char *tenant,
             struct record records[CONFIG_KEYS_MAX])
{
    memset(records, 0, CONFIG_KEYS_MAX * sizeof(*records));
    return store_list(store, tenant, take, records);
}

/* The old value as it would be stored today: the rules may have changed. */
static enum err
check_again(const struct config_key *key, const char *name,
            const struct record *old, bool is_strict, json_t *messages,
            char **value_out)
{
    enum err err = config_key_check(key, old->value, old->value_len, is_strict,
                                    messages, value_out);

    if (err == ERR_INVALID &&
        json_array_insert_new(
            messages, 0,
            json_sprintf("%s: version %llu is no longer valid", name,
                         (unsigned long long)old->version)) != 0)
        return ERR_NOMEM;
    return err;
}

enum err
setting_check_old(const struct config_key *key, const char *name,
                  uint64_t version, const struct record *old, bool is_strict,
                  json_t *messages, char **value_out)
{
    unsigned long long number = version;
    enum err added;

    if (key->is_once)
        return validate_add(messages, "%s: %s can be set only once", name,
                            key->name);
    if (old->version == 0) {
        added = validate_add(messages,
                             "%s: %s has no version %llu, or no "
                             "longer",
                             name, key->name, number);
        return added == ERR_INVALID ? ERR_NOTFOUND : added;
    }
    if (!record_is_set(old))
        return validate_add(messages,
                            "%s: version %llu has no value: it "
                            "unset %s",
                            name, number, key->name);
    return check_again(key, name, old, is_strict, messages, value_out);
}

void
setting_judge(struct store_write *write, const struct record *current)
{
    write->version = current->version;
    write->updated_at = current->updated_at;
    write->seq = current->seq;
    write->has_write_id = current->has_write_id;
    memcpy(write->write_id, current->write_id, STORE_WRITE_ID_SIZE);
    store_judge(write, current->value, current->value_len, time(NULL));
    write->version = current->version;
    write->is_new = false;
}

enum err
setting_explain(const struct store_write *write, json_t *messages)
{
    switch (write->result) {
    case ERR_CONFLICT:
    case ERR_PRECOND:
        return validate_add(
            messages, "%s: another write came first, it is at version %llu",
            write->key, (unsigned long long)write->version);
    case ERR_INVALID:
        return validate_add(
            messages, "value: %s is already set, and can be set only once",
            write->key);
    default:
        return ERR_OK;
    }
}

void
setting_log(const struct store_write *write)
{
    log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", write->tenant),
              LOG_TEXT("key", write->key),
              LOG_NUMBER("version", (int64_t)write->version),
              LOG_TEXT("subject", write->author),
              LOG_TEXT("request_id", write->request_id));
}
