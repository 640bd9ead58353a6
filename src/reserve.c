// SPDX-License-Identifier: MIT
#include "reserve.h"

#include "util.h"

#include <cjose/util.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>

/* A verification takes 17 KiB of it with the largest token and key; a key set
 * of 256 KiB that is all empty objects, 18 MiB. */
#define RESERVE_BYTES ((size_t)32 * 1024 * 1024)
#define ALIGNMENT alignof(max_align_t)

/* Memory is handed out from the start on, and none is used again before all
 * of it has come back: OpenSSL may keep some, with a key for one. Pages that
 * were never touched cost nothing. */
static struct {
    pthread_mutex_t lock;
    size_t used;
    size_t count;
    alignas(max_align_t) unsigned char bytes[RESERVE_BYTES];
} reserve = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct {
    bool is_open;
    bool was_refused;
} section;

static bool
is_reserved(const void *memory)
{
    const unsigned char *byte = (const unsigned char *)memory;

    return byte >= reserve.bytes && byte < reserve.bytes + RESERVE_BYTES;
}

/* What malloc refused. */
static void *
take_reserved(size_t size)
{
    void *memory = NULL;

    section.was_refused = true;
    if (!section.is_open || size > RESERVE_BYTES)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pthread_mutex_lock(&reserve.lock);
    if (size <= RESERVE_BYTES - reserve.used) {
        memory = reserve.bytes + reserve.used;
        reserve.used += size;
        reserve.count++;
    }
    pthread_mutex_unlock(&reserve.lock);
    return memory;
}

static void
release(void *memory)
{
    if (!is_reserved(memory)) {
        free(memory);
        return;
    }
    pthread_mutex_lock(&reserve.lock);
    if (--reserve.count == 0)
        reserve.used = 0;
    pthread_mutex_unlock(&reserve.lock);
}

static void *
allocate(size_t size)
{
    void *memory = malloc(size);

    return memory != NULL || size == 0 ? memory : take_reserved(size);
}

static void *
reallocate(void *old, size_t size)
{
    void *memory = is_reserved(old) ? NULL : realloc(old, size);
    size_t room;

    if (memory != NULL || size == 0)
        return memory;
    memory = is_reserved(old) ? allocate(size) : take_reserved(size);
    if (memory == NULL || old == NULL)
        return memory;
    /* What is behind the old block is copied along: it is ours, too. */
    room = is_reserved(old)
               ? (size_t)(&reserve.bytes[RESERVE_BYTES] - (unsigned char *)old)
               : malloc_usable_size(old);
    memmove(memory, old, room < size ? room : size);
    release(old);
    return memory;
}

static void *
openssl_allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return allocate(size);
}

static void *
openssl_reallocate(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return reallocate(old, size);
}

static void
openssl_release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    release(memory);
}

bool
reserve_init(void)
{
    cjose_set_alloc_funcs(allocate, reallocate, release); /* Jansson's, too */
    return CRYPTO_set_mem_functions(openssl_allocate, openssl_reallocate,
                                    openssl_release) == 1;
}

void
reserve_enter(void)
{
    section.is_open = true;
    section.was_refused = false;
}

bool
reserve_leave(void)
{
    section.is_open = false;
    return section.was_refused;
}
