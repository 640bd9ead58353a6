// SPDX-License-Identifier: MIT
#include "auth/token_cache.h"

#include "base/util.h"

#include <string.h>

#define TAIL 32 /* bytes of the signature that make the hash */

struct entry {
    struct entry *chain; /* the next of the bucket */
    struct entry *newer, *older;
    struct token_verdict verdict;
    uint64_t hash;
    size_t len;
    char token[];
};

struct token_cache {
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    struct entry *newest, *oldest;
    size_t count, bytes;
    size_t entries_max, bytes_max;
};

/* The end of a token is its signature, as good as random; hashing the whole
 * would cost more than all the rest of a hit. */
static uint64_t
token_hash(const char *token, size_t len)
{
    size_t tail = len < TAIL ? len : TAIL;

    return hash_bytes(token + len - tail, tail) + len;
}

static struct entry **
find_link(const struct token_cache *cache, const char *token, size_t len)
{
    uint64_t hash = token_hash(token, len);
    struct entry **link = &cache->buckets[hash & (cache->bucket_count - 1)];

    while (*link != NULL && ((*link)->hash != hash || (*link)->len != len ||
                             memcmp((*link)->token, token, len) != 0))
        link = &(*link)->chain;
    return link;
}

static void
unlist(struct token_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) =
        entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) =
        entry->newer;
}

static void
enlist(struct token_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void
drop(struct token_cache *cache, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->chain;
    unlist(cache, entry);
    cache->count--;
    cache->bytes -= sizeof(*entry) + entry->len;
    free(entry);
}

struct token_cache *
token_cache_new(size_t entries_max, size_t bytes_max)
{
    struct token_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL)
        return NULL;
    cache->entries_max = entries_max;
    cache->bytes_max = bytes_max;
    cache->bucket_count = 1;
    while (cache->bucket_count < entries_max)
        cache->bucket_count *= 2;
    cache->buckets = calloc(cache->bucket_count, sizeof(*cache->buckets));
    if (cache->buckets == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void
token_cache_free(struct token_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->newest != NULL) {
        struct entry *entry = cache->newest;

        cache->newest = entry->older;
        free(entry);
    }
    free(cache->buckets);
    free(cache);
}

const struct token_verdict *
token_cache_find(struct token_cache *cache, const char *token, size_t len)
{
    struct entry *entry = *find_link(cache, token, len);

    if (entry == NULL)
        return NULL;
    if (entry != cache->newest) {
        unlist(cache, entry);
        enlist(cache, entry);
    }
    return &entry->verdict;
}

void
token_cache_put(struct token_cache *cache, const char *token, size_t len,
                const struct token_verdict *verdict)
{
    struct entry *entry;
    struct entry **link;

    token_cache_remove(cache, token, len);
    entry = malloc(sizeof(*entry) + len);
    if (entry == NULL)
        return;
    entry->verdict = *verdict;
    entry->hash = token_hash(token, len);
    entry->len = len;
    memcpy(entry->token, token, len);

    link = &cache->buckets[entry->hash & (cache->bucket_count - 1)];
    entry->chain = *link;
    *link = entry;
    enlist(cache, entry);
    cache->count++;
    cache->bytes += sizeof(*entry) + len;
    while (cache->count > cache->entries_max || cache->bytes > cache->bytes_max)
        drop(cache, find_link(cache, cache->oldest->token, cache->oldest->len));
}

void
token_cache_remove(struct token_cache *cache, const char *token, size_t len)
{
    struct entry **link = find_link(cache, token, len);

    if (*link != NULL)
        drop(cache, link);
}

size_t
token_cache_count(const struct token_cache *cache)
{
    return cache->count;
}

size_t
token_cache_bytes(const struct token_cache *cache)
{
    return cache->bytes;
}
