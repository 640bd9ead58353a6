// SPDX-License-Identifier: MIT
/* orderconf restore: a setting as one of its versions had it. */
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "setting/setting.h"

#include <limits.h>

/* The value of the version, as it would be stored today; for seal_drop. */
static enum ctl_exit
read_old(const struct ctl_session *session, uint64_t version,
         json_t **value_out)
{
    const struct ctl_setting *setting = &session->setting;
    const struct seal seal = ctl_session_seal(session);
    json_auto_t *messages = json_array();
    struct record old = {0};
    struct seal_fault fault;
    enum err err = store_get_version(session->store, setting->tenant,
                                     setting->key->name, version, &old);

    if (err != ERR_OK)
        return ctl_fail_store(err);
    err = ERR_NOMEM;
    if (messages != NULL)
        err = setting_check_old(&seal, "VERSION", version, &old,
                                &session->rules, messages, value_out, &fault);
    record_clear(&old);
    if (err == ERR_SEALED)
        return ctl_fail_sealed(&seal, version, &fault);
    return err == ERR_OK ? CTL_OK : ctl_fail_messages(err, messages);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *operand = session->operands[1];
    struct ctl_change change;
    enum ctl_exit status;
    json_t *value = NULL;
    long version = 0;

    if (operand == NULL)
        return ctl_fail_usage("which version? see --help");
    status = ctl_read_number_operand("VERSION", operand, 1, LONG_MAX, &version);
    if (status != CTL_OK)
        return status;
    status = ctl_session_open(session);
    if (status != CTL_OK)
        return status;
    status = read_old(session, (uint64_t)version, &value);
    if (status != CTL_OK)
        return status;
    change = ctl_session_change(session);
    status =
        ctl_change_setting(session->store, &session->setting, value, &change);
    seal_drop(session->setting.key, value);
    return status;
}

const struct ctl_command ctl_restore = {
    .name = "restore",
    .operands = "KEY VERSION",
    .operands_max = 2,
    .summary = "Sets a setting of a tenant to the value of an old version",
    .details = "This makes a new version, with its own author. The old value "
               "is checked by the\n"
               "rules of today. A key that can be set only once is refused, "
               "and so is a version\n"
               "that unset the key.",
    .options = ctl_change_options,
    .option_count = CTL_CHANGE_OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .key = true,
              .base = true,
              .author = true,
              .secrets = CTL_SECRETS,
              .store = CTL_STORE},
    .run = run,
};
