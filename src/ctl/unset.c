// SPDX-License-Identifier: MIT
/* orderconf unset: a setting as if it had never been set. */
#include "ctl/command.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"

enum { TENANT = CTL_STORE_OPTIONS, BASE, SUBJECT, VALIDATE, JSON, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_TENANT_ROW,
    [BASE] = CTL_BASE_ROW,
    [SUBJECT] = CTL_SUBJECT_ROW,
    [VALIDATE] = CTL_VALIDATE_ROW,
    [JSON] = CTL_JSON_ROW,
};

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    const char *const *operands = session->operands;
    struct ctl_change change = {
        .is_validate_only = values[VALIDATE] != NULL,
        .is_json = values[JSON] != NULL,
        .is_logged = ctl_store_is_logged(values),
    };
    auto_store *store = NULL;
    struct ctl_setting setting;
    enum ctl_exit status;

    status = ctl_read_setting(values[TENANT], operands[0], &setting);
    if (status == CTL_OK)
        status = ctl_read_base(values[BASE], &change.base);
    if (status == CTL_OK)
        status = ctl_author_init(values[SUBJECT], &change.author);
    if (status == CTL_OK)
        status = ctl_store_open(values, CTL_STORE_IS_THERE, &store);
    if (status == CTL_OK)
        status = ctl_check_tenant(store, setting.tenant);
    if (status == CTL_OK)
        status = ctl_change_setting(store, &setting, NULL, &change);
    return status;
}

const struct ctl_command ctl_unset = {
    .name = "unset",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "Unsets a setting of a tenant, so that it has its default",
    .details = "The version counts on, and the history shows who did it. A key "
               "that can be set\nonly once may then be set again.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
