// SPDX-License-Identifier: MIT
#include "write_of.h"

#include <string.h>

struct store_write
write_of(const char *tenant, const char *key, const char *text)
{
    return (struct store_write){
        .op = *text != '\0' ? STORE_PUT : STORE_UNSET,
        .tenant = tenant,
        .key = key,
        .value = text,
        .value_len = strlen(text),
        .author = "alice",
        .request_id = "r-1",
        .base = STORE_ANY_VERSION,
        .lost = ERR_CONFLICT,
        .result = ERR_MAX,
        .version = 77,
    };
}
