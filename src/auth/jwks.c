// SPDX-License-Identifier: MIT
#include "auth/jwks.h"

#include "auth/key_set.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "model/tenant.h"

/* What is remembered: some 3 KiB for a tenant with one RSA key. */
#define SETS_MAX 1024
#define KEYS_MAX 2048 /* of all sets together */
#define BUCKETS 256

struct set {
    struct set *next; /* in its bucket, the most recently used first */
    struct file_id id;
    bool is_settled;  /* nothing can have changed under this id */
    bool is_parsed;   /* content was, if only to find it broken */
    bool is_broken;   /* the last attempt failed */
    uint64_t content; /* hash of the bytes that were parsed last */
    struct key_set keys;
    char tenant[TENANT_MAX + 1];
};

struct jwks {
    char *text; /* of the template */
    struct tenant_template template;
    char *path;                   /* room for any tenant's */
    struct set *buckets[BUCKETS]; /* by the tenant's hash */
    size_t hand;                  /* the bucket that is trimmed next */
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
set_free(struct set *set)
{
    key_set_clear(&set->keys);
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
set_replace(struct set *set, struct key_set *keys)
{
    key_set_clear(&set->keys);
    set->keys = *keys;
    set->is_broken = false;
    if (set->is_parsed) /* before, so this is a change */
        log_event(LOG_LEVEL_NOTICE, "jwks_loaded",
                  LOG_TEXT("tenant", set->tenant),
                  LOG_NUMBER("keys", (int64_t)keys->count),
                  LOG_NUMBER("skipped", (int64_t)keys->skipped));
    if (keys->has_private)
        log_event(LOG_LEVEL_WARNING, "jwks_private",
                  LOG_TEXT("tenant", set->tenant),
                  LOG_TEXT("reason", "the key set holds a private key"));
}

static void
note_skipped(void *ctx, const char *kid, const char *why)
{
    const struct set *set = ctx;

    log_event(LOG_LEVEL_NOTICE, "jwks_key_skipped",
              LOG_TEXT("tenant", set->tenant), LOG_TEXT("kid", kid),
              LOG_TEXT("reason", why));
}

static enum err
set_parse(struct set *set, const char *text, size_t len)
{
    uint64_t content = hash_bytes(text, len);
    struct key_set keys = {0};
    const char *why = "is too large";
    enum err err = ERR_INVALID;

    if (set->is_parsed && set->content == content) {
        set->is_broken = false;
        return ERR_OK;
    }
    if (len <= JWKS_BYTES_MAX)
        err = key_set_parse(&keys, text, len, note_skipped, set, &why);
    if (err == ERR_OK) {
        set_replace(set, &keys);
    } else {
        key_set_clear(&keys);
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

static struct set **
jwks_bucket(struct jwks *jwks, const char *tenant)
{
    return &jwks->buckets[hash_bytes(tenant, strlen(tenant)) % BUCKETS];
}

/* Forgets the set that was not used for longest in the next bucket; returns how
 * many keys it had. The newest stays, and so does an empty bucket. */
static size_t
jwks_forget_one(struct jwks *jwks, const struct set *newest, size_t *sets)
{
    struct set **link = &jwks->buckets[jwks->hand++ % BUCKETS];
    struct set *oldest;
    size_t keys;

    while (*link != NULL && (*link)->next != NULL)
        link = &(*link)->next;
    oldest = *link;
    if (oldest == NULL || oldest == newest)
        return 0;
    keys = oldest->keys.count;
    *link = NULL;
    set_free(oldest);
    --*sets;
    return keys;
}

static void
jwks_trim(struct jwks *jwks, const struct set *newest)
{
    size_t sets = 0, keys = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct set *set = jwks->buckets[i]; set; set = set->next) {
            sets++;
            keys += set->keys.count;
        }
    }
    while (sets > 1 && (sets > SETS_MAX || keys > KEYS_MAX))
        keys -= jwks_forget_one(jwks, newest, &sets);
}

/* Takes the tenant's set out of its bucket; NULL if it is not there. */
static struct set *
jwks_take(struct set **bucket, const char *tenant)
{
    for (struct set **link = bucket; *link; link = &(*link)->next) {
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
    tenant_template_put(&jwks->template, tenant, jwks->path);
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

/* Brings the tenant's set up to date and to the front of its bucket. */
static enum err
jwks_refresh(struct jwks *jwks, const char *tenant, struct set **set_out)
{
    const char *path = jwks_path(jwks, tenant);
    struct file_id seen = file_id_read(path);
    struct set **bucket = jwks_bucket(jwks, tenant);
    struct set *set = jwks_take(bucket, tenant);
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
    set->next = *bucket;
    *bucket = set;
    if (!set->is_settled || !file_id_equals(&set->id, &seen)) {
        err = set_load(set, path, &seen);
        jwks_trim(jwks, set);
    }
    *set_out = set;
    return err;
}

struct jwks *
jwks_new(const char *path)
{
    struct jwks *jwks = calloc(1, sizeof(*jwks));

    if (jwks == NULL)
        return NULL;
    jwks->text = strdup(path);
    if (jwks->text != NULL) {
        (void)tenant_template_parse(jwks->text, &jwks->template); /* it has */
        jwks->path = malloc(tenant_template_size(&jwks->template));
    }
    if (jwks->path == NULL) {
        jwks_free(jwks);
        return NULL;
    }
    return jwks;
}

void
jwks_free(struct jwks *jwks)
{
    if (jwks == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (jwks->buckets[i] != NULL) {
            struct set *set = jwks->buckets[i];

            jwks->buckets[i] = set->next;
            set_free(set);
        }
    }
    free(jwks->path);
    free(jwks->text);
    free(jwks);
}

const struct tenant_template *
jwks_template(const struct jwks *jwks)
{
    return &jwks->template;
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
    key = key_set_find(&set->keys, kid, alg);
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

    return jwks_refresh(jwks, tenant, &set) == ERR_OK && set->keys.count > 0;
}

uint64_t
jwks_generation(struct jwks *jwks, const char *tenant)
{
    struct file_id id = file_id_read(jwks_path(jwks, tenant));

    return generation(jwks, &id, !file_id_is_young(&id));
}
