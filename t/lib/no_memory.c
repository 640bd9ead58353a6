// SPDX-License-Identifier: MIT
#include "no_memory.h"

#include "reserve.h"

#include <stddef.h>

static _Thread_local bool is_counting;
static _Thread_local unsigned left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool
fails(void)
{
    if (!is_counting || left-- > 0)
        return false;
    is_counting = false;
    return true;
}

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
__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void
no_memory_after(unsigned n)
{
    reserve_init();
    left = n;
    is_counting = true;
}

bool
no_memory_end(void)
{
    bool has_failed = !is_counting;

    is_counting = false;
    return has_failed;
}
