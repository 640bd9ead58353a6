// SPDX-License-Identifier: MIT
#include "model/tenant.h"

#include <string.h>

bool
tenant_is_valid(const char *name, size_t len)
{
    if (len == 0 || len > TENANT_MAX || name[0] == '-' || name[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!(name[i] >= 'a' && name[i] <= 'z') &&
            !(name[i] >= '0' && name[i] <= '9') && name[i] != '-')
            return false;
    }
    return true;
}

const char *
tenant_find_slot(const char *text)
{
    const char *slot = strstr(text, TENANT_SLOT);

    if (slot != NULL && strstr(slot + 1, TENANT_SLOT) != NULL)
        return NULL;
    return slot;
}
