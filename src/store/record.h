// SPDX-License-Identifier: MIT
/* What is stored under a tenant's key. */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_WRITE_ID_SIZE 16
#define STORE_NOTE_MAX 500 /* characters, in UTF-8 */

/*
 * A version of a value. version 0 means that there never was one. Without a
 * value (NULL, of length 0) a version unset the key, as if it had never been
 * set; the next one counts on from it.
 */
struct record {
    uint64_t version;
    int64_t updated_at; /* seconds since the epoch */
    char *value;        /* owned by the record, see record_clear */
    size_t value_len;
    uint64_t seq; /* its place among all versions of the store; 0: unknown, for
                     it is older than format 2 */
    unsigned char write_id[STORE_WRITE_ID_SIZE]; /* random, this version's in
                                                    every store */
    bool has_write_id; /* false if it is older than format 2 */
    char *author;      /* owned; "" if it was written without one. NULL: only
                          the history knows, for it is older than format 2 */
};

/* True if there is a value. */
static inline bool
record_is_set(const struct record *record)
{
    return record->value_len > 0;
}

/* True if the record was stored after the other one, whatever the clock said;
 * if both are older than format 2, the clock has to do. */
bool record_is_newer(const struct record *record, const struct record *other);

/* What made a version; kept in the history beside the record. */
struct record_origin {
    char *request_id; /* owned */
    char *note;       /* why, in its author's words; owned. NULL: no note */
};

/* ERR_NOMEM, or a copy of its own in *copy_out. */
enum err record_copy(const struct record *record, struct record *copy_out);

/* The same of an origin. */
enum err record_origin_copy(const struct record_origin *origin,
                            struct record_origin *copy_out);

/* Of each record that a call filled in, also of one without a value. */
void record_clear(struct record *record);
void record_origin_clear(struct record_origin *origin);

#endif
