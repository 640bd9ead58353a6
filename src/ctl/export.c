// SPDX-License-Identifier: MIT
/* orderconf export: the settings of one tenant or of all, as JSON Lines. */
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/interrupt.h"
#include "ctl/outfile.h"
#include "ctl/progress.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "setting/jsonl.h"

#include <errno.h>

#define MODE 0600 /* it may hold secrets */

enum { TENANT = CTL_STORE_OPTIONS, OUTPUT, SECRET_KEYS, REVEAL, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = {.name = "tenant",
                .argument = "NAME",
                .help = "whose settings (default: everybody's)"},
    [OUTPUT] = {.name = "output",
                .argument = "FILE",
                .help = "file to write, replaced when the export is complete\n"
                        "(default: standard output)"},
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [REVEAL] = CTL_REVEAL_ROW,
};

/* An export on its way out. */
struct export
{
    FILE *stream;
    struct buf line;
    struct progress bar;
    uint64_t done;
    const struct key_ring *secrets; /* NULL: there are no keys */
    bool reveals;
    int error;    /* errno of a write */
    bool is_said; /* why it cannot go on */
};

/* Appends the line of a value that holds a secret. */
static enum err
add_secret(struct export *export, const char *tenant,
           const struct config_key *key, const struct record *record)
{
    const struct seal seal = {export->secrets, tenant, key};
    struct record shown = *record;
    struct seal_fault fault;
    enum err err =
        change_show(&seal, export->reveals ? CHANGE_REVEALED : CHANGE_PORTABLE,
                    record, &shown.value, &fault);

    if (err == ERR_SEALED) {
        progress_hide(&export->bar);
        (void)ctl_fail_sealed(&seal, record->version, &fault);
        export->is_said = true;
    }
    if (err != ERR_OK)
        return err;
    shown.value_len = strlen(shown.value);
    if (!jsonl_add(&export->line, tenant, key->name, &shown))
        err = ERR_NOMEM;
    seal_free(shown.value);
    return err;
}

static enum err
add_line(struct export *export, const char *tenant, const char *name,
         const struct record *record)
{
    const struct config_key *key = config_key_find(name);

    if (key != NULL && key->secret != NULL)
        return add_secret(export, tenant, key, record);
    return jsonl_add(&export->line, tenant, name, record) ? ERR_OK : ERR_NOMEM;
}

static enum err
put(void *ctx, const char *tenant, const char *key, const struct record *record)
{
    struct export *export = ctx;
    enum err err;

    if (ctl_interrupt_came())
        return ERR_ENDED;
    if (!record_is_set(record))
        return ERR_OK;
    export->line.len = 0;
    err = add_line(export, tenant, key, record);
    if (err != ERR_OK)
        return err;
    if (fwrite(export->line.data, 1, export->line.len, export->stream) !=
        export->line.len) {
        export->error = errno;
        return ERR_ENDED;
    }
    progress_update(&export->bar, ++export->done);
    return ERR_OK;
}

/* Writes all, and says so if that fails. */
static enum ctl_exit
write_all(const struct ctl_session *session, FILE *stream)
{
    struct export export = {
        .stream = stream,
        .secrets = session->secrets,
        .reveals = session->values[REVEAL] != NULL,
    };
    const char *tenant = session->setting.tenant;
    struct store_stat stat;
    enum err err = store_stat(session->store, &stat);

    if (err != ERR_OK)
        return ctl_fail_store(err);
    progress_start(&export.bar, STDERR_FILENO, "export",
                   tenant == NULL ? stat.records : 0);
    err = tenant != NULL ? store_list(session->store, tenant, put, &export)
                         : store_scan(session->store, put, &export);
    progress_end(&export.bar);
    buf_clear(&export.line);
    if (export.error != 0)
        return ctl_fail("could not write: %s", strerror(export.error));
    if (export.is_said)
        return CTL_FAILED;
    if (ctl_interrupt_came())
        return ctl_fail("interrupted; the export is not complete");
    return err == ERR_OK ? CTL_OK : ctl_fail_store(err);
}

static enum ctl_exit
write_file(const struct ctl_session *session, const char *path)
{
    struct outfile file;
    const char *why = outfile_open(&file, path, MODE);
    enum ctl_exit status;

    if (why != NULL)
        return ctl_fail("%s: %s", path, why);
    status = write_all(session, file.stream);
    if (status != CTL_OK) {
        outfile_drop(&file);
        return status;
    }
    why = outfile_finish(&file);
    return why == NULL ? CTL_OK : ctl_fail("%s: %s", path, why);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *output = session->values[OUTPUT];
    enum ctl_exit status = ctl_session_open(session);

    if (status != CTL_OK)
        return status;
    if (output == NULL)
        return write_all(session, stdout);
    ctl_interrupt_catch(); /* there is something to be cleared away */
    return write_file(session, output);
}

const struct ctl_command ctl_export = {
    .name = "export",
    .operands = "",
    .summary = "Writes settings as JSON Lines",
    .details = "Writes a line for each setting that is set, by tenant and key, "
               "all from one\n"
               "moment. An encrypted secret stays encrypted unless it is "
               "revealed; a secret in\n"
               "the clear is masked. As long as a slow reader of standard "
               "output has not taken\n"
               "everything, the store cannot reuse space, so write large "
               "exports to a file.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .secrets = CTL_SECRETS_TO_REVEAL,
              .store = CTL_STORE},
    .run = run,
};
