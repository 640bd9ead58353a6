// SPDX-License-Identifier: MIT
/* Bytes from disk, read as a record and as a name. */
#include "fuzz.h"

#include "model/tenant.h"
#include "store/layout.h"

#include <string.h>

static void
check_part(const uint8_t *data, size_t size, const char *part, uint32_t len)
{
    const uint8_t *at = (const uint8_t *)part;

    FUZZ_CHECK(at >= data && at <= data + size &&
               len <= (size_t)(data + size - at));
}

static void
check_record(const uint8_t *data, size_t size, const struct store_record *found)
{
    struct record record;
    struct record_origin origin;
    uint8_t *again = malloc(size);

    check_part(data, size, found->author, found->author_len);
    check_part(data, size, found->request_id, found->request_id_len);
    check_part(data, size, found->note, found->note_len);
    check_part(data, size, found->value, found->value_len);

    FUZZ_CHECK(found->version > 0 && store_record_size(found) == size);
    store_record_encode(found, again);
    FUZZ_CHECK(memcmp(again, data, size) == 0);
    free(again);

    FUZZ_CHECK(store_record_copy(found, &record, &origin) == ERR_OK);
    FUZZ_CHECK(record.value_len == found->value_len &&
               (record.value_len == 0 ? record.value == NULL
                                      : memcmp(record.value, found->value,
                                               record.value_len) == 0));
    FUZZ_CHECK(strlen(record.author) <= found->author_len);
    FUZZ_CHECK((origin.note == NULL) == (found->note_len == 0));
    record_clear(&record);
    record_origin_clear(&origin);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_record record;
    struct store_name name;
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1];

    if (store_record_decode(data, size, &record))
        check_record(data, size, &record);
    if (store_name_decode(data, size, tenant, key)) {
        FUZZ_CHECK(store_name_encode(tenant, key, &name));
        FUZZ_CHECK(name.len == size && memcmp(name.bytes, data, size) == 0);
    }
    return 0;
}
