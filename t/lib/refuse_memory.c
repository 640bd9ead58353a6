// SPDX-License-Identifier: MIT
/*
 * Refuses memory to a whole program, by LD_PRELOAD: REFUSE_MEMORY is how many
 * allocations succeed before one fails, or before all do with
 * REFUSE_MEMORY_LASTING. All count: those of the program, of its libraries, of
 * glibc. The file REFUSE_MEMORY_MARK appears when one has failed. With
 * REFUSE_MEMORY_SIGNAL, they count from the first SIGUSR2 on.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own names for the functions that are replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_bool is_on;
static atomic_ulong count;
static unsigned long first; /* the number of the one that fails */
static bool is_lasting;
static const char *mark;

static void
begin(int number)
{
    (void)number;
    is_on = true;
}

static void __attribute__((constructor)) set_up(void)
{
    const char *text = getenv("REFUSE_MEMORY");

    if (text == NULL)
        return;
    first = strtoul(text, NULL, 10);
    is_lasting = getenv("REFUSE_MEMORY_LASTING") != NULL;
    mark = getenv("REFUSE_MEMORY_MARK");
    if (getenv("REFUSE_MEMORY_SIGNAL") != NULL)
        signal(SIGUSR2, begin);
    else
        is_on = true;
}

static bool
is_refused(void)
{
    unsigned long number;

    if (!is_on)
        return false;
    number = count++;
    if (number < first || (number > first && !is_lasting))
        return false;
    if (number == first && mark != NULL)
        close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    errno = ENOMEM;
    return true;
}

void *
malloc(size_t size)
{
    return is_refused() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t members, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(members, size);
}

void *
realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __libc_realloc(old, size);
}

void *
memalign(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __libc_memalign(alignment, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int
posix_memalign(void **memory_out, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);

    if (memory == NULL)
        return ENOMEM;
    *memory_out = memory;
    return 0;
}
