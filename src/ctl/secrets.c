// SPDX-License-Identifier: MIT
#include "ctl/secrets.h"

#include "base/util.h"

#include <string.h>

static enum ctl_exit
fail_memory(void)
{
    return ctl_fail("out of memory");
}

enum ctl_exit
ctl_secrets_open(const char *path, struct secrets **secrets_out)
{
    struct secrets *secrets = NULL;
    char why[512];

    if (path != NULL &&
        secrets_open(path, &secrets, why, sizeof(why)) != ERR_OK)
        return ctl_fail("--secret-keys: %s", why);
    *secrets_out = secrets;
    return CTL_OK;
}

enum ctl_exit
ctl_fail_sealed(const struct seal *seal, uint64_t version,
                const struct seal_fault *fault)
{
    bool has_kid = *fault->kid != '\0';

    return ctl_fail("%s of %s, version %llu: %s cannot be read: %s%s%s",
                    seal->key->name, seal->tenant, (unsigned long long)version,
                    seal->key->secret, fault->reason, has_kid ? ", kid " : "",
                    fault->kid);
}

static void
replace_value(struct record *record, char *value)
{
    seal_free(record->value);
    record->value = value;
    record->value_len = strlen(value);
}

enum ctl_exit
ctl_open_record(const struct seal *seal, struct record *record)
{
    struct seal_fault fault;
    char *value;
    enum err err;

    if (seal->key->secret == NULL || !record_is_set(record))
        return CTL_OK;
    err = seal_open(seal, record->value, record->value_len, &value, &fault);
    if (err == ERR_SEALED)
        return ctl_fail_sealed(seal, record->version, &fault);
    if (err != ERR_OK)
        return fail_memory();
    replace_value(record, value);
    return CTL_OK;
}

enum ctl_exit
ctl_mask_record(const struct seal *seal, struct record *record)
{
    static const struct seal_fault malformed = {
        .reason = "the stored value is malformed"};
    char *value;
    enum err err;

    if (seal->key->secret == NULL || !record_is_set(record))
        return CTL_OK;
    err = seal_mask(seal->key, record->value, record->value_len, &value);
    if (err == ERR_SEALED)
        return ctl_fail_sealed(seal, record->version, &malformed);
    if (err != ERR_OK)
        return fail_memory();
    replace_value(record, value);
    return CTL_OK;
}

enum ctl_exit
ctl_show_record(const struct seal *seal, bool is_revealed,
                struct record *record)
{
    return is_revealed ? ctl_open_record(seal, record)
                       : ctl_mask_record(seal, record);
}

/* Without keys, a secret may be replaced if it is in the clear itself. */
static enum ctl_exit
check_keys(const struct seal *seal, const struct record *current)
{
    struct seal_fault fault;
    char *value = NULL;
    enum err err = ERR_OK;

    if (seal->secrets == NULL && record_is_set(current))
        err =
            seal_open(seal, current->value, current->value_len, &value, &fault);
    seal_free(value);
    if (err == ERR_SEALED)
        return ctl_fail("--secret-keys: is required, for %s of %s is encrypted",
                        seal->key->secret, seal->tenant);
    return err == ERR_OK ? CTL_OK : fail_memory();
}

/* value, with the secret of current, which it opens. */
static enum ctl_exit
keep_secret(const struct seal *seal, const char *value, struct record *current,
            char **kept_out)
{
    const char *secret = seal->key->secret;
    enum ctl_exit status;
    enum err err;

    if (!record_is_set(current))
        return ctl_fail("value.%s: is the mask, but no %s is stored to be kept",
                        secret, secret);
    status = ctl_open_record(seal, current);
    if (status != CTL_OK)
        return status;
    err = seal_keep(seal->key, value, strlen(value), current->value,
                    current->value_len, kept_out);
    if (err == ERR_DENIED)
        return ctl_fail(SEAL_MOVED, secret, seal->key->recipient, secret);
    if (err == ERR_TOOBIG)
        return ctl_fail("value: must be at most %d bytes with the %s that is "
                        "kept",
                        CONFIG_VALUE_MAX, secret);
    return err == ERR_OK ? CTL_OK : fail_memory();
}

enum ctl_exit
ctl_seal_value(const struct seal *seal, const char *value, bool keeps_secret,
               struct record *current, char **sealed_out, bool *is_kept_out)
{
    char *kept = NULL;
    bool is_masked = false;
    enum ctl_exit status = CTL_OK;

    if (seal->key->secret != NULL)
        status = check_keys(seal, current);
    if (status == CTL_OK && keeps_secret &&
        seal_is_masked(seal->key, value, strlen(value), &is_masked) != ERR_OK)
        status = fail_memory();
    if (status == CTL_OK && is_masked)
        status = keep_secret(seal, value, current, &kept);
    if (kept != NULL)
        value = kept;
    if (status == CTL_OK &&
        seal_value(seal, value, strlen(value), sealed_out) != ERR_OK)
        status = fail_memory();
    seal_free(kept);
    if (status == CTL_OK)
        *is_kept_out = is_masked;
    return status;
}
