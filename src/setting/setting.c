// SPDX-License-Identifier: MIT
#include "setting/setting.h"

#include "base/log.h"
#include "json/messages.h"
#include "json/text.h"
#include "setting/change.h"

#include <string.h>

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

/* A member that is a text, or null if there is none. */
static bool
add_text(struct buf *json, const char *name, const char *text)
{
    return json_text_add(json, ",") && json_text_add_string(json, name) &&
           json_text_add(json, ":") &&
           (text != NULL && *text != '\0' ? json_text_add_string(json, text)
                                          : json_text_add(json, "null"));
}

/* An object that is left open. */
static bool
add_members(struct buf *json, const struct config_key *key,
            const struct record *record, const char *etag)
{
    const char *value = setting_value(key, record);

    return json_text_add(json, "{\"value\":") &&
           json_text_add(json, value != NULL ? value : "null") &&
           json_text_add(json, ",\"updated_at\":") &&
           json_text_add_time(json, setting_time(record)) &&
           json_text_add(json, ",\"version\":") &&
           json_text_add_number(json, record->version) &&
           add_text(json, "etag", etag);
}

bool
setting_add(struct buf *json, const struct config_key *key,
            const struct record *record, const char *etag)
{
    return add_members(json, key, record, etag) && json_text_add(json, "}");
}

bool
setting_add_all(struct buf *json, const struct record records[CONFIG_KEYS_MAX],
                const char etags[CONFIG_KEYS_MAX][ETAG_SIZE])
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        if (!json_text_add(json, i > 0 ? "," : "{") ||
            !json_text_add_string(json, config_keys[i].name) ||
            !json_text_add(json, ":") ||
            !add_members(json, &config_keys[i], &records[i], etags[i]) ||
            !add_text(json, "updated_by", records[i].author) ||
            !json_text_add(json, "}"))
            return false;
    return json_text_add(json, "}");
}

bool
setting_add_version(struct buf *json, const struct config_key *key,
                    const struct record *record,
                    const struct record_origin *origin, bool names_key)
{
    const char *value = record_is_set(record) ? record->value : "null";
    char etag[ETAG_SIZE];

    return etag_of_record(key, record, etag) == ERR_OK &&
           json_text_add(json, "{") &&
           (!names_key || (json_text_add(json, "\"key\":") &&
                           json_text_add_string(json, key->name) &&
                           json_text_add(json, ","))) &&
           json_text_add(json, "\"version\":") &&
           json_text_add_number(json, record->version) &&
           add_text(json, "etag", etag) && json_text_add(json, ",\"value\":") &&
           json_text_add(json, value) &&
           json_text_add(json, ",\"updated_at\":") &&
           json_text_add_time(json, record->updated_at) &&
           add_text(json, "updated_by", record->author) &&
           add_text(json, "request_id", origin->request_id) &&
           add_text(json, "note", origin->note) && json_text_add(json, "}");
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

static enum err
take_author(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    struct record *wanted = ctx;

    (void)origin;
    if (record->version != wanted->version) /* it is no longer kept */
        return ERR_OK;
    wanted->author = strdup(record->author);
    return wanted->author != NULL ? ERR_OK : ERR_NOMEM;
}

/* In layout 1, the history alone has it. */
static enum err
find_author(struct store *store, const char *tenant,
            const struct config_key *key, struct record *record)
{
    if (record->version == 0 || record->author != NULL)
        return ERR_OK;
    return store_history(store, tenant, key->name, record->version + 1, 1,
                         take_author, record);
}

enum err
setting_list(struct store *store, const char *tenant,
             struct record records[CONFIG_KEYS_MAX])
{
    enum err err;

    memset(records, 0, CONFIG_KEYS_MAX * sizeof(*records));
    err = store_list(store, tenant, take, records);
    for (size_t i = 0; i < CONFIG_KEYS_MAX && err == ERR_OK; i++)
        err = find_author(store, tenant, &config_keys[i], &records[i]);
    return err;
}

/* The old value as it would be stored today: the rules may have changed. */
static enum err
check_again(const struct seal *seal, const char *name, const struct record *old,
            const struct config_rules *rules, json_t *messages,
            json_t **value_out, struct seal_fault *fault_out)
{
    json_t *value = NULL;
    enum err err = change_load(seal, CHANGE_REVEALED, old, &value, fault_out);

    if (err != ERR_OK)
        return err;
    err = config_key_check_json(seal->key, value, rules, messages, value_out);
    seal_drop(seal->key, value);
    if (err == ERR_INVALID &&
        json_array_insert_new(
            messages, 0,
            json_sprintf("%s: version %llu is no longer valid", name,
                         (unsigned long long)old->version)) != 0)
        return ERR_NOMEM;
    return err;
}

enum err
setting_check_old(const struct seal *seal, const char *name, uint64_t version,
                  const struct record *old, const struct config_rules *rules,
                  json_t *messages, json_t **value_out,
                  struct seal_fault *fault_out)
{
    const char *key = seal->key->name;
    unsigned long long number = version;
    enum err added;

    if (seal->key->is_once)
        return messages_add(messages, "%s: %s can be set only once", name, key);
    if (old->version == 0) {
        added = messages_add(messages,
                             "%s: version %llu of %s does not exist, or is "
                             "no longer kept",
                             name, number, key);
        return added == ERR_INVALID ? ERR_NOTFOUND : added;
    }
    if (!record_is_set(old))
        return messages_add(messages,
                            "%s: version %llu unset %s, so it has no "
                            "value",
                            name, number, key);
    return check_again(seal, name, old, rules, messages, value_out, fault_out);
}

enum err
setting_etag_after(struct store *store, const struct config_key *key,
                   const struct store_write *write, char etag_out[ETAG_SIZE])
{
    struct record record = {0};
    enum err err = ERR_OK;

    if (write->has_write_id) {
        etag_of_write(write, etag_out);
        return ERR_OK;
    }
    /* It takes the value, and no write makes such a version any more. */
    err = store_get(store, write->tenant, write->key, &record);
    if (err == ERR_OK && write->result == ERR_OK &&
        record.version != write->version)
        *etag_out = '\0';
    else if (err == ERR_OK)
        err = etag_of_record(key, &record, etag_out);
    record_clear(&record);
    return err;
}

enum err
setting_explain(const struct store_write *write, json_t *messages)
{
    switch (write->result) {
    case ERR_CONFLICT:
    case ERR_PRECOND:
        return messages_add(
            messages, "%s: another write came first; the version is now %llu",
            write->key, (unsigned long long)write->version);
    case ERR_INVALID:
        return messages_add(
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
