// SPDX-License-Identifier: MIT
/* What a tenant's name is, and where it stands in a template. */
#ifndef MODEL_TENANT_H
#define MODEL_TENANT_H

#include <stdbool.h>
#include <stddef.h>

#define TENANT_MAX 63 /* bytes of a name: it is a DNS label, too */

/* Where the tenant's name goes in a template. */
#define TENANT_SLOT "{tenant}"

/* True if name is [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most TENANT_MAX bytes. */
bool tenant_is_valid(const char *name, size_t len);

/* The slot in text; NULL unless it is there exactly once. */
const char *tenant_find_slot(const char *text);

#endif
