// SPDX-License-Identifier: MIT
/* orderconf unset: a setting as if it had never been set. */
#include "ctl/command.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"

static enum ctl_exit
run(struct ctl_session *session)
{
    struct ctl_change change;
    enum ctl_exit status = ctl_session_open(session);

    if (status != CTL_OK)
        return status;
    change = ctl_session_change(session);
    return ctl_change_setting(session->store, &session->setting, NULL, &change);
}

const struct ctl_command ctl_unset = {
    .name = "unset",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "Unsets a setting of a tenant, so that it has its default again",
    .details = "This makes a new version, which the history shows with its "
               "author. A key that\n"
               "can be set only once can be set again afterwards.",
    .options = ctl_change_options,
    .option_count = CTL_UNSET_OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .key = true,
              .base = true,
              .author = true,
              .store = CTL_STORE},
    .run = run,
};
