// SPDX-License-Identifier: MIT
#include "store_record.h"

#include "util.h"

#include <string.h>

enum {
    LAYOUT = 1,
    AT_VERSION = 1,
    AT_UPDATED = 9,
    AT_SUBJECT_LEN = 17,
    AT_REQUEST_ID_LEN = 21,
    AT_VALUE_LEN = 25,
    HEADER_SIZE = 29,
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

    if (len == 0 || len > STORE_TENANT_MAX)
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
store_name_decode(const void *data, size_t len,
                  char tenant_out[STORE_TENANT_MAX + 1],
                  char key_out[STORE_KEY_MAX + 1])
{
    const char *tenant = data;
    const char *end = memchr(data, '\0', len);
    size_t key_len;

    if (end == NULL || end == tenant || end - tenant > STORE_TENANT_MAX)
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

size_t
store_record_size(const struct store_record *record)
{
    return HEADER_SIZE + (size_t)record->subject_len + record->request_id_len +
           record->value_len;
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

    at[0] = LAYOUT;
    store_number_encode(record->version, at + AT_VERSION);
    store_number_encode((uint64_t)record->updated_at, at + AT_UPDATED);
    length_encode(record->subject_len, at + AT_SUBJECT_LEN);
    length_encode(record->request_id_len, at + AT_REQUEST_ID_LEN);
    length_encode(record->value_len, at + AT_VALUE_LEN);
    at = append(at + HEADER_SIZE, record->subject, record->subject_len);
    at = append(at, record->request_id, record->request_id_len);
    append(at, record->value, record->value_len);
}

struct store_record
store_record_of(const struct store_write *write)
{
    struct store_record record = {
        .version = write->version,
        .updated_at = write->updated_at,
        .subject = write->subject,
        .request_id = write->request_id,
        .value = write->value,
        .value_len = (uint32_t)write->value_len,
    };

    if (write->subject != NULL)
        record.subject_len = (uint32_t)strlen(write->subject);
    if (write->request_id != NULL)
        record.request_id_len = (uint32_t)strlen(write->request_id);
    return record;
}

bool
store_record_decode(const void *data, size_t len,
                    struct store_record *record_out)
{
    const unsigned char *at = data;
    struct store_record record;

    if (len < HEADER_SIZE || at[0] != LAYOUT)
        return false;
    record.version = store_number_decode(at + AT_VERSION);
    record.updated_at = (int64_t)store_number_decode(at + AT_UPDATED);
    record.subject_len = length_decode(at + AT_SUBJECT_LEN);
    record.request_id_len = length_decode(at + AT_REQUEST_ID_LEN);
    record.value_len = length_decode(at + AT_VALUE_LEN);
    if (record.version == 0 || store_record_size(&record) != len)
        return false;
    record.subject = (const char *)at + HEADER_SIZE;
    record.request_id = record.subject + record.subject_len;
    record.value = record.request_id + record.request_id_len;
    *record_out = record;
    return true;
}

static char *
copy_part(const char *part, uint32_t len)
{
    char *copy = malloc((size_t)len + 1);

    if (copy != NULL) {
        memcpy(copy, part, len);
        copy[len] = '\0';
    }
    return copy;
}

enum err
store_record_copy(const struct store_record *record, struct record *record_out,
                  struct record_origin *origin_out)
{
    auto_char *value = NULL;
    auto_char *subject = NULL;
    auto_char *request_id = NULL;

    if (origin_out != NULL) {
        subject = copy_part(record->subject, record->subject_len);
        request_id = copy_part(record->request_id, record->request_id_len);
        if (subject == NULL || request_id == NULL)
            return ERR_NOMEM;
    }
    if (record->value_len > 0) {
        value = copy_part(record->value, record->value_len);
        if (value == NULL)
            return ERR_NOMEM;
    }

    *record_out = (struct record){record->version, record->updated_at, value,
                                  record->value_len};
    if (origin_out != NULL)
        *origin_out = (struct record_origin){subject, request_id};
    value = subject = request_id = NULL;
    return ERR_OK;
}
