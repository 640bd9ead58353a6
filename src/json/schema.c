// SPDX-License-Identifier: MIT
#include "json/schema.h"

#include "base/number.h"
#include "base/utf8.h"
#include "base/util.h"
#include "json/decode.h"
#include "json/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uriparser/Uri.h>

/* What one call of validate works with. */
struct check {
    bool is_strict;
    json_t *messages;
};

/* Where a value stands; made into text only if there is a violation. */
struct place {
    const struct place *parent; /* NULL: name is the whole path */
    const char *name;           /* NULL: index */
    size_t index;
};

static enum err check_value(const struct check *check,
                            const struct schema *schema, const json_t *value,
                            const struct place *place, json_t **canonical_out);

/* "value.items[2]", from malloc; NULL on no memory. */
static char *
place_text(const struct place *place)
{
    auto_char *parent = NULL;
    char *text = NULL;
    int len;

    if (place->parent == NULL)
        return strdup(place->name);
    parent = place_text(place->parent);
    if (parent == NULL)
        return NULL;
    if (place->name == NULL)
        len = asprintf(&text, "%s[%zu]", parent, place->index);
    else
        len = asprintf(&text, "%s%s%s", parent, *parent != '\0' ? "." : "",
                       place->name);
    return len >= 0 ? text : NULL;
}

static enum err
violated(const struct check *check, const struct place *place, const char *rule)
{
    auto_char *path = place_text(place);

    if (path == NULL)
        return ERR_NOMEM;
    return messages_add(check->messages, "%s: %s", path, rule);
}

static enum err violatedf(const struct check *check, const struct place *place,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err
violatedf(const struct check *check, const struct place *place,
          const char *format, ...)
{
    auto_char *rule = NULL;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&rule, format, args);
    va_end(args);
    if (len < 0) {
        rule = NULL; /* glibc leaves it undefined */
        return ERR_NOMEM;
    }
    return violated(check, place, rule);
}

/* The first failure decides, but no memory outranks a violation. */
static enum err
worse(enum err a, enum err b)
{
    if (a == ERR_NOMEM || b == ERR_OK)
        return a;
    return b;
}

static enum err
keep(json_t *canonical, json_t **canonical_out)
{
    if (canonical == NULL)
        return ERR_NOMEM;
    *canonical_out = canonical;
    return ERR_OK;
}

static enum err
check_integer(const struct check *check, const struct schema *schema,
              const json_t *value, const struct place *place,
              json_t **canonical_out)
{
    json_int_t number;

    if (json_is_integer(value)) {
        number = json_integer_value(value);
    } else if (json_is_real(value)) {
        double real = json_real_value(value);

        /* 2^63 is a double, INT64_MAX is not. */
        if (real >= 0x1p63)
            return violatedf(check, place,
                             "must be at most %" JSON_INTEGER_FORMAT,
                             schema->max);
        if (real < -0x1p63)
            return violatedf(check, place,
                             "must be at least %" JSON_INTEGER_FORMAT,
                             schema->min);
        number = (json_int_t)real;
        if ((double)number != real)
            return violated(check, place, "must be an integer");
    } else {
        return violated(check, place, "must be an integer");
    }
    if (number < schema->min)
        return violatedf(check, place, "must be at least %" JSON_INTEGER_FORMAT,
                         schema->min);
    if (number > schema->max)
        return violatedf(check, place, "must be at most %" JSON_INTEGER_FORMAT,
                         schema->max);
    return keep(json_integer(number), canonical_out);
}

static enum err
check_uri(const struct check *check, const json_t *value,
          const struct place *place)
{
    const char *text = json_string_value(value);
    UriUriA uri;
    int result;
    bool is_absolute;

    result = uriParseSingleUriExA(&uri, text, text + json_string_length(value),
                                  NULL);
    if (result == URI_ERROR_MALLOC)
        return ERR_NOMEM;
    if (result == URI_SUCCESS) {
        is_absolute = uri.scheme.first != NULL;
        uriFreeUriMembersA(&uri);
        if (is_absolute)
            return ERR_OK;
    }
    return violated(check, place, "must be an absolute URI");
}

static enum err
check_one_of(const struct check *check, const char *const *one_of,
             const json_t *value, const struct place *place)
{
    auto_char *list = NULL;

    for (const char *const *word = one_of; *word != NULL; word++)
        if (strcmp(*word, json_string_value(value)) == 0)
            return ERR_OK;
    for (const char *const *word = one_of; *word != NULL; word++) {
        char *longer = NULL;

        if (asprintf(&longer, "%s%s\"%s\"", list != NULL ? list : "",
                     list != NULL ? ", " : "", *word) < 0)
            return ERR_NOMEM;
        free(list);
        list = longer;
    }
    return violatedf(check, place, "must be one of %s", list);
}

static enum err
check_string(const struct check *check, const struct schema *schema,
             const json_t *value, const struct place *place,
             json_t **canonical_out)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    enum err err = ERR_OK;

    if (text == NULL)
        return violated(check, place, "must be a string");
    if (utf8_count(text, len) < schema->min_length)
        err = violatedf(check, place, "must have at least %zu character%s",
                        schema->min_length, number_ending(schema->min_length));
    if (schema->is_uri)
        err = worse(err, check_uri(check, value, place));
    if (schema->one_of != NULL)
        err = worse(err, check_one_of(check, schema->one_of, value, place));
    if (err != ERR_OK)
        return err;
    return keep(json_stringn_nocheck(text, len), canonical_out);
}

static enum err
check_array(const struct check *check, const struct schema *schema,
            const json_t *value, const struct place *place,
            json_t **canonical_out)
{
    json_auto_t *canonical = NULL;
    struct place below = {.parent = place};
    enum err err = ERR_OK;

    if (!json_is_array(value))
        return violated(check, place, "must be an array");
    canonical = json_array();
    if (canonical == NULL)
        return ERR_NOMEM;
    if (json_array_size(value) < schema->min_length)
        err = violatedf(check, place, "must have at least %zu item%s",
                        schema->min_length, number_ending(schema->min_length));
    for (size_t i = 0; i < json_array_size(value) && err != ERR_NOMEM; i++) {
        json_t *item = NULL;

        below.index = i;
        err = worse(err, check_value(check, schema->items,
                                     json_array_get(value, i), &below, &item));
        if (item != NULL && json_array_append_new(canonical, item) < 0)
            err = ERR_NOMEM;
    }
    return err == ERR_OK ? keep(json_incref(canonical), canonical_out) : err;
}

static enum err
check_member(const struct check *check, const struct schema_member *member,
             const json_t *object, const struct place *place, json_t *canonical)
{
    const json_t *value = json_object_get(object, member->name);
    struct place below = {.parent = place, .name = member->name};
    struct decode_fault ignored; /* unset is ours, and JSON */
    json_t *part = NULL;
    enum err err = ERR_OK;

    if (value != NULL)
        err = check_value(check, &member->schema, value, &below, &part);
    else if (member->is_required)
        err = violated(check, &below, "is required");
    else if (member->unset != NULL)
        err =
            decode_json(member->unset, strlen(member->unset), &part, &ignored);

    if (part != NULL &&
        json_object_set_new_nocheck(canonical, member->name, part) < 0)
        return ERR_NOMEM;
    return err;
}

const struct schema_member *
schema_find(const struct schema *schema, const char *name)
{
    const struct schema_member *member = schema->members;

    while (member->name != NULL && strcmp(member->name, name) != 0)
        member++;
    return member->name != NULL ? member : NULL;
}

static enum err
check_names(const struct check *check, const struct schema *schema,
            const json_t *object, const struct place *place)
{
    auto_char *path = place_text(place);
    /* The iterator's functions take no const, but change nothing. */
    json_t *members = (json_t *)(uintptr_t)object;
    enum err err = ERR_OK;

    if (path == NULL)
        return ERR_NOMEM;
    for (void *at = json_object_iter(members); at != NULL && err != ERR_NOMEM;
         at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);

        if (schema_find(schema, name) == NULL)
            err = messages_add_unknown(check->messages, path, name);
    }
    return err;
}

static enum err
check_object(const struct check *check, const struct schema *schema,
             const json_t *value, const struct place *place,
             json_t **canonical_out)
{
    json_auto_t *canonical = NULL;
    enum err err = ERR_OK;

    if (!json_is_object(value))
        return violated(check, place, "must be an object");
    canonical = json_object();
    if (canonical == NULL)
        return ERR_NOMEM;
    for (const struct schema_member *member = schema->members;
         member->name != NULL && err != ERR_NOMEM; member++)
        err = worse(err, check_member(check, member, value, place, canonical));
    if (check->is_strict && err != ERR_NOMEM)
        err = worse(err, check_names(check, schema, value, place));
    return err == ERR_OK ? keep(json_incref(canonical), canonical_out) : err;
}

static enum err
check_value(const struct check *check, const struct schema *schema,
            const json_t *value, const struct place *place,
            json_t **canonical_out)
{
    switch (schema->type) {
    case SCHEMA_BOOLEAN:
        if (!json_is_boolean(value))
            return violated(check, place, "must be a boolean");
        return keep(json_boolean(json_is_true(value)), canonical_out);
    case SCHEMA_INTEGER:
        return check_integer(check, schema, value, place, canonical_out);
    case SCHEMA_STRING:
        return check_string(check, schema, value, place, canonical_out);
    case SCHEMA_ARRAY:
        return check_array(check, schema, value, place, canonical_out);
    case SCHEMA_OBJECT:
        break;
    }
    return check_object(check, schema, value, place, canonical_out);
}

enum err
validate(const struct schema *schema, const json_t *value, const char *path,
         bool is_strict, json_t *messages, json_t **canonical_out)
{
    struct check check = {.is_strict = is_strict, .messages = messages};
    struct place place = {.name = path};

    return check_value(&check, schema, value, &place, canonical_out);
}
