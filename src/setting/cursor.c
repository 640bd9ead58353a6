// SPDX-License-Identifier: MIT
#include "setting/cursor.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

static void
put_id(const struct record *record, char id_out[ETAG_ID_LEN + 1])
{
    char *end = id_out;

    if (record->has_write_id)
        end = etag_put_id(end, record->write_id);
    *end = '\0';
}

void
cursor_text(const char *key, const struct record *record,
            char text_out[CURSOR_SIZE])
{
    unsigned long long seq = record->seq;
    unsigned long long time = (unsigned long long)record->updated_at;
    unsigned long long version = record->version;
    char id[ETAG_ID_LEN + 1];

    put_id(record, id);
    if (seq != 0)
        snprintf(text_out, CURSOR_SIZE, "%llu-%s", seq, id);
    else
        snprintf(text_out, CURSOR_SIZE, "0-%llu-%llu-%s", time, version, key);
}

/* Reads a number, and passes it with the hyphen behind it. */
static bool
read_part(const char **at, uint64_t *number_out)
{
    const char *end = number_scan(*at, number_out);
    bool is_good = end != *at && *end == '-' && *number_out < UINT64_MAX;

    *at = end + is_good;
    return is_good;
}

bool
cursor_read(const char *text, struct cursor *cursor_out)
{
    struct store_place *place = &cursor_out->place;
    uint64_t time = 0;

    memset(cursor_out, 0, sizeof(*cursor_out));
    if (!read_part(&text, &place->seq))
        return false;
    if (place->seq != 0) {
        if (strlen(text) != ETAG_ID_LEN ||
            strspn(text, "0123456789abcdef") != ETAG_ID_LEN)
            return false;
        memcpy(cursor_out->id, text, ETAG_ID_LEN);
        return true;
    }
    if (!read_part(&text, &time) || !read_part(&text, &place->version) ||
        *text == '\0' || strlen(text) > STORE_KEY_MAX)
        return false;
    place->time = (int64_t)time;
    memcpy(place->key, text, strlen(text));
    return true;
}

/* What is looked for, and what was found of it. */
struct search {
    const struct cursor *cursor;
    bool is_found, is_other;
};

static enum err
compare(void *ctx, const char *key, const struct record *record,
        const struct record_origin *origin)
{
    struct search *search = ctx;
    const struct cursor *cursor = search->cursor;
    const struct store_place place = store_place_of(key, record);
    char id[ETAG_ID_LEN + 1];

    (void)origin;
    put_id(record, id);
    if (store_place_compare(&place, &cursor->place) == 0) {
        search->is_found = strcmp(id, cursor->id) == 0;
        search->is_other = !search->is_found;
    }
    return ERR_ENDED;
}

enum err
cursor_find(struct store *store, const char *tenant,
            const struct cursor *cursor, bool *is_other_out)
{
    struct search search = {.cursor = cursor};
    struct store_place before = cursor->place;
    enum err err;

    /* The place in front of it, which need not be that of a version. */
    if (before.seq != 0)
        before.seq--;
    else
        before.version--;
    err = store_timeline(store, tenant, STORE_NEWER, &before, compare, &search);
    *is_other_out = search.is_other;
    if (err != ERR_OK && err != ERR_ENDED)
        return err;
    return search.is_found ? ERR_OK : ERR_NOTFOUND;
}
