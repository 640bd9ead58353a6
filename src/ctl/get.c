// SPDX-License-Identifier: MIT
/* orderconf get: a setting, as it is or as it was. */
#include "ctl/command.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <limits.h>
#include <stdio.h>

enum {
    TENANT = CTL_STORE_OPTIONS,
    VERSION,
    SECRET_KEYS,
    REVEAL,
    JSON,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_TENANT_ROW,
    [VERSION] = {.name = "version",
                 .argument = "N",
                 .help = "that version, rather than the current one"},
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [REVEAL] = CTL_REVEAL_ROW,
    [JSON] = CTL_JSON_ROW,
};

/* version 0 is the current one. */
static enum ctl_exit
read_record(struct store *store, const struct ctl_setting *setting,
            uint64_t version, struct record *record_out)
{
    const char *key = setting->key->name;
    struct record record = {0};
    enum err err;

    if (version == 0)
        err = store_get(store, setting->tenant, key, &record);
    else
        err = store_get_version(store, setting->tenant, key, version, &record);
    if (err != ERR_OK)
        return ctl_fail_store(err);
    if (version != 0 && record.version == 0)
        return ctl_fail("--version: %s of %s has no version %llu, or no longer",
                        key, setting->tenant, (unsigned long long)version);
    *record_out = record;
    return CTL_OK;
}

static enum ctl_exit
print(const struct ctl_setting *setting, const struct record *record,
      bool is_json)
{
    const char *value = setting_value(setting->key, record);
    char etag[ETAG_SIZE];

    if (value == NULL)
        return ctl_fail("%s of %s is not set, and has no default",
                        setting->key->name, setting->tenant);
    if (!is_json) {
        printf("%s\n", value);
        return CTL_OK;
    }
    if (etag_of_record(setting->key, record, etag) != ERR_OK)
        return ctl_fail("out of memory");
    return ctl_print_setting(setting, record, etag);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    const char *const *operands = session->operands;
    auto_secrets *secrets = NULL;
    auto_store *store = NULL;
    struct ctl_setting setting = {0};
    struct seal seal;
    struct record record = {0};
    enum ctl_exit status;
    long version = 0;

    status = ctl_read_setting(values[TENANT], operands[0], &setting);
    if (status == CTL_OK && values[VERSION] != NULL)
        status =
            ctl_read_number("version", values[VERSION], 1, LONG_MAX, &version);
    if (status == CTL_OK)
        status = ctl_secrets_open_to_show(values[SECRET_KEYS], values[REVEAL],
                                          &secrets);
    if (status == CTL_OK)
        status = ctl_store_open(values, CTL_STORE_IS_THERE, &store);
    if (status == CTL_OK)
        status = ctl_check_tenant(store, setting.tenant);
    if (status == CTL_OK)
        status = read_record(store, &setting, (uint64_t)version, &record);
    seal = ctl_seal_of(&setting, secrets);
    if (status == CTL_OK)
        status = ctl_show_record(&seal, values[REVEAL] != NULL, &record);
    if (status == CTL_OK)
        status = print(&setting, &record, values[JSON] != NULL);
    record_clear(&record);
    return status;
}

const struct ctl_command ctl_get = {
    .name = "get",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "Prints a setting of a tenant",
    .details =
        "The value as JSON; with --json, its time, version and ETag, too. "
        "A key that is\nnot set has its default.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
