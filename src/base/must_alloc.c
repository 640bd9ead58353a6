// SPDX-License-Identifier: MIT
#include "base/must_alloc.h"

#include <cjose/util.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static must_alloc_end_fn *end_process;

static void *
check(void *memory, size_t size)
{
    if (memory == NULL && size > 0)
        end_process(size);
    return memory;
}

static void *
allocate(size_t size)
{
    return check(malloc(size), size);
}

static void *
reallocate(void *old, size_t size)
{
    return check(realloc(old, size), size);
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
    free(memory);
}

bool
must_alloc_set(must_alloc_end_fn *end)
{
    end_process = end;
    cjose_set_alloc_funcs(allocate, reallocate, free);
    json_set_alloc_funcs(allocate, free);
    return CRYPTO_set_mem_functions(openssl_allocate, openssl_reallocate,
                                    openssl_release) == 1;
}
