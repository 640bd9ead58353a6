// SPDX-License-Identifier: MIT
#include "store/layout.h"

#include "model/tenant.h"

#include <stdlib.h>
#include <string.h>

enum { LAYOUT_1 = 1, LAYOUT_2 };

enum {
    AT_VERSION = 1,
    AT_UPDATED = 9,
    AT_AUTHOR_LEN = 17,
    AT_REQUEST_ID_LEN = 21,
    AT_VALUE_LEN = 25,
    HEADER_1_SIZE = 29,
    AT_NOTE_LEN = HEADER_1_SIZE,
    AT_SEQ = 33,
    AT_WRITE_ID = 41,
    HEADER_2_SIZE = AT_WRITE_ID + STORE_WRITE_ID_SIZE,
};

void
store_number_encode(uint64_t number, unsigned char bytes[8])
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        bytes[i] = (unsigned char)number;
}

uint64_t
store_number_decode(const unsigned char bytes[8])
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void
length_encode(uint32_t number, unsigned char bytes[4])
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        bytes[i] = (unsigned char)number;
}

static uint32_t
length_decode(const unsigned char bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

bool
store_name_encode_tenant(const char *tenant, struct store_name *name_out)
{
    size_t len = strlen(tenant);

    if (len == 0 || len > TENANT_MAX)
        return false;
    memcpy(name_out->bytes, tenant, len + 1);
    name_out->len = len + 1;
    return true;
}

bool
store_name_encode(const char *tenant, const char *key,
                  struct store_name *name_out)
{
    size_t len = strlen(key);

    if (len == 0 || len > STORE_KEY_MAX ||
        !store_name_encode_tenant(tenant, name_out))
        return false;
    memcpy(name_out->bytes + name_out->len, key, len);
    name_out->len += len;
    return true;
}

void
store_name_add_version(struct store_name *name, uint64_t version)
{
    name->bytes[name->len] = '\0';
    store_number_encode(version, name->bytes + name->len + 1);
    name->len += 1 + sizeof(version);
}

uint64_t
store_name_version(const struct store_name *name)
{
    return store_number_decode(name->bytes + name->len - sizeof(uint64_t));
}

void
store_name_set_version(struct store_name *name, uint64_t version)
{
    store_number_encode(version, name->bytes + name->len - sizeof(version));
}

bool
store_name_decode(const void *data, size_t len, char tenant_out[TENANT_MAX + 1],
                  char key_out[STORE_KEY_MAX + 1])
{
    const char *tenant = data;
    const char *end = memchr(data, '\0', len);
    size_t key_len;

    if (end == NULL || end == tenant || end - tenant > TENANT_MAX)
        return false;
    key_len = len - (size_t)(end - tenant) - 1;
    if (key_len == 0 || key_len > STORE_KEY_MAX ||
        memchr(end + 1, '\0', key_len) != NULL)
        return false;
    memcpy(tenant_out, tenant, (size_t)(end - tenant) + 1);
    memcpy(key_out, end + 1, key_len);
    key_out[key_len] = '\0';
    return true;
}

static size_t
header_size(const struct store_record *record)
{
    return record->layout == LAYOUT_1 ? HEADER_1_SIZE : HEADER_2_SIZE;
}

size_t
store_record_size(const struct store_record *record)
{
    return header_size(record) + record->author_len + record->request_id_len +
           record->note_len + record->value_len;
}

static unsigned char *
append(unsigned char *at, const char *part, uint32_t len)
{
    if (len > 0) /* part may be NULL */
        memcpy(at, part, len);
    return at + len;
}

void
store_record_encode(const struct store_record *record, void *data)
{
    unsigned char *at = data;

    at[0] = record->layout;
    store_number_encode(record->version, at + AT_VERSION);
    store_number_encode((uint64_t)record->updated_at, at + AT_UPDATED);
    length_encode(record->author_len, at + AT_AUTHOR_LEN);
    length_encode(record->request_id_len, at + AT_REQUEST_ID_LEN);
    length_encode(record->value_len, at + AT_VALUE_LEN);
    if (record->layout == LAYOUT_2) {
        length_encode(record->note_len, at + AT_NOTE_LEN);
        store_number_encode(record->seq, at + AT_SEQ);
        memcpy(at + AT_WRITE_ID, record->write_id, STORE_WRITE_ID_SIZE);
    }
    at = append(at + header_size(record), record->author, record->author_len);
    at = append(at, record->request_id, record->request_id_len);
    at = append(at, record->note, record->note_len);
    append(at, record->value, record->value_len);
}

static uint32_t
text_len(const char *text)
{
    return text == NULL ? 0 : (uint32_t)strlen(text);
}

struct store_record
store_record_of(const struct store_write *write)
{
    struct store_record record = {
        .layout = LAYOUT_2,
        .version = write->version,
        .updated_at = write->updated_at,
        .seq = write->seq,
        .author = write->author,
        .author_len = text_len(write->author),
        .request_id = write->request_id,
        .request_id_len = text_len(write->request_id),
        .note = write->note,
        .note_len = text_len(write->note),
        .value = write->value,
        .value_len = (uint32_t)write->value_len,
    };

    memcpy(record.write_id, write->write_id, STORE_WRITE_ID_SIZE);
    return record;
}

struct store_record
store_record_current(const struct store_record *record)
{
    struct store_record current = *record;

    current.request_id_len = current.note_len = 0;
    if (current.layout == LAYOUT_1)
        current.author_len = 0;
    return current;
}

/* False if the record is too short, or no record at all. */
static bool
decode_header(const unsigned char *at, size_t len,
              struct store_record *record_out)
{
    struct store_record record = {.layout = len > 0 ? at[0] : 0};

    if ((record.layout != LAYOUT_1 && record.layout != LAYOUT_2) ||
        len < header_size(&record))
        return false;
    record.version = store_number_decode(at + AT_VERSION);
    record.updated_at = (int64_t)store_number_decode(at + AT_UPDATED);
    record.author_len = length_decode(at + AT_AUTHOR_LEN);
    record.request_id_len = length_decode(at + AT_REQUEST_ID_LEN);
    record.value_len = length_decode(at + AT_VALUE_LEN);
    if (record.layout == LAYOUT_2) {
        record.note_len = length_decode(at + AT_NOTE_LEN);
        record.seq = store_number_decode(at + AT_SEQ);
        memcpy(record.write_id, at + AT_WRITE_ID, STORE_WRITE_ID_SIZE);
    }
    *record_out = record;
    return record.version > 0 && (record.layout == LAYOUT_1 || record.seq > 0);
}

bool
store_record_decode(const void *data, size_t len,
                    struct store_record *record_out)
{
    struct store_record record;

    if (!decode_header(data, len, &record) || store_record_size(&record) != len)
        return false;
    record.author = (const char *)data + header_size(&record);
    record.request_id = record.author + record.author_len;
    record.note = record.request_id + record.request_id_len;
    record.value = record.note + record.note_len;
    *record_out = record;
    return true;
}

/* False if there is no memory. */
static bool
copy_part(const char *part, uint32_t len, char **copy_out)
{
    char *copy = malloc((size_t)len + 1);

    if (copy == NULL)
        return false;
    memcpy(copy, part, len);
    copy[len] = '\0';
    *copy_out = copy;
    return true;
}

static enum err
copy_origin(const struct store_record *record, struct record_origin *origin_out)
{
    struct record_origin origin = {NULL, NULL};

    if (copy_part(record->request_id, record->request_id_len,
                  &origin.request_id) &&
        (record->note_len == 0 ||
         copy_part(record->note, record->note_len, &origin.note))) {
        *origin_out = origin;
        return ERR_OK;
    }
    record_origin_clear(&origin);
    return ERR_NOMEM;
}

enum err
store_record_copy(const struct store_record *record, struct record *record_out,
                  struct record_origin *origin_out)
{
    bool has_author = record->layout != LAYOUT_1 || origin_out != NULL;
    struct record copy = {
        .version = record->version,
        .updated_at = record->updated_at,
        .value_len = record->value_len,
        .seq = record->seq,
        .has_write_id = record->seq > 0,
    };

    memcpy(copy.write_id, record->write_id, STORE_WRITE_ID_SIZE);
    if ((has_author &&
         !copy_part(record->author, record->author_len, &copy.author)) ||
        (record->value_len > 0 &&
         !copy_part(record->value, record->value_len, &copy.value)) ||
        (origin_out != NULL && copy_origin(record, origin_out) != ERR_OK)) {
        record_clear(&copy);
        return ERR_NOMEM;
    }
    *record_out = copy;
    return ERR_OK;
}
