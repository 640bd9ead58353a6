// SPDX-License-Identifier: MIT
#include "model/tenant.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(TENANT_MAX == 63, "TENANT_RULE has the number, too");

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

bool
tenant_read(const char *name, size_t len, char tenant_out[TENANT_MAX + 1])
{
    if (!tenant_is_valid(name, len))
        return false;
    memcpy(tenant_out, name, len);
    tenant_out[len] = '\0';
    return true;
}

enum tenant_slots
tenant_template_parse(const char *text, struct tenant_template *template_out)
{
    const char *slot = strstr(text, TENANT_SLOT);
    const char *end = text + strlen(text);
    const char *suffix = slot != NULL ? slot + strlen(TENANT_SLOT) : end;

    if (strstr(suffix, TENANT_SLOT) != NULL)
        return TENANT_SLOT_MORE;
    *template_out = (struct tenant_template){
        .prefix = text,
        .prefix_len = (size_t)((slot != NULL ? slot : end) - text),
        .suffix = suffix,
        .suffix_len = (size_t)(end - suffix),
        .has_slot = slot != NULL,
    };
    return slot != NULL ? TENANT_SLOT_ONE : TENANT_SLOT_NONE;
}

size_t
tenant_template_size(const struct tenant_template *template)
{
    return template->prefix_len + (template->has_slot ? TENANT_MAX : 0) +
           template->suffix_len + 1;
}

void
tenant_template_put(const struct tenant_template *template, const char *tenant,
                    char *text_out)
{
    char *at = text_out;

    memcpy(at, template->prefix, template->prefix_len);
    at += template->prefix_len;
    if (template->has_slot)
        at = stpcpy(at, tenant);
    memcpy(at, template->suffix, template->suffix_len);
    at[template->suffix_len] = '\0';
}

char *
tenant_template_expand(const struct tenant_template *template,
                       const char *tenant)
{
    char *text = malloc(tenant_template_size(template));

    if (text != NULL)
        tenant_template_put(template, tenant, text);
    return text;
}

bool
tenant_template_match(const struct tenant_template *template, const char *text,
                      char tenant_out[TENANT_MAX + 1])
{
    size_t around = template->prefix_len + template->suffix_len;
    size_t len = strlen(text);

    return template->has_slot && len > around &&
           memcmp(text, template->prefix, template->prefix_len) == 0 &&
           memcmp(text + len - template->suffix_len, template->suffix,
                  template->suffix_len) == 0 &&
           tenant_read(text + template->prefix_len, len - around, tenant_out);
}
