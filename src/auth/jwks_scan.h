// SPDX-License-Identifier: MIT
/* Which tenants have a key set. */
#ifndef AUTH_JWKS_SCAN_H
#define AUTH_JWKS_SCAN_H

#include "model/tenant.h"

#include <stdbool.h>

/* Says whether this tenant is the one that is looked for. */
typedef bool jwks_scan_fn(void *ctx, const char *tenant);

/*
 * Calls fn for the names of tenants that may have a file of this template,
 * which has a slot, until one is found; false if none is. They are in no order,
 * and no more than a few thousand names are looked at.
 */
bool jwks_scan(const struct tenant_template *template, jwks_scan_fn *fn,
               void *ctx);

#endif
