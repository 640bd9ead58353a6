// SPDX-License-Identifier: MIT
/* orderconf import: settings from JSON Lines. */
#include "base/number.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/interrupt.h"
#include "ctl/lines.h"
#include "ctl/print.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "json/text.h"
#include "setting/import.h"
#include "setting/jsonl.h"
#include "setting/setting.h"

#include <stdio.h>

enum {
    TENANT = CTL_STORE_OPTIONS,
    SECRET_KEYS,
    SCHEMES,
    SUBJECT,
    VALIDATE_ONLY,
    JSON,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_ONLY_TENANT_ROW,
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [SCHEMES] = CTL_SCHEMES_ROW,
    [SUBJECT] = CTL_SUBJECT_ROW,
    [VALIDATE_ONLY] = CTL_VALIDATE_ROW,
    [JSON] = CTL_JSON_ROW,
};

/* An import on its way. */
struct job {
    struct ctl_lines lines;
    struct ctl_session *session; /* store NULL: there is none yet */
    const char *only;            /* the tenant, or NULL */
    struct import *import;       /* NULL: it is only checked */
    struct import_tenant tenant; /* being collected */
    uint64_t seen;               /* settings that are to be stored */
    bool is_wrong;
};

/* Why a setting cannot be stored; see import_refused_fn. */
static const char *
explain(enum err err)
{
    switch (err) {
    case ERR_INVALID:
        return "is already set, and can be set only once";
    case ERR_UNSET:
        return "has a masked secret, but there is no stored one to keep";
    case ERR_DENIED:
        return "has a masked secret, but the scheme, user, host or port of its "
               "URL differs from the stored one: give the secret itself";
    case ERR_TOOBIG:
        return "is too large together with the stored secret";
    case ERR_SEALED:
        return "has a stored secret that cannot be decrypted; see "
               "--secret-keys";
    default:
        return "was changed by others at every try, and was not stored";
    }
}

static void
note_refused(void *ctx, const struct jsonl_setting *setting, enum err err)
{
    struct job *job = ctx;

    job->is_wrong = true;
    progress_hide(&job->lines.bar);
    (void)ctl_fail("%s:%llu: value: %s of %s %s", job->lines.name,
                   (unsigned long long)setting->line, setting->key->name,
                   setting->tenant, explain(err));
}

/* What the store would say of the tenant, and only it can. */
static enum err
check_tenant(struct job *job)
{
    struct record records[CONFIG_KEYS_MAX] = {{.version = 0}};
    struct store *store = job->session->store;
    const struct jsonl_setting *refused = NULL;
    enum err err = ERR_OK;

    if (job->tenant.count == 0)
        return ERR_OK;
    if (store != NULL)
        err = setting_list(store, job->tenant.settings[0].tenant, records);
    if (err == ERR_OK)
        err = import_check(job->session->secrets, &job->tenant, records,
                           &refused);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
    if (refused == NULL || err == ERR_NOMEM)
        return err;
    note_refused(job, refused, err);
    return ERR_OK;
}

/* All lines of a tenant have been seen. */
static enum err
end_tenant(struct job *job)
{
    enum err err;

    if (job->import != NULL)
        return import_add(job->import, &job->tenant);
    err = check_tenant(job);
    import_tenant_clear(&job->tenant);
    return err;
}

/* Takes the setting. */
static enum err
take_setting(struct job *job, struct jsonl_setting *setting)
{
    struct import_tenant *tenant = &job->tenant;
    enum err err = ERR_OK;

    if (job->only != NULL && strcmp(job->only, setting->tenant) != 0) {
        jsonl_setting_clear(setting);
        return ERR_OK;
    }
    if (tenant->count > 0 &&
        strcmp(tenant->settings[0].tenant, setting->tenant) != 0)
        err = end_tenant(job);
    /* Sorted lines name each key once, so there is room. */
    tenant->settings[tenant->count++] = *setting;
    job->seen++;
    return err;
}

/* Goes through the lines; what is wrong with them has been said. When it comes
 * to storing they have been checked, so that somebody else has changed one that
 * is wrong. */
static enum err
read_all(struct job *job)
{
    struct jsonl_setting setting;
    enum err err;

    while ((err = ctl_lines_read(&job->lines, &setting)) != ERR_NOTFOUND) {
        if (ctl_interrupt_came()) {
            if (err == ERR_OK)
                jsonl_setting_clear(&setting);
            return ERR_ENDED;
        }
        if (err != ERR_OK)
            job->is_wrong = true;
        if (err == ERR_INVALID && job->import == NULL)
            continue;
        if (err != ERR_OK)
            return ERR_OK;
        err = take_setting(job, &setting);
        if (err != ERR_OK)
            return err;
    }
    return end_tenant(job);
}

/* Goes through the file once. */
static enum ctl_exit
run_pass(struct job *job, const char *label)
{
    enum ctl_exit status = ctl_lines_rewind(&job->lines, label);
    enum err err;

    if (status != CTL_OK)
        return status;
    job->seen = 0;
    err = read_all(job);
    if (err == ERR_OK && job->import != NULL)
        err = import_finish(job->import);
    progress_end(&job->lines.bar);
    import_tenant_clear(&job->tenant);
    if (err == ERR_ENDED)
        return ctl_fail("interrupted at line %llu%s",
                        (unsigned long long)job->lines.jsonl.number,
                        job->import == NULL ? "; nothing has been stored" : "");
    if (err != ERR_OK)
        return ctl_fail_store(err);
    return job->is_wrong ? CTL_FAILED : CTL_OK;
}

static enum ctl_exit
print(const char *const *values, const struct job *job)
{
    static const struct import_counts none;
    const struct import_counts *counts =
        job->import != NULL ? import_counts(job->import) : &none;
    struct buf json = {0};
    bool is_complete;

    if (values[JSON] == NULL && job->import == NULL)
        printf("%llu setting%s could be stored\n",
               (unsigned long long)job->seen, number_ending(job->seen));
    else if (values[JSON] == NULL)
        printf(
            "%llu setting%s of %llu tenant%s stored, %llu unchanged\n",
            (unsigned long long)counts->stored, number_ending(counts->stored),
            (unsigned long long)counts->tenants, number_ending(counts->tenants),
            (unsigned long long)counts->unchanged);
    if (values[JSON] == NULL)
        return CTL_OK;
    is_complete = json_text_add(&json, "{\"settings\":") &&
                  json_text_add_number(&json, job->seen) &&
                  json_text_add(&json, ",\"tenants\":") &&
                  json_text_add_number(&json, counts->tenants) &&
                  json_text_add(&json, ",\"stored\":") &&
                  json_text_add_number(&json, counts->stored) &&
                  json_text_add(&json, ",\"unchanged\":") &&
                  json_text_add_number(&json, counts->unchanged) &&
                  json_text_add(&json, "}");
    return ctl_print_json(&json, is_complete);
}

/* The whole file is right by now: stores it. */
static enum ctl_exit
store_all(struct job *job)
{
    struct ctl_session *session = job->session;
    struct import_options to = {
        .secrets = session->secrets,
        .subject = session->author.subject,
        .request_id = session->author.request_id,
        .is_logged = session->values[CTL_SYSLOG] != NULL,
        .refused = note_refused,
        .ctx = job,
    };
    const struct import_counts *counts;
    enum ctl_exit status =
        ctl_session_open_store(session, CTL_STORE_MAY_BE_MADE);

    if (status != CTL_OK)
        return status;
    to.store = session->store;
    job->import = import_new(&to);
    if (job->import == NULL)
        return ctl_fail("out of memory");
    status = run_pass(job, "import");
    if (status == CTL_OK)
        return print(session->values, job);
    counts = import_counts(job->import);
    (void)ctl_fail(
        "%llu setting%s of %llu tenant%s %s been stored",
        (unsigned long long)counts->stored, number_ending(counts->stored),
        (unsigned long long)counts->tenants, number_ending(counts->tenants),
        counts->stored == 1 ? "has" : "have");
    return status;
}

/* Goes through the whole file without changing anything. */
static enum ctl_exit
check_all(struct job *job)
{
    enum ctl_exit status = CTL_OK;

    if (ctl_store_is_there(job->session->values))
        status = ctl_session_open_store(job->session, CTL_STORE_IS_THERE);
    if (status != CTL_OK)
        return status;
    status = run_pass(job, "check");
    if (status != CTL_OK)
        return status;
    if (job->only != NULL && job->seen == 0)
        return ctl_fail("%s: has no setting of %s", job->lines.name, job->only);
    return CTL_OK;
}

/* The whole file is checked first, so that a wrong one changes nothing. */
static enum ctl_exit
import_lines(struct job *job)
{
    const char *const *values = job->session->values;
    enum ctl_exit status = check_all(job);

    if (status != CTL_OK)
        return status;
    return values[VALIDATE_ONLY] != NULL ? print(values, job) : store_all(job);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct job job = {.session = session, .only = session->setting.tenant};
    enum ctl_exit status = ctl_session_open(session);

    if (status != CTL_OK)
        return status;
    status = ctl_lines_open(&job.lines, session->operands[0]);
    if (status != CTL_OK)
        return status;
    job.lines.jsonl.secrets = session->secrets;
    job.lines.jsonl.rules = session->rules;
    ctl_interrupt_catch();
    status = import_lines(&job);
    import_free(job.import);
    ctl_lines_close(&job.lines);
    return status;
}

const struct ctl_command ctl_import = {
    .name = "import",
    .operands = "[FILE]",
    .operands_max = 1,
    .summary = "Stores settings from JSON Lines",
    .details = "FILE, or standard input, is sorted as export writes it. All "
               "lines are checked\n"
               "first, each value like that of a POST. If a line is wrong, "
               "nothing is stored.\n"
               "Then the settings of each tenant are stored together or not at "
               "all, beside\n"
               "running workers. A setting that has the value already gets no "
               "new version. Keys\n"
               "that FILE does not name are not changed.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_NAMED,
              .author = true,
              .secrets = CTL_SECRETS,
              .store = CTL_STORE_LATER},
    .run = run,
};
