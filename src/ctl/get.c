// SPDX-License-Identifier: MIT
/* orderconf get: a setting, as it is or as it was. */
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <limits.h>

enum { VERSION = CTL_VIEW_OPTIONS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_VIEW_ROWS,
    [VERSION] = {.name = "version",
                 .argument = "N",
                 .help = "that version, rather than the current one"},
};

/* version 0 is the current one. */
static enum ctl_exit
read_record(const struct ctl_session *session, uint64_t version,
            struct record *record_out)
{
    const char *tenant = session->setting.tenant;
    const char *key = session->setting.key->name;
    struct record record = {0};
    enum err err;

    if (version == 0)
        err = store_get(session->store, tenant, key, &record);
    else
        err = store_get_version(session->store, tenant, key, version, &record);
    if (err != ERR_OK)
        return ctl_fail_store(err);
    if (version != 0 && record.version == 0)
        return ctl_fail("--version: version %llu of %s of %s does not exist, "
                        "or is no longer kept",
                        (unsigned long long)version, key, tenant);
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
        ctl_print_value(value);
        return CTL_OK;
    }
    if (etag_of_record(setting->key, record, etag) != ERR_OK)
        return ctl_fail("out of memory");
    return ctl_print_setting(setting, record, etag);
}

static enum ctl_exit
show(const struct ctl_session *session, struct record *record)
{
    const char *const *values = session->values;
    const struct seal seal = ctl_session_seal(session);
    enum ctl_exit status =
        ctl_show_record(&seal, values[CTL_VIEW_REVEAL] != NULL, record);

    if (status != CTL_OK)
        return status;
    return print(&session->setting, record, values[CTL_VIEW_JSON] != NULL);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *version_text = session->values[VERSION];
    struct record record = {0};
    enum ctl_exit status;
    long version = 0;

    if (version_text != NULL && ctl_read_number("version", version_text, 1,
                                                LONG_MAX, &version) != CTL_OK)
        return CTL_USAGE;
    status = ctl_session_open(session);
    if (status != CTL_OK)
        return status;
    status = read_record(session, (uint64_t)version, &record);
    if (status != CTL_OK)
        return status;
    status = show(session, &record);
    record_clear(&record);
    return status;
}

const struct ctl_command ctl_get = {
    .name = "get",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "Prints a setting of a tenant",
    .details = "Prints the value as JSON. With --json, its time, version and "
               "ETag are printed,\n"
               "too. A key that is not set has its default.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .key = true,
              .secrets = CTL_SECRETS_TO_REVEAL,
              .store = CTL_STORE},
    .run = run,
};
