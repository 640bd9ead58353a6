// SPDX-License-Identifier: MIT
#include "jwks.h"

#include "decode.h"
#include "file.h"
#include "log.h"
#include "util.h"

#include <jansson.h>

#define SETS_MAX 256
#define KEYS_MAX 512 /* of all sets together, and of one */

struct key_list {
    struct jwk *keys;
    size_t count;
    size_t skipped;
    bool has_private;
};

struct set {
    struct set *next; /* the most recently used first */
    struct file_id id;
    bool is_settled;  /* nothing can have changed under this id */
    bool is_parsed;   /* content was, if only to find it broken */
    bool is_broken;   /* the last attempt failed */
    uint64_t content; /* hash of the bytes that were parsed last */
    struct key_list list;
    char tenant[TENANT_MAX + 1];
};

struct jwks {
    char *path; /* room for any tenant between prefix and suffix */
    size_t prefix_len;
    char *suffix;
    struct set *sets;
    uint64_t young_count;
};

/* An id that is not settled gets a generation that equals no other, so that
 * nothing is kept under it. Even: a hash is odd. */
static uint64_t
generation(struct jwks *jwks, const struct file_id *id, bool is_settled)
{
    if (file_id_is_gone(id))
        return 0;
    return is_settled ? file_id_hash(id) : (jwks->young_count += 2);
}

static void
key_list_clear(struct key_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        jwk_clear(&list->keys[i]);
    free(list->keys);
    *list = (struct key_list){0};
}

static enum err
key_list_add(struct key_list *list, const json_t *json, const char **why_out)
{
    const char *unfit;
    enum err err;

    if (list->count == KEYS_MAX) {
        *why_out = "holds too many keys";
        return ERR_INVALID;
    }
    if (jwk_is_private(json))
        list->has_private = true;
    err = jwk_read(json, JWK_PUBLIC, &list->keys[list->count], &unfit);
    if (err == ERR_OK)
        list->count++;
    else if (err == ERR_INVALID)
        list->skipped++;
    return err == ERR_NOMEM ? err : ERR_OK;
}

/* ERR_INVALID: the text is no key set, for the reason *why_out. */
static enum err
key_list_parse(struct key_list *list, const char *text, size_t len,
               const char **why_out)
{
    struct decode_fault fault;
    json_auto_t *root = NULL;
    const json_t *keys, *key;
    enum err err;
    size_t i;

    err = decode_json(text, len, &root, &fault);
    if (err != ERR_OK) {
        *why_out = fault.text;
        return err == ERR_NOMEM ? err : ERR_INVALID;
    }
    keys = json_object_get(root, "keys");
    if (!json_is_array(keys)) {
        *why_out = "has no array \"keys\"";
        return ERR_INVALID;
    }
    list->keys = calloc(json_array_size(keys) + 1, sizeof(*list->keys));
    if (list->keys == NULL)
        return ERR_NOMEM;
    json_array_foreach(keys, i, key)
    {
        err = key_list_add(list, key, why_out);
        if (err != ERR_OK)
            break;
    }
    return err;
}

enum err
jwks_check(const char *text, size_t len, size_t *count_out,
           const char **why_out)
{
    struct key_list list = {0};
    enum err err = key_list_parse(&list, text, len, why_out);
    size_t count = list.count;

    if (err == ERR_OK && list.has_private)
        *why_out = "holds a private key";
    else if (err == ERR_OK && count == 0)
        *why_out = "holds no key that can be used";
    if (err == ERR_OK && (list.has_private || count == 0))
        err = ERR_INVALID;
    key_list_clear(&list);
    if (err == ERR_OK)
        *count_out = count;
    return err;
}

static void
set_free(struct set *set)
{
    key_list_clear(&set->list);
    free(set);
}

/* The log says it once per change, and not again while it stays so. */
static void
set_break(struct set *set, const char *why, bool is_change)
{
    if (is_change || !set->is_broken)
        log_event(LOG_LEVEL_ERR, "jwks_broken", LOG_TEXT("tenant", set->tenant),
                  LOG_TEXT("reason", why));
    set->is_broken = true;
}

static void
set_replace(struct set *set, struct key_list *list)
{
    key_list_clear(&set->list);
    set->list = *list;
    set->is_broken = false;
    if (set->is_parsed) /* before, so this is a change */
        log_event(LOG_LEVEL_NOTICE, "jwks_loaded",
                  LOG_TEXT("tenant", set->tenant),
                  LOG_NUMBER("keys", (int64_t)list->count),
                  LOG_NUMBER("skipped", (int64_t)list->skipped));
    if (list->has_private)
        log_event(LOG_LEVEL_WARNING, "jwks_private",
                  LOG_TEXT("tenant", set->tenant),
                  LOG_TEXT("reason", "the key set holds a private key"));
}

static enum err
set_parse(struct set *set, const char *text, size_t len)
{
    uint64_t content = hash_bytes(text, len);
    struct key_list list = {0};
    const char *why = "is too large";
    enum err err = ERR_INVALID;

    if (set->is_parsed && set->content == content) {
        set->is_broken = false;
        return ERR_OK;
    }
    if (len <= JWKS_BYTES_MAX)
        err = key_list_parse(&list, text, len, &why);
    if (err == ERR_OK) {
        set_replace(set, &list);
    } else {
        key_list_clear(&list);
        if (err == ERR_NOMEM)
            return err;
        set_break(set, why, true);
    }
    set->is_parsed = true;
    set->content = content;
    return ERR_OK;
}

/* ERR_NOMEM: the set is not settled, so the next use tries again. */
static enum err
set_load(struct set *set, const char *path, const struct file_id *seen)
{
    auto_char *text = malloc(JWKS_BYTES_MAX + 1);
    bool is_change = !file_id_equals(&set->id, seen);
    const char *why;
    size_t len = 0;
    enum err err;

    set->is_settled = false;
    if (text == NULL)
        return ERR_NOMEM;
    set->id = *seen;
    why = file_read(path, text, JWKS_BYTES_MAX + 1, &len, &set->id);
    if (why != NULL) {
        set_break(set, why, is_change);
        return ERR_OK;
    }
    err = set_parse(set, text, len);
    set->is_settled = err == ERR_OK && !file_id_is_young(&set->id);
    return err;
}

static void
jwks_trim(struct jwks *jwks)
{
    size_t sets = 0, keys = 0;
    struct set **link = &jwks->sets;

    while (*link != NULL) {
        struct set *set = *link;

        sets++;
        keys += set->list.count;
        if (sets > 1 && (sets > SETS_MAX || keys > KEYS_MAX)) {
            *link = set->next;
            set_free(set);
        } else {
            link = &set->next;
        }
    }
}

/* Takes the tenant's set out of the list; NULL if it is not there. */
static struct set *
jwks_take(struct jwks *jwks, const char *tenant)
{
    for (struct set **link = &jwks->sets; *link; link = &(*link)->next) {
        struct set *set = *link;

        if (strcmp(set->tenant, tenant) == 0) {
            *link = set->next;
            return set;
        }
    }
    return NULL;
}

static const char *
jwks_path(struct jwks *jwks, const char *tenant)
{
    char *end = stpcpy(jwks->path + jwks->prefix_len, tenant);

    memcpy(end, jwks->suffix, strlen(jwks->suffix) + 1);
    return jwks->path;
}

static void
jwks_remove(struct set *set)
{
    if (set == NULL)
        return;
    log_event(LOG_LEVEL_NOTICE, "jwks_removed",
              LOG_TEXT("tenant", set->tenant));
    set_free(set);
}

/* Brings the tenant's set up to date and to the front of the list. */
static enum err
jwks_refresh(struct jwks *jwks, const char *tenant, struct set **set_out)
{
    const char *path = jwks_path(jwks, tenant);
    struct file_id seen = file_id_read(path);
    struct set *set = jwks_take(jwks, tenant);
    enum err err = ERR_OK;

    if (file_id_is_gone(&seen)) {
        jwks_remove(set);
        return ERR_NOTFOUND;
    }
    if (set == NULL) {
        set = calloc(1, sizeof(*set));
        if (set == NULL)
            return ERR_NOMEM;
        memcpy(set->tenant, tenant, strlen(tenant) + 1);
    }
    set->next = jwks->sets;
    jwks->sets = set;
    if (!set->is_settled || !file_id_equals(&set->id, &seen)) {
        err = set_load(set, path, &seen);
        jwks_trim(jwks);
    }
    *set_out = set;
    return err;
}

/* NULL if there is none. */
static const struct jwk *
set_find(const struct set *set, const char *kid, const char *alg)
{
    const struct jwk *found = NULL;

    if (kid == NULL)
        return set->list.count == 1 ? &set->list.keys[0] : NULL;
    for (size_t i = 0; i < set->list.count; i++) {
        const struct jwk *key = &set->list.keys[i];

        if (key->kid != NULL && strcmp(key->kid, kid) == 0 &&
            (found == NULL || strcmp(key->alg, alg) == 0))
            found = key;
    }
    return found;
}

struct jwks *
jwks_new(const char *path)
{
    const char *slot = find_tenant_slot(path);
    struct jwks *jwks = calloc(1, sizeof(*jwks));

    if (jwks == NULL)
        return NULL;
    jwks->prefix_len = (size_t)(slot - path);
    jwks->path = malloc(strlen(path) + TENANT_MAX + 1);
    jwks->suffix = strdup(slot + strlen(TENANT_SLOT));
    if (jwks->path == NULL || jwks->suffix == NULL) {
        jwks_free(jwks);
        return NULL;
    }
    memcpy(jwks->path, path, jwks->prefix_len);
    return jwks;
}

void
jwks_free(struct jwks *jwks)
{
    if (jwks == NULL)
        return;
    while (jwks->sets != NULL) {
        struct set *set = jwks->sets;

        jwks->sets = set->next;
        set_free(set);
    }
    free(jwks->path);
    free(jwks->suffix);
    free(jwks);
}

enum err
jwks_find(struct jwks *jwks, const char *tenant, const char *kid,
          const char *alg, const struct jwk **key_out, uint64_t *generation_out)
{
    const struct jwk *key;
    struct set *set;
    enum err err;

    err = jwks_refresh(jwks, tenant, &set);
    if (err != ERR_OK)
        return err;
    key = set_find(set, kid, alg);
    if (key == NULL)
        return ERR_NOTFOUND;
    *key_out = key;
    *generation_out = generation(jwks, &set->id, set->is_settled);
    return ERR_OK;
}

bool
jwks_has_key(struct jwks *jwks, const char *tenant)
{
    struct set *set;

    return jwks_refresh(jwks, tenant, &set) == ERR_OK && set->list.count > 0;
}

uint64_t
jwks_generation(struct jwks *jwks, const char *tenant)
{
    struct file_id id = file_id_read(jwks_path(jwks, tenant));

    return generation(jwks, &id, !file_id_is_young(&id));
}
