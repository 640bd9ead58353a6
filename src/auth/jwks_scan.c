// SPDX-License-Identifier: MIT
#include "auth/jwks_scan.h"

#include "base/util.h"

#include <dirent.h>

/* The loop waits meanwhile. */
#define NAMES_MAX 4096

/* The part of a path between two slashes that has the slot in it. */
static struct tenant_template
name_of(const struct tenant_template *path)
{
    const char *slash = memrchr(path->prefix, '/', path->prefix_len);
    const char *next = memchr(path->suffix, '/', path->suffix_len);
    struct tenant_template name = *path;

    if (slash != NULL) {
        name.prefix = slash + 1;
        name.prefix_len -= (size_t)(name.prefix - path->prefix);
    }
    if (next != NULL)
        name.suffix_len = (size_t)(next - name.suffix);
    return name;
}

/* The directory of what has this name. */
static DIR *
open_dir(const struct tenant_template *path, const struct tenant_template *name)
{
    size_t len = (size_t)(name->prefix - path->prefix);
    auto_char *dir = len > 0 ? strndup(path->prefix, len) : strdup(".");

    return dir != NULL ? opendir(dir) : NULL;
}

bool
jwks_scan(const struct tenant_template *template, jwks_scan_fn *fn, void *ctx)
{
    const struct tenant_template name = name_of(template);
    char tenant[TENANT_MAX + 1];
    const struct dirent *item;
    bool is_found = false;
    DIR *dir = open_dir(template, &name);

    if (dir == NULL)
        return false;
    for (int i = 0; !is_found && i < NAMES_MAX && (item = readdir(dir)) != NULL;
         i++)
        is_found = tenant_template_match(&name, item->d_name, tenant) &&
                   fn(ctx, tenant);
    closedir(dir);
    return is_found;
}
