// SPDX-License-Identifier: MIT
#include "promises.h"

#include "store/open.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reservation, which no file shows. */
#define MAP_SIZE ((size_t)256 << 20)

/* What a client was told: this version has this value. */
struct promise {
    char *answer;            /* CGI's: header and body */
    char *id, *tenant, *key; /* of the request */
    bool is_write;           /* which made the version */
    uint64_t version;
    const char *value; /* in answer */
    size_t value_len;
};

static void
out_of_memory(void)
{
    fputs("promises: out of memory\n", stderr);
    abort();
}

/* The answer in what was sent: FastCGI records (section 3.3), whose headers may
 * stand anywhere in it, or itself. With a NUL. */
static char *
read_answer(const char *bytes, size_t len, size_t *len_out)
{
    enum { HEADER_LEN = 8, STDOUT = 6 };
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + len;
    char *answer = malloc(len + 1), *to = answer;

    if (answer == NULL)
        out_of_memory();
    if (len > 0 && *at != 1) { /* no version of FastCGI's */
        to = mempcpy(to, bytes, len);
        at = end;
    }
    while (end - at >= HEADER_LEN) {
        size_t content_len = (size_t)(at[4] << 8 | at[5]);
        size_t padding_len = at[6];
        bool is_answer = at[1] == STDOUT;

        at += HEADER_LEN;
        if ((size_t)(end - at) < content_len + padding_len)
            break;
        if (is_answer)
            to = mempcpy(to, at, content_len);
        at += content_len + padding_len;
    }
    *to = '\0';
    *len_out = (size_t)(to - answer);
    return answer;
}

/* The text behind prefix, up to a character of end; NULL if it is not there. */
static char *
field(const char *bytes, size_t len, const char *prefix, const char *end)
{
    const char *at = memmem(bytes, len, prefix, strlen(prefix));
    char *text;

    if (at == NULL)
        return NULL;
    at += strlen(prefix);
    text = strndup(at, strcspn(at, end));
    if (text == NULL)
        out_of_memory();
    return text;
}

/* The value of an answer's body. */
static bool
find_value(const char *bytes, size_t len, struct promise *promise)
{
    static const char before[] = "{\"value\":", behind[] = ",\"updated_at\":";
    const char *value = memmem(bytes, len, before, sizeof(before) - 1);
    const char *end;

    if (value == NULL)
        return false;
    value += sizeof(before) - 1;
    end = memmem(value, (size_t)(bytes + len - value), behind,
                 sizeof(behind) - 1);
    if (end == NULL)
        return false;
    promise->value = value;
    promise->value_len = (size_t)(end - value);
    return true;
}

static void
append(struct promises *promises, const struct promise *promise)
{
    if (promises->count == promises->max) {
        promises->max = promises->max * 2 + 64;
        promises->list =
            realloc(promises->list, promises->max * sizeof(*promise));
        if (promises->list == NULL)
            out_of_memory();
    }
    promises->list[promises->count++] = *promise;
}

static void
clear(struct promise *promise)
{
    free(promise->answer);
    free(promise->id);
    free(promise->tenant);
    free(promise->key);
}

void
promises_add(struct promises *promises, const char *bytes, size_t bytes_len)
{
    size_t len;
    char *answer = read_answer(bytes, bytes_len, &len);
    char *status = field(answer, len, "Status: ", " ");
    char *etag = field(answer, len, "ETag: \"", "\"");
    struct promise promise = {
        .answer = answer,
        .id = field(answer, len, "X-Request-Id: ", "\r"),
        .version = etag != NULL ? strtoull(etag, NULL, 10) : 0,
    };

    if (status != NULL && strcmp(status, "200") == 0 && promise.version > 0 &&
        promise.id != NULL && find_value(answer, len, &promise) &&
        sscanf(promise.id, "%m[^:]:%m[^:]:", &promise.tenant, &promise.key) ==
            2) {
        promise.is_write = strstr(promise.id, ":read") == NULL;
        append(promises, &promise);
    } else {
        clear(&promise);
    }
    free(status);
    free(etag);
}

void
promises_clear(struct promises *promises)
{
    for (size_t i = 0; i < promises->count; i++)
        clear(&promises->list[i]);
    free(promises->list);
    *promises = (struct promises){0};
}

struct found {
    const struct promise *promise;
    bool is_kept;
};

static bool
is_value(const struct record *record, const struct promise *promise)
{
    return record->value_len == promise->value_len &&
           memcmp(record->value, promise->value, promise->value_len) == 0;
}

static enum err
compare(void *ctx, const struct record *record,
        const struct record_origin *origin)
{
    struct found *found = ctx;
    const struct promise *promise = found->promise;

    found->is_kept =
        record->version == promise->version && is_value(record, promise) &&
        (!promise->is_write || strcmp(origin->request_id, promise->id) == 0);
    return ERR_OK;
}

static bool
is_kept(struct store *store, const struct promise *promise)
{
    struct found found = {.promise = promise};
    struct record record;
    bool is_current;

    if (store_history(store, promise->tenant, promise->key,
                      promise->version + 1, 1, compare, &found) != ERR_OK ||
        store_get(store, promise->tenant, promise->key, &record) != ERR_OK)
        return false;
    is_current =
        record.version > promise->version ||
        (record.version == promise->version && is_value(&record, promise));
    record_clear(&record);
    return found.is_kept && is_current;
}

/* A record's history holds each version, and the newest is the record. */
struct chain {
    struct store *store;
    const struct record *record;
    uint64_t next;
};

static enum err
follow(void *ctx, const struct record *record,
       const struct record_origin *origin)
{
    struct chain *chain = ctx;
    const struct record *current = chain->record;

    (void)origin;
    if (record->version != chain->next--)
        return ERR_STORE;
    if (record->version == current->version &&
        (record->value_len != current->value_len ||
         memcmp(record->value, current->value, record->value_len) != 0))
        return ERR_STORE;
    return ERR_OK;
}

static enum err
follow_history(void *ctx, const char *tenant, const char *key,
               const struct record *record)
{
    struct chain chain = {ctx, record, record->version};
    enum err err =
        store_history(chain.store, tenant, key, 0, SIZE_MAX, follow, &chain);

    return err == ERR_OK && chain.next == 0 ? ERR_OK : ERR_STORE;
}

static bool
is_writable(struct store *store)
{
    struct store_write write = {
        .tenant = "after",
        .key = "crash",
        .value = "1",
        .value_len = 1,
        .base = STORE_ANY_VERSION,
    };
    struct record record;
    bool is_there;

    if (store_commit_one(store, &write) != ERR_OK ||
        store_get(store, "after", "crash", &record) != ERR_OK)
        return false;
    is_there = record.version == 1 && record.value_len == 1;
    record_clear(&record);
    return is_there;
}

const char *
promises_examine(const struct promises *promises, const char *directory)
{
    static char text[512];
    struct store_options options = {.path = directory, .map_size = MAP_SIZE};
    struct store *store;
    char why[400];

    if (store_open(&options, &store, why, sizeof(why)) != ERR_OK) {
        snprintf(text, sizeof(text), "does not open: %s", why);
        return text;
    }
    for (size_t i = 0; i < promises->count; i++) {
        const struct promise *promise = &promises->list[i];

        if (!is_kept(store, promise)) {
            snprintf(text, sizeof(text), "lost version %ju of %s %s",
                     (uintmax_t)promise->version, promise->tenant,
                     promise->key);
            return text;
        }
    }
    if (store_scan(store, follow_history, store) != ERR_OK)
        return "a history is not whole";
    if (!is_writable(store))
        return "cannot be written";
    store_close(store);
    return NULL;
}
