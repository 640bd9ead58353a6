// SPDX-License-Identifier: MIT
#include "store/record.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

/* A copy of NULL is NULL. False if there is no memory. */
static bool
copy_text(const char *text, char **copy_out)
{
    *copy_out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy_out != NULL;
}

bool
record_is_newer(const struct record *record, const struct record *other)
{
    return record->seq != other->seq ? record->seq > other->seq
                                     : record->updated_at > other->updated_at;
}

enum err
record_copy(const struct record *record, struct record *copy_out)
{
    auto_char *value = NULL;
    auto_char *author = NULL;

    if (!copy_text(record->author, &author))
        return ERR_NOMEM;
    if (record_is_set(record)) {
        value = malloc(record->value_len + 1);
        if (value == NULL)
            return ERR_NOMEM;
        memcpy(value, record->value, record->value_len);
        value[record->value_len] = '\0';
    }
    *copy_out = *record;
    copy_out->value = value;
    copy_out->author = author;
    value = author = NULL;
    return ERR_OK;
}

enum err
record_origin_copy(const struct record_origin *origin,
                   struct record_origin *copy_out)
{
    struct record_origin copy = {NULL, NULL};

    if (copy_text(origin->request_id, &copy.request_id) &&
        copy_text(origin->note, &copy.note)) {
        *copy_out = copy;
        return ERR_OK;
    }
    record_origin_clear(&copy);
    return ERR_NOMEM;
}

void
record_clear(struct record *record)
{
    if (record->value != NULL) /* there may be a secret in it */
        explicit_bzero(record->value, record->value_len);
    free(record->value);
    free(record->author);
    *record = (struct record){0};
}

void
record_origin_clear(struct record_origin *origin)
{
    free(origin->request_id);
    free(origin->note);
    *origin = (struct record_origin){0};
}
