// SPDX-License-Identifier: MIT
#include "no_memory.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local bool is_counting;
static _Thread_local unsigned left;

static bool
fails(void)
{
    if (!is_counting || left-- > 0)
        return false;
    is_counting = false;
    errno = ENOMEM;
    return true;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void *
counted_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

void
no_memory_after(unsigned n)
{
    json_set_alloc_funcs(counted_malloc, free);
    left = n;
    is_counting = true;
}

#else

/* glibc's own names for the functions that are replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *
malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

void
no_memory_after(unsigned n)
{
    left = n;
    is_counting = true;
}

#endif

bool
no_memory_end(void)
{
    bool has_failed = !is_counting;

    is_counting = false;
    return has_failed;
}
