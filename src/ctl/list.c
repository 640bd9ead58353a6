// SPDX-License-Identifier: MIT
/* orderconf list: all settings of a tenant, as they are at one moment. */
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "json/text.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <stdio.h>

static const struct ctl_option options[] = {CTL_VIEW_ROWS};

static enum ctl_exit
print_text(const struct record records[CONFIG_KEYS_MAX])
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const char *value = setting_value(&config_keys[i], &records[i]);
        char time[CTL_TIME_SIZE];

        printf("%-30s %7llu  %-20s  ", config_keys[i].name,
               (unsigned long long)records[i].version,
               record_is_set(&records[i])
                   ? ctl_time_text(records[i].updated_at, time)
                   : "not set");
        ctl_print_text(value != NULL ? value : "-", "\n");
    }
    return CTL_OK;
}

static enum ctl_exit
print_json(const struct record records[CONFIG_KEYS_MAX])
{
    char etags[CONFIG_KEYS_MAX][ETAG_SIZE];
    struct buf json = {0};
    bool is_complete = etag_of_records(records, etags) == ERR_OK &&
                       setting_add_all(&json, records, etags);

    return ctl_print_json(&json, is_complete);
}

/* All of them, or none if one cannot be. */
static enum ctl_exit
show(const struct ctl_session *session, struct record records[CONFIG_KEYS_MAX])
{
    const char *const *values = session->values;

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const struct seal seal = {session->secrets, session->setting.tenant,
                                  &config_keys[i]};
        enum ctl_exit status = ctl_show_record(
            &seal, values[CTL_VIEW_REVEAL] != NULL, &records[i]);

        if (status != CTL_OK)
            return status;
    }
    return (values[CTL_VIEW_JSON] != NULL ? print_json : print_text)(records);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct record records[CONFIG_KEYS_MAX];
    enum ctl_exit status = ctl_session_open(session);
    enum err err;

    if (status != CTL_OK)
        return status;
    err = setting_list(session->store, session->setting.tenant, records);
    status = err == ERR_OK ? show(session, records) : ctl_fail_store(err);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
    return status;
}

const struct ctl_command ctl_list = {
    .name = "list",
    .operands = "",
    .summary = "Prints all settings of a tenant, as they are at one moment",
    .details = "Prints a line for each key: its name, version, time and value. "
               "A key that is not\n"
               "set has its default.",
    .options = options,
    .option_count = CTL_VIEW_OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .secrets = CTL_SECRETS_TO_REVEAL,
              .store = CTL_STORE},
    .run = run,
};
