// SPDX-License-Identifier: MIT
#include "coded.h"

#include <jansson.h>

static struct coded coded;

json_t *__real_json_loadb(const char *text, size_t len, size_t flags,
                          json_error_t *error);
size_t __real_json_dumpb(const json_t *value, char *text, size_t size,
                         size_t flags);
char *__real_json_dumps(const json_t *value, size_t flags);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags,
                          json_error_t *error);
size_t __wrap_json_dumpb(const json_t *value, char *text, size_t size,
                         size_t flags);
char *__wrap_json_dumps(const json_t *value, size_t flags);

json_t *
__wrap_json_loadb(const char *text, size_t len, size_t flags,
                  json_error_t *error)
{
    coded.decoded++;
    return __real_json_loadb(text, len, flags, error);
}

size_t
__wrap_json_dumpb(const json_t *value, char *text, size_t size, size_t flags)
{
    if (text != NULL)
        coded.encoded++;
    else
        coded.measured++;
    return __real_json_dumpb(value, text, size, flags);
}

char *
__wrap_json_dumps(const json_t *value, size_t flags)
{
    coded.encoded++;
    return __real_json_dumps(value, flags);
}

struct coded
coded_take(void)
{
    struct coded taken = coded;

    coded = (struct coded){.decoded = 0};
    return taken;
}
