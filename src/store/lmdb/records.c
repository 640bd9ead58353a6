// SPDX-License-Identifier: MIT
#include "store/lmdb/records.h"

#include "base/util.h"
#include "store/layout.h"
#include "store/lmdb/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
no_memory(struct lmdb_records *records)
{
    records->lacks_memory = true;
    return "could not be looked at: out of memory";
}

static const char *
complain(struct lmdb_records *records, const char *what)
{
    snprintf(records->text, sizeof(records->text),
             "has %s of tenant %s, key %s", what, records->tenant,
             records->key);
    return records->text;
}

/* Takes an entry apart; name_len bytes of its key are the setting's. */
static const char *
read_record(struct lmdb_records *records, const struct lmdb_entry *entry,
            size_t name_len, struct store_record *record_out)
{
    if (!store_name_decode(entry->key, name_len, records->tenant, records->key))
        return "has a damaged name of a setting";
    if (entry->is_tree ||
        !store_record_decode(entry->value, entry->value_len, record_out))
        return complain(records, "a damaged record");
    return record_out->seq > records->seq
               ? complain(records, "a version later than the store's last one")
               : NULL;
}

static uint64_t
hash_record(const struct lmdb_entry *entry, size_t name_len, const void *bytes,
            size_t len)
{
    return hash_bytes(entry->key, name_len) * 31 ^ hash_bytes(bytes, len);
}

/* False if there is no memory. */
static bool
make_room(struct lmdb_records *records)
{
    size_t room = records->room * 2 + 256;
    struct lmdb_current *currents;

    if (records->count < records->room)
        return true;
    currents = realloc(records->currents, room * sizeof(*currents));
    if (currents == NULL)
        return false;
    records->currents = currents;
    records->room = room;
    return true;
}

static bool
make_bytes(struct lmdb_records *records, size_t size)
{
    unsigned char *bytes;

    if (size <= records->size)
        return true;
    bytes = realloc(records->bytes, size);
    if (bytes == NULL)
        return false;
    records->bytes = bytes;
    records->size = size;
    return true;
}

const char *
lmdb_records_current(void *ctx, const struct lmdb_entry *entry)
{
    struct lmdb_records *records = ctx;
    struct store_record record;
    const char *what = read_record(records, entry, entry->key_len, &record);

    if (what != NULL)
        return what;
    if (!make_room(records))
        return no_memory(records);
    records->currents[records->count++] = (struct lmdb_current){
        .version = record.version,
        .hash =
            hash_record(entry, entry->key_len, entry->value, entry->value_len),
    };
    return NULL;
}

/* Compares the newest version of a setting with its current record. */
static const char *
compare(struct lmdb_records *records, const struct lmdb_entry *entry,
        size_t name_len, const struct store_record *record)
{
    struct store_record current = store_record_current(record);
    size_t len = store_record_size(&current);

    if (!make_bytes(records, len))
        return no_memory(records);
    store_record_encode(&current, records->bytes);
    return hash_record(entry, name_len, records->bytes, len) ==
                   records->currents[records->at].hash
               ? NULL
               : complain(records, "a version that the current record differs "
                                   "from,");
}

/* A setting's history has ended, and the next one's begins. */
static bool
has_ended(const struct lmdb_records *records)
{
    return records->at < records->count &&
           records->last == records->currents[records->at].version;
}

const char *
lmdb_records_version(void *ctx, const struct lmdb_entry *entry)
{
    struct lmdb_records *records = ctx;
    struct store_record record;
    size_t name_len = entry->key_len - sizeof(uint64_t) - 1;
    const char *what;

    if (entry->key_len <= sizeof(uint64_t) + 1 || entry->key[name_len] != '\0')
        return "has a damaged name of a version";
    what = read_record(records, entry, name_len, &record);
    if (what != NULL)
        return what;
    if (record.version != store_number_decode(entry->key + name_len + 1))
        return complain(records, "a record with another version's number");
    if (has_ended(records)) {
        records->at++;
        records->last = 0;
    }
    if (records->at == records->count ||
        record.version > records->currents[records->at].version)
        return complain(records, "a version that is none");
    records->last = record.version;
    return has_ended(records) ? compare(records, entry, name_len, &record)
                              : NULL;
}

bool
lmdb_records_are_whole(const struct lmdb_records *records)
{
    return records->count == 0 ||
           (records->at == records->count - 1 && has_ended(records));
}

void
lmdb_records_clear(struct lmdb_records *records)
{
    free(records->currents);
    free(records->bytes);
}
