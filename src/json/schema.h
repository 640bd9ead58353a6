// SPDX-License-Identifier: MIT
/*
 * Checks a JSON value against a schema written as a C constant, collects every
 * violation, and builds the canonical value: members in the schema's order,
 * defaults filled in, unnamed members dropped, 20.0 as 20.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_STRING,
    SCHEMA_ARRAY,
    SCHEMA_OBJECT,
};

struct schema_member;

/* Zero means "no such rule" for every member but type, min and max; the
 * SCHEMA_ANY_INTEGER initialiser sets those two to the whole range. */
struct schema {
    enum schema_type type;
    json_int_t min, max;                 /* integer; inclusive */
    size_t min_length;                   /* string: characters; array: items */
    bool is_uri;                         /* string: RFC 3986 URI, not a relative
                                            reference */
    const char *const *one_of;           /* string; ends with NULL */
    const struct schema *items;          /* array */
    const struct schema_member *members; /* object; ends with name NULL */
};

struct schema_member {
    const char *name;
    struct schema schema;
    bool is_required;
    const char *unset; /* JSON of the value if it is absent, or NULL */
};

#define SCHEMA_ANY_INTEGER                                                     \
    .type = SCHEMA_INTEGER, .min = INT64_MIN, .max = INT64_MAX

/*
 * Appends to messages "path.member: what it must be" for every violation.
 * With is_strict, a member that the schema does not name is one too.
 *
 * ERR_OK: *canonical_out is a new reference. ERR_INVALID: messages grew.
 * ERR_NOMEM.
 */
enum err validate(const struct schema *schema, const json_t *value,
                  const char *path, bool is_strict, json_t *messages,
                  json_t **canonical_out);

/* The member of an object's schema, or NULL. */
const struct schema_member *schema_find(const struct schema *schema,
                                        const char *name);

#endif
