// SPDX-License-Identifier: MIT
#include "auth/jwks_scan.h"

#include "base/util.h"
#include "model/tenant.h"

#include <dirent.h>

/* The loop waits meanwhile. */
#define NAMES_MAX 4096

/* The part of a template between two slashes that has the slot in it. */
struct pattern {
    const char *prefix, *suffix;
    size_t prefix_len, suffix_len;
};

static void
find_pattern(const char *template, struct pattern *pattern_out)
{
    const char *slot = tenant_find_slot(template);
    const char *first = slot;

    while (first > template && first[-1] != '/')
        first--;
    pattern_out->prefix = first;
    pattern_out->prefix_len = (size_t)(slot - first);
    pattern_out->suffix = slot + strlen(TENANT_SLOT);
    pattern_out->suffix_len = strcspn(pattern_out->suffix, "/");
}

/* The tenant in a name of the pattern's; false if it is none. */
static bool
read_tenant(const struct pattern *pattern, const char *name,
            char tenant_out[TENANT_MAX + 1])
{
    size_t around = pattern->prefix_len + pattern->suffix_len;
    size_t len = strlen(name);

    if (len < around ||
        memcmp(name, pattern->prefix, pattern->prefix_len) != 0 ||
        memcmp(name + len - pattern->suffix_len, pattern->suffix,
               pattern->suffix_len) != 0 ||
        !tenant_is_valid(name + pattern->prefix_len, len - around))
        return false;
    memcpy(tenant_out, name + pattern->prefix_len, len - around);
    tenant_out[len - around] = '\0';
    return true;
}

static DIR *
open_dir(const char *template, const struct pattern *pattern)
{
    size_t len = (size_t)(pattern->prefix - template);
    auto_char *path = len > 0 ? strndup(template, len) : strdup(".");

    return path != NULL ? opendir(path) : NULL;
}

bool
jwks_scan(const char *template, jwks_scan_fn *fn, void *ctx)
{
    char tenant[TENANT_MAX + 1];
    struct pattern pattern;
    const struct dirent *item;
    bool is_found = false;
    DIR *dir;

    find_pattern(template, &pattern);
    dir = open_dir(template, &pattern);
    if (dir == NULL)
        return false;
    for (int i = 0; !is_found && i < NAMES_MAX && (item = readdir(dir)) != NULL;
         i++)
        is_found =
            read_tenant(&pattern, item->d_name, tenant) && fn(ctx, tenant);
    closedir(dir);
    return is_found;
}
