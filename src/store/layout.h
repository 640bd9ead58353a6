// SPDX-License-Identifier: MIT
/*
 * How names and records look on disk. All numbers are big-endian, so that the
 * file does not depend on the machine and versions sort as bytes.
 *
 *   name     tenant \0 key
 *   version  name \0 version:8
 *
 *   record   layout:1          2, or 1
 *            version:8         from 1
 *            updated_at:8      seconds since the epoch, two's complement
 *            author_len:4      of layout 1, 0 in the current record
 *            request_id_len:4  0 in the current record, kept in the history
 *            value_len:4       0: the version unset the key
 *            note_len:4        of layout 2, as are the next two; 0 in the
 *                              current record, kept in the history
 *            seq:8             from 1
 *            write_id:16       random
 *            author, request_id, note, value
 *
 * The lengths add up to the record's own: one that was cut is noticed. Layout 1
 * is what stores of format 1 were written with. It is read for ever, and what
 * changes such a record leaves it in its layout; versions are made in layout 2.
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include "model/tenant.h"
#include "store/store.h"

#define STORE_NAME_SIZE (TENANT_MAX + 1 + STORE_KEY_MAX + 1 + sizeof(uint64_t))

/* An encoded name, with room for a version. */
struct store_name {
    unsigned char bytes[STORE_NAME_SIZE];
    size_t len;
};

/* A record in somebody else's bytes; nothing is NUL-terminated. */
struct store_record {
    unsigned char layout;
    uint64_t version;
    int64_t updated_at;
    uint64_t seq; /* of layout 2, as are the next one and the note */
    unsigned char write_id[STORE_WRITE_ID_SIZE];
    const char *author, *request_id, *note, *value;
    uint32_t author_len, request_id_len, note_len, value_len;
};

/* False if a part is empty or longer than its limit. */
bool store_name_encode(const char *tenant, const char *key,
                       struct store_name *name_out);

/* All names of a tenant start with it. */
bool store_name_encode_tenant(const char *tenant, struct store_name *name_out);

/* Makes it the name of a version; once for each name. */
void store_name_add_version(struct store_name *name, uint64_t version);

/* Of the name of a version: which one; and to make it another's. */
uint64_t store_name_version(const struct store_name *name);
void store_name_set_version(struct store_name *name, uint64_t version);

/* Takes a name apart, of len bytes from disk. False if it is damaged. */
bool store_name_decode(const void *data, size_t len,
                       char tenant_out[TENANT_MAX + 1],
                       char key_out[STORE_KEY_MAX + 1]);

/* 8 bytes, big-endian. */
void store_number_encode(uint64_t number, unsigned char bytes[8]);
uint64_t store_number_decode(const unsigned char bytes[8]);

/* The record that a write makes, with its version and origin; its parts are
 * the write's. */
struct store_record store_record_of(const struct store_write *write);

/* What of a version's record in the history is kept in the current one. */
struct store_record store_record_current(const struct store_record *record);

size_t store_record_size(const struct store_record *record);

/* Writes store_record_size bytes. Parts may be NULL if their length is 0. */
void store_record_encode(const struct store_record *record, void *data);

/* Takes any bytes. False if they are not a record. */
bool store_record_decode(const void *data, size_t len,
                         struct store_record *record_out);

/* Copies, with a NUL behind each part that there is. ERR_NOMEM; origin_out is
 * NULL for a current record. */
enum err store_record_copy(const struct store_record *record,
                           struct record *record_out,
                           struct record_origin *origin_out);

#endif
