// SPDX-License-Identifier: MIT
/*
 * Jansson is refused memory like us, and what calls it says so. Its decoder is
 * spared: that cannot bear it, and in a program the process would end
 * (base/must_alloc.h). Linked with --wrap.
 */
#include "no_memory.h"

#include <jansson.h>
#include <stdlib.h>

json_t *__real_json_loadb(const char *text, size_t len, size_t flags,
                          json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags,
                          json_error_t *error);

json_t *
__wrap_json_loadb(const char *text, size_t len, size_t flags,
                  json_error_t *error)
{
    json_t *value;

    no_memory_pause(true);
    value = __real_json_loadb(text, len, flags, error);
    no_memory_pause(false);
    return value;
}

/* With a sanitizer, only what our own objects ask for can be refused. */
__attribute__((constructor)) static void
set_functions(void)
{
    json_set_alloc_funcs(malloc, free);
}
