// SPDX-License-Identifier: MIT
/* orderconf export: the settings of one tenant or of all, as JSON Lines. */
#include "ctl.h"
#include "ctl_interrupt.h"
#include "ctl_setting.h"
#include "ctl_store.h"
#include "jsonl.h"
#include "outfile.h"
#include "progress.h"
#include "util.h"

#include <errno.h>

#define MODE 0600 /* it may hold secrets */

enum { TENANT = CTL_STORE_OPTIONS, OUTPUT, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = {.name = "tenant",
                .argument = "NAME",
                .help = "whose settings (default: everybody's)"},
    [OUTPUT] = {.name = "output",
                .argument = "FILE",
                .help = "where to, replaced when it is complete (default:\n"
                        "standard output)"},
};

/* An export on its way out. */
struct export
{
    FILE *stream;
    struct buf line;
    struct progress bar;
    uint64_t done;
    int error; /* errno of a write */
};

static enum err
put(void *ctx, const char *tenant, const char *key, const struct record *record)
{
    struct export *export = ctx;

    if (ctl_interrupt_came())
        return ERR_BUSY;
    if (!record_is_set(record))
        return ERR_OK;
    export->line.len = 0;
    if (!jsonl_add(&export->line, tenant, key, record))
        return ERR_NOMEM;
    if (fwrite(export->line.data, 1, export->line.len, export->stream) !=
        export->line.len) {
        export->error = errno;
        return ERR_BUSY;
    }
    progress_update(&export->bar, ++export->done);
    return ERR_OK;
}

/* Writes all, and says so if that fails. */
static enum ctl_exit
write_all(struct store *store, const char *tenant, FILE *stream)
{
    struct export export = {.stream = stream};
    struct store_stat stat;
    enum err err = store_stat(store, &stat);

    if (err != ERR_OK)
        return ctl_fail_store(err);
    progress_start(&export.bar, STDERR_FILENO, "export",
                   tenant == NULL ? stat.records : 0);
    err = tenant != NULL ? store_list(store, tenant, put, &export)
                         : store_scan(store, put, &export);
    progress_end(&export.bar);
    buf_clear(&export.line);
    if (export.error != 0)
        return ctl_fail("could not write: %s", strerror(export.error));
    if (ctl_interrupt_came())
        return ctl_fail("interrupted; the export is not complete");
    return err == ERR_OK ? CTL_OK : ctl_fail_store(err);
}

static enum ctl_exit
write_file(struct store *store, const char *tenant, const char *path)
{
    struct outfile file;
    const char *why = outfile_open(&file, path, MODE);
    enum ctl_exit status;

    if (why != NULL)
        return ctl_fail("%s: %s", path, why);
    status = write_all(store, tenant, file.stream);
    if (status != CTL_OK) {
        outfile_drop(&file);
        return status;
    }
    why = outfile_finish(&file);
    return why == NULL ? CTL_OK : ctl_fail("%s: %s", path, why);
}

static enum ctl_exit
run(const char *const *values, const char *const *operands)
{
    const char *tenant = values[TENANT];
    struct store *store = NULL;
    enum ctl_exit status;

    (void)operands; /* it takes none */
    if (tenant != NULL && ctl_read_tenant(tenant) != CTL_OK)
        return CTL_USAGE;
    status = ctl_store_open(values, CTL_STORE_IS_THERE, &store);
    if (status != CTL_OK)
        return status;
    if (values[OUTPUT] != NULL) /* there is something to be cleared away */
        ctl_interrupt_catch();
    status = values[OUTPUT] != NULL ? write_file(store, tenant, values[OUTPUT])
                                    : write_all(store, tenant, stdout);
    store_close(store);
    return status;
}

const struct ctl_command ctl_export = {
    .name = "export",
    .operands = "",
    .summary = "Writes settings as JSON Lines",
    .details = "A line for each setting, by tenant and key, from one moment; "
               "keys that are not\n"
               "set are left out. What a slow reader of standard output has "
               "not taken yet keeps\n"
               "the store from using space again: write to a file, if there is "
               "much of it.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
