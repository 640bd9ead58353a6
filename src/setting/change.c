// SPDX-License-Identifier: MIT
#include "setting/change.h"

#include "base/util.h"
#include "json/messages.h"

/* Has the secret in value as it is to be seen. */
static enum err
view_value(const struct seal *seal, enum change_view view, json_t *value,
           struct seal_fault *fault_out)
{
    enum err err = ERR_OK;

    switch (view) {
    case CHANGE_UNSEEN:
        break;
    case CHANGE_REVEALED:
        return seal_open(seal, value, fault_out);
    case CHANGE_MASKED:
        return seal_mask(seal->key, value);
    case CHANGE_PROVEN:
        err = seal_open(seal, value, fault_out);
        return err == ERR_OK ? seal_mask(seal->key, value) : err;
    case CHANGE_PORTABLE:
        return seal_is_open(seal->key, value) ? seal_mask(seal->key, value)
                                              : ERR_OK;
    case CHANGE_COMPARED:
        err = seal_open(seal, value, fault_out);
        return err == ERR_SEALED ? ERR_OK : err;
    }
    return err;
}

enum err
change_load(const struct seal *seal, enum change_view view,
            const struct record *record, json_t **value_out,
            struct seal_fault *fault_out)
{
    json_t *value = NULL;
    enum err err =
        seal_load(record->value, record->value_len, &value, fault_out);

    if (err == ERR_OK)
        err = view_value(seal, view, value, fault_out);
    if (err == ERR_OK)
        *value_out = value;
    else
        seal_drop(seal->key, value);
    return err;
}

/* The record's own text. */
static enum err
copy(const struct record *record, char **text_out)
{
    *text_out = strndup(record->value, record->value_len);
    return *text_out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
change_show(const struct seal *seal, enum change_view view,
            const struct record *record, char **text_out,
            struct seal_fault *fault_out)
{
    json_t *value = NULL;
    enum err err;

    if (seal->key->secret == NULL)
        return copy(record, text_out);
    err = change_load(seal, view, record, &value, fault_out);
    if (err == ERR_SEALED && view == CHANGE_PORTABLE)
        return copy(record, text_out);
    if (err == ERR_OK)
        err = config_key_encode(value, text_out);
    seal_drop(seal->key, value);
    return err;
}

enum err
change_show_record(const struct seal *seal, enum change_view view,
                   struct record *record, struct seal_fault *fault_out)
{
    char *text;
    enum err err;

    if (seal->key->secret == NULL || !record_is_set(record))
        return ERR_OK;
    err = change_show(seal, view, record, &text, fault_out);
    if (err != ERR_OK)
        return err;
    seal_free(record->value);
    record->value = text;
    record->value_len = strlen(text);
    return ERR_OK;
}

enum err
change_renew(const struct seal *seal, const struct record *record,
             char **text_out, struct seal_fault *fault_out)
{
    json_t *value = NULL;
    bool is_renewed = false;
    char *text = NULL;
    enum err err = change_load(seal, CHANGE_UNSEEN, record, &value, fault_out);

    if (err == ERR_OK)
        err = seal_renew(seal, value, &is_renewed, fault_out);
    if (err == ERR_OK && is_renewed)
        err = config_key_encode(value, &text);
    if (err == ERR_OK)
        *text_out = text;
    seal_drop(seal->key, value);
    return err;
}

/* True if no member differs but the secret. */
static bool
is_same_around(const struct config_key *key, json_t *one, const json_t *other)
{
    const char *name;
    const json_t *member;

    json_object_foreach(one, name, member)
    {
        if (strcmp(name, key->secret) != 0 &&
            !json_equal(member, json_object_get(other, name)))
            return false;
    }
    return json_object_size(one) == json_object_size(other);
}

bool
change_is_same(const struct config_key *key, json_t *one, json_t *other)
{
    if (json_equal(one, other))
        return true;
    return (seal_is_masked(key, one) || seal_is_masked(key, other)) &&
           is_same_around(key, one, other);
}

void
change_made_clear(struct change_made *made)
{
    if (made->shown != made->stored)
        seal_free(made->shown);
    seal_free(made->stored);
    *made = (struct change_made){.stored = NULL};
}

/* The secret that is there, for what needs it: NULL in *old_out if it is not
 * needed. */
static enum err
load_old(const struct change *change, bool is_masked,
         const struct record *current, json_t **old_out,
         struct seal_fault *fault_out)
{
    bool may_be_sealed = is_masked && change->leaves_same;
    enum err err;

    if (!record_is_set(current))
        return is_masked ? ERR_UNSET : ERR_OK;
    err = change_load(&change->seal,
                      may_be_sealed ? CHANGE_COMPARED : CHANGE_REVEALED,
                      current, old_out, fault_out);
    /* Whoever has keys may replace what they do not open. Keys that somebody
     * forgot to set must not undo what they were for. */
    return err == ERR_SEALED && !is_masked && change->seal.secrets != NULL
               ? ERR_OK
               : err;
}

/* Encodes value for the store, and for the answer if that is another text; its
 * secret is sealed and masked on the way. */
static enum err
encode(const struct change *change, json_t *value, struct change_made *made)
{
    const struct seal *seal = &change->seal;
    bool is_to_be_sealed =
        seal->secrets != NULL && seal_is_open(seal->key, value);
    enum err err = ERR_OK;

    if (change->view == CHANGE_REVEALED && is_to_be_sealed)
        err = config_key_encode(value, &made->shown);
    if (err == ERR_OK)
        err = seal_close(seal, value);
    if (err == ERR_OK)
        err = config_key_encode(value, &made->stored);
    if (err != ERR_OK || change->view == CHANGE_UNSEEN || made->shown != NULL)
        return err;
    if (change->view == CHANGE_REVEALED || seal->key->secret == NULL) {
        made->shown = made->stored;
        return ERR_OK;
    }
    err = seal_mask(seal->key, value);
    return err == ERR_OK ? config_key_encode(value, &made->shown) : err;
}

/* value is a copy of change's, to be changed. */
static enum err
make_secret(const struct change *change, json_t *value,
            const struct record *current, struct store_write *write,
            struct change_made *made)
{
    const struct config_key *key = change->seal.key;
    bool is_masked = change->has_mask && seal_is_masked(key, value);
    bool is_based =
        is_masked || change->leaves_same || change->seal.secrets == NULL;
    json_t *old = NULL;
    enum err err = ERR_OK;

    if (is_based)
        err = load_old(change, is_masked, current, &old, &made->fault);
    if (err == ERR_OK && is_masked)
        err = seal_keep(key, value, old);
    if (err == ERR_OK && is_based && write->base == STORE_ANY_VERSION) {
        write->base = current->version;
        write->lost = ERR_CONFLICT;
    }
    /* The same secret sealed again would not be the same bytes. */
    if (err == ERR_OK && change->leaves_same && json_equal(value, old))
        err = copy(current, &made->stored);
    else if (err == ERR_OK)
        err = encode(change, value, made);
    seal_drop(key, old);
    return err;
}

/* Makes what is stored of the value. */
static enum err
make_value(const struct change *change, const struct record *current,
           struct store_write *write, struct change_made *made)
{
    json_t *value;
    enum err err;

    if (change->value == NULL)
        return ERR_OK;
    if (change->seal.key->secret == NULL)
        return encode(change, change->value, made);
    /* Not json_copy: without memory it leaves members out. */
    value = json_object();
    err = json_object_update(value, change->value) == 0 ? ERR_OK : ERR_NOMEM;
    if (err == ERR_OK)
        err = make_secret(change, value, current, write, made);
    seal_drop(change->seal.key, value);
    return err;
}

/* Fills in the results of a write that is not committed. */
static void
judge(struct store_write *write, const struct record *current)
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
change_make(const struct change *change, const struct record *current,
            struct store_write *write, struct change_made *made_out)
{
    enum err err;

    *made_out = (struct change_made){.stored = NULL};
    write->op = change->value != NULL ? STORE_PUT : STORE_UNSET;
    write->tenant = change->seal.tenant;
    write->key = change->seal.key->name;
    write->once = change->value != NULL && change->seal.key->is_once;
    if (write->base != STORE_ANY_VERSION && write->base != current->version) {
        write->result = write->lost;
        write->version = current->version;
        return write->result;
    }
    err = make_value(change, current, write, made_out);
    write->value = made_out->stored;
    write->value_len = write->value != NULL ? strlen(write->value) : 0;
    if (err == ERR_OK && change->is_dry)
        judge(write, current);
    return err;
}

enum err
change_explain(const struct config_key *key, enum err err, json_t *messages)
{
    switch (err) {
    case ERR_UNSET:
        return messages_add(messages,
                            "value.%s: is the mask, but there is no stored %s "
                            "to keep",
                            key->secret, key->secret);
    case ERR_DENIED:
        return messages_add(messages,
                            "value.%s: is the mask, but the scheme, user, host "
                            "or port of value.%s differs from the stored one: "
                            "send the %s itself",
                            key->secret, key->recipient, key->secret);
    case ERR_TOOBIG:
        return messages_add(messages,
                            "value: must be at most %d bytes together with the "
                            "stored %s",
                            CONFIG_VALUE_MAX, key->secret);
    default:
        return ERR_OK;
    }
}
