// SPDX-License-Identifier: MIT
/* What a tenant's name is, and the templates that it stands in. */
#ifndef MODEL_TENANT_H
#define MODEL_TENANT_H

#include <stdbool.h>
#include <stddef.h>

#define TENANT_MAX 63 /* bytes of a name: it is a DNS label, too */

/* What to say of a name that tenant_is_valid refuses. */
#define TENANT_RULE                                                            \
    "must be of a-z, 0-9 and hyphens, no hyphen first or last, at most 63 "    \
    "characters"

/* Where the tenant's name goes in a template. */
#define TENANT_SLOT "{tenant}"

/* True if name is [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most TENANT_MAX bytes. */
bool tenant_is_valid(const char *name, size_t len);

/* Copies a name that is valid; false if it is not. */
bool tenant_read(const char *name, size_t len, char tenant_out[TENANT_MAX + 1]);

/*
 * A text with a slot, such as "https://id.example.com/realms/{tenant}". Both
 * parts point into it, and need not end with a NUL: the text must outlive this.
 */
struct tenant_template {
    const char *prefix, *suffix;
    size_t prefix_len, suffix_len;
    bool has_slot; /* false: all of the text is prefix, whoever the tenant is */
};

enum tenant_slots { TENANT_SLOT_NONE, TENANT_SLOT_ONE, TENANT_SLOT_MORE };

/* Says how many slots the text has. Of more than one, no template is made. */
enum tenant_slots tenant_template_parse(const char *text,
                                        struct tenant_template *template_out);

/* Bytes that the text of any tenant takes, with its NUL. */
size_t tenant_template_size(const struct tenant_template *template);

/* Writes the tenant's text to a buffer of that size, or gives one from malloc;
 * NULL on no memory. */
void tenant_template_put(const struct tenant_template *template,
                         const char *tenant, char *text_out);
char *tenant_template_expand(const struct tenant_template *template,
                             const char *tenant);

/* The tenant whose text this is; false if it is no valid tenant's. */
bool tenant_template_match(const struct tenant_template *template,
                           const char *text, char tenant_out[TENANT_MAX + 1]);

#endif
