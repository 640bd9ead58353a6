// SPDX-License-Identifier: MIT
#include "ctl/secrets.h"

enum ctl_exit
ctl_secrets_open(const char *path, struct key_ring **secrets_out)
{
    struct key_ring *secrets = NULL;
    char why[512];

    if (path != NULL &&
        key_ring_open(path, &secrets, why, sizeof(why)) != ERR_OK)
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
                    seal->key->secret != NULL ? seal->key->secret : "value",
                    fault->reason, has_kid ? ", kid " : "", fault->kid);
}

enum ctl_exit
ctl_show_record(const struct seal *seal, bool is_revealed,
                struct record *record)
{
    struct seal_fault fault;
    enum err err = change_show_record(
        seal, is_revealed ? CHANGE_REVEALED : CHANGE_MASKED, record, &fault);

    if (err == ERR_SEALED)
        return ctl_fail_sealed(seal, record->version, &fault);
    return err == ERR_OK ? CTL_OK : ctl_fail("out of memory");
}
