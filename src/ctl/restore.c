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

enum {
    TENANT = CTL_STORE_OPTIONS,
    BASE,
    SUBJECT,
    STRICT,
    VALIDATE,
    SECRET_KEYS,
    JSON,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_TENANT_ROW,
    [BASE] = CTL_BASE_ROW,
    [SUBJECT] = CTL_SUBJECT_ROW,
    [STRICT] = CTL_STRICT_ROW,
    [VALIDATE] = CTL_VALIDATE_ROW,
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [JSON] = CTL_JSON_ROW,
};

/* The value of the version, as it would be stored today; from malloc. */
static enum ctl_exit
read_old(struct store *store, const struct ctl_setting *setting,
         uint64_t version, const struct secrets *secrets, bool is_strict,
         char **value_out)
{
    const struct seal seal = ctl_seal_of(setting, secrets);
    json_auto_t *messages = json_array();
    struct record old = {0};
    enum err err = store_get_version(store, setting->tenant, setting->key->name,
                                     version, &old);

    if (err != ERR_OK)
        return ctl_fail_store(err);
    if (ctl_open_record(&seal, &old) != CTL_OK) {
        record_clear(&old);
        return CTL_FAILED;
    }
    err = ERR_NOMEM;
    if (messages != NULL)
        err = setting_check_old(setting->key, "VERSION", version, &old,
                                is_strict, messages, value_out);
    record_clear(&old);
    return err == ERR_OK ? CTL_OK : ctl_fail_messages(err, messages);
}

static enum ctl_exit
restore(const char *const *values, const struct ctl_setting *setting,
        uint64_t version, struct ctl_change *change)
{
    auto_secrets *secrets = NULL;
    auto_store *store = NULL;
    char *value = NULL;
    enum ctl_exit status = ctl_store_open(values, CTL_STORE_IS_THERE, &store);

    if (status == CTL_OK)
        status = ctl_check_tenant(store, setting->tenant);
    if (status == CTL_OK)
        status = ctl_secrets_open(values[SECRET_KEYS], &secrets);
    change->secrets = secrets;
    if (status == CTL_OK)
        status = read_old(store, setting, version, secrets,
                          values[STRICT] != NULL, &value);
    if (status == CTL_OK)
        status = ctl_change_setting(store, setting, value, change);
    seal_free(value);
    return status;
}

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
    struct ctl_setting setting;
    long version = 0;
    enum ctl_exit status;

    status = ctl_read_setting(values[TENANT], operands[0], &setting);
    if (status == CTL_OK && operands[1] == NULL)
        status = ctl_fail_usage("which version? see --help");
    if (status == CTL_OK)
        status = ctl_read_number_operand("VERSION", operands[1], 1, LONG_MAX,
                                         &version);
    if (status == CTL_OK)
        status = ctl_read_base(values[BASE], &change.base);
    if (status == CTL_OK)
        status = ctl_author_init(values[SUBJECT], &change.author);
    if (status != CTL_OK)
        return status;
    return restore(values, &setting, (uint64_t)version, &change);
}

const struct ctl_command ctl_restore = {
    .name = "restore",
    .operands = "KEY VERSION",
    .operands_max = 2,
    .summary = "Sets a setting of a tenant to what an old version was",
    .details = "This is a new version, by its own author. The old value is "
               "checked as any other;\na key that can be set only once, and a "
               "version that unset the key, are refused.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
