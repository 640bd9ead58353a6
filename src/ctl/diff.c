// SPDX-License-Identifier: MIT
/* orderconf diff: what differs between two exports, or an export and the
 * store. Both are in one order, so that they are read side by side. */
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/lines.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "json/text.h"
#include "setting/change.h"
#include "setting/jsonl.h"

#include <errno.h>
#include <stdio.h>

/* As diff(1). */
enum { SAME = 0, DIFFERENT = 1, TROUBLE = 2 };

enum { TENANT = CTL_STORE_OPTIONS, SECRET_KEYS, JSON, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_ONLY_TENANT_ROW,
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [JSON] = {.name = "json",
              .help = "print a line of JSON for each difference"},
};

struct diff {
    struct ctl_lines from;
    struct jsonl_setting next;      /* of from; key NULL: there is no more */
    const char *only;               /* the tenant, or NULL */
    const struct key_ring *secrets; /* NULL: what is sealed stays so */
    bool is_json;
    bool is_there; /* one of both has something of the tenant */
    bool is_different;
    bool is_trouble; /* it has been said */
};

static bool
print_json(const char *change, const struct jsonl_setting *from,
           const struct jsonl_setting *to)
{
    const struct jsonl_setting *any = from != NULL ? from : to;
    struct buf line = {0};
    bool is_complete = json_text_add(&line, "{\"change\":") &&
                       json_text_add_string(&line, change) &&
                       json_text_add(&line, ",\"tenant\":") &&
                       json_text_add_string(&line, any->tenant) &&
                       json_text_add(&line, ",\"key\":") &&
                       json_text_add_string(&line, any->key->name);

    if (is_complete && from != NULL)
        is_complete = json_text_add(&line, ",\"from_version\":") &&
                      json_text_add_number(&line, from->version);
    if (is_complete && to != NULL)
        is_complete = json_text_add(&line, ",\"to_version\":") &&
                      json_text_add_number(&line, to->version);
    if (is_complete)
        printf("%.*s}\n", (int)line.len, line.data);
    buf_clear(&line);
    return is_complete;
}

static void
print_text(const char *change, const struct jsonl_setting *from,
           const struct jsonl_setting *to)
{
    const struct jsonl_setting *any = from != NULL ? from : to;

    printf("%-7s %s %s", change, any->tenant, any->key->name);
    if (from != NULL && to != NULL)
        printf(" %llu -> %llu\n", (unsigned long long)from->version,
               (unsigned long long)to->version);
    else
        printf(" %llu\n", (unsigned long long)any->version);
}

/* One of both may be NULL. */
static enum err
report(struct diff *diff, const struct jsonl_setting *from,
       const struct jsonl_setting *to)
{
    const char *change = "changed";

    if (from == NULL)
        change = "added";
    else if (to == NULL)
        change = "removed";
    diff->is_different = true;
    progress_hide(&diff->from.bar); /* stdout may be the same terminal */
    if (!diff->is_json)
        print_text(change, from, to);
    else if (!print_json(change, from, to))
        return ERR_NOMEM;
    return ERR_OK;
}

/* Reads the next setting of the tenant; key NULL if there is none. ERR_INVALID:
 * it was said what is wrong. */
static enum err
read_next(struct diff *diff, struct ctl_lines *lines,
          struct jsonl_setting *next)
{
    enum err err;

    do {
        jsonl_setting_clear(next);
        err = ctl_lines_read(lines, next);
    } while (err == ERR_OK && diff->only != NULL &&
             strcmp(diff->only, next->tenant) != 0);
    diff->is_there = diff->is_there || err == ERR_OK;
    return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* read_next of the first of both; its errors have been said. */
static enum err
advance(struct diff *diff)
{
    enum err err = read_next(diff, &diff->from, &diff->next);

    if (err != ERR_OK)
        diff->is_trouble = true;
    return err;
}

/* Reports what stands before to, which may be NULL: the end. */
static enum err
catch_up(struct diff *diff, const struct jsonl_setting *to)
{
    enum err err = ERR_OK;

    while (err == ERR_OK && diff->next.key != NULL &&
           (to == NULL || jsonl_compare(&diff->next, to) < 0)) {
        err = report(diff, &diff->next, NULL);
        if (err == ERR_OK)
            err = advance(diff);
    }
    return err;
}

/* The next setting of the second of both. */
static enum err
meet(struct diff *diff, const struct jsonl_setting *to)
{
    const struct jsonl_setting *from = &diff->next;
    enum err err = catch_up(diff, to);

    if (err != ERR_OK)
        return err;
    if (from->key == NULL || jsonl_compare(from, to) != 0)
        return report(diff, NULL, to);
    if (!change_is_same(to->key, from->value, to->value))
        err = report(diff, from, to);
    return err == ERR_OK ? advance(diff) : err;
}

/* A record of the store. */
static enum err
meet_record(void *ctx, const char *tenant, const char *name,
            const struct record *record)
{
    struct jsonl_setting to = {
        .key = config_key_find(name),
        .version = record->version,
    };
    struct diff *diff = ctx;
    struct seal seal = {diff->secrets, tenant, to.key};
    struct seal_fault fault;
    enum err err;

    diff->is_there = true;
    if (to.key == NULL || !record_is_set(record))
        return ERR_OK;
    memcpy(to.tenant, tenant, strlen(tenant) + 1);
    err = change_load(&seal, CHANGE_COMPARED, record, &to.value, &fault);
    if (err == ERR_OK || err == ERR_SEALED) /* malformed: it is like no other */
        err = meet(diff, &to);
    jsonl_setting_clear(&to);
    return err;
}

static enum ctl_exit
fail(const struct diff *diff, enum err err)
{
    return diff->is_trouble ? CTL_FAILED : ctl_fail_store(err);
}

static enum ctl_exit
compare_store(struct diff *diff, struct ctl_session *session)
{
    enum ctl_exit status = ctl_session_open_store(session, CTL_STORE_IS_THERE);
    struct store *store = session->store;
    enum err err;

    if (status != CTL_OK)
        return status;
    err = diff->only != NULL ? store_list(store, diff->only, meet_record, diff)
                             : store_scan(store, meet_record, diff);
    if (err == ERR_OK)
        err = catch_up(diff, NULL);
    return err == ERR_OK ? CTL_OK : fail(diff, err);
}

static enum ctl_exit
compare_file(struct diff *diff, const char *path)
{
    struct jsonl_setting to = {.key = NULL};
    struct ctl_lines lines;
    enum ctl_exit status = ctl_lines_open(&lines, path);
    enum err err;

    if (status != CTL_OK)
        return status;
    lines.jsonl.secrets = diff->secrets;
    lines.jsonl.keeps_sealed = true;
    do {
        err = read_next(diff, &lines, &to);
        if (err != ERR_OK)
            diff->is_trouble = true;
        else
            err = to.key != NULL ? meet(diff, &to) : catch_up(diff, NULL);
    } while (err == ERR_OK && to.key != NULL);
    jsonl_setting_clear(&to);
    ctl_lines_close(&lines);
    return err == ERR_OK ? CTL_OK : fail(diff, err);
}

static enum ctl_exit
compare(struct diff *diff, struct ctl_session *session)
{
    const char *second = session->operands[1];
    enum ctl_exit status = ctl_lines_rewind(&diff->from, "diff");

    if (status != CTL_OK)
        return status;
    if (advance(diff) != ERR_OK)
        return CTL_FAILED;
    status = second != NULL ? compare_file(diff, second)
                            : compare_store(diff, session);
    if (status != CTL_OK)
        return status;
    if (diff->only != NULL && !diff->is_there)
        return ctl_fail("%s: neither side has a setting of this tenant",
                        diff->only);
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct diff diff = {.only = session->setting.tenant,
                        .is_json = session->values[JSON] != NULL};
    enum ctl_exit status;

    if (session->operands[0] == NULL)
        return ctl_fail_usage("which export? see --help");
    if (ctl_session_open(session) != CTL_OK ||
        ctl_lines_open(&diff.from, session->operands[0]) != CTL_OK)
        return (enum ctl_exit)TROUBLE;
    diff.secrets = session->secrets;
    diff.from.jsonl.secrets = session->secrets;
    diff.from.jsonl.keeps_sealed = true;
    status = compare(&diff, session);
    jsonl_setting_clear(&diff.next);
    ctl_lines_close(&diff.from);
    if (status != CTL_OK)
        return (enum ctl_exit)TROUBLE;
    if (fflush(stdout) != 0) {
        /* What could not be printed must not look like a difference. */
        (void)ctl_fail("could not write: %s", strerror(errno));
        return (enum ctl_exit)TROUBLE;
    }
    return (enum ctl_exit)(diff.is_different ? DIFFERENT : SAME);
}

const struct ctl_command ctl_diff = {
    .name = "diff",
    .operands = "FILE [FILE]",
    .operands_max = 2,
    .summary =
        "Prints what differs between exports, or an export and the store",
    .details = "A FILE is sorted as export writes it. A single FILE is "
               "compared with the store.\n"
               "Prints the settings that were added, removed or changed since "
               "the first FILE,\n"
               "with their versions. Only the values are compared. The exit "
               "status is that of\n"
               "diff(1): 0 if nothing differs, 1 if something differs, 2 if "
               "something is wrong.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_NAMED,
              .secrets = CTL_SECRETS,
              .store = CTL_STORE_LATER},
    .failed = (enum ctl_exit)TROUBLE,
    .run = run,
};
