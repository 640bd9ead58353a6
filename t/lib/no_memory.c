// SPDX-License-Identifier: MIT
#include "no_memory.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local struct {
    bool is_on;
    bool is_paused;
    bool is_lasting;
    bool has_failed;
    unsigned left;
    long blocks; /* not with a sanitizer */
} state;

static bool
fails(void)
{
    if (!state.is_on || state.is_paused)
        return false;
    if (state.left > 0) {
        state.left--;
        return false;
    }
    state.is_on = state.is_lasting;
    state.has_failed = true;
    errno = ENOMEM;
    return true;
}

#ifdef NO_MEMORY_WRAP

/* The sanitizer's, if it has a malloc. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

#else

/* glibc's own names for the functions that are replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static void *
counted(void *memory)
{
    state.blocks += memory != NULL;
    return memory;
}

void *
malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *
realloc(void *old, size_t size)
{
    void *memory;

    if (fails())
        return NULL;
    memory = __libc_realloc(old, size);
    if (old == NULL)
        return counted(memory);
    state.blocks -= memory == NULL && size == 0; /* it was a free */
    return memory;
}

void
free(void *memory)
{
    state.blocks -= memory != NULL;
    __libc_free(memory);
}

#endif

static void
start(unsigned n, bool is_lasting)
{
    state.left = n;
    state.is_lasting = is_lasting;
    state.has_failed = false;
    state.is_on = true;
}

void
no_memory_after(unsigned n)
{
    start(n, false);
}

void
no_memory_from(unsigned n)
{
    start(n, true);
}

bool
no_memory_end(void)
{
    state.is_on = false;
    return state.has_failed;
}

void
no_memory_pause(bool is_paused)
{
    state.is_paused = is_paused;
}

long
no_memory_used(void)
{
#ifdef NO_MEMORY_WRAP
    return __sanitizer_get_current_allocated_bytes != NULL
               ? (long)__sanitizer_get_current_allocated_bytes()
               : 0;
#else
    return state.blocks;
#endif
}
