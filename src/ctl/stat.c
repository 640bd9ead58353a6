// SPDX-License-Identifier: MIT
/* orderconf stat: what the store holds, and how full it is. */
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/session.h"
#include "ctl/store.h"
#include "json/text.h"
#include "model/tenant.h"

#include <stdio.h>
#include <string.h>

enum { JSON = CTL_STORE_OPTIONS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [JSON] = CTL_JSON_ROW,
};

struct counts {
    struct store_stat stat;
    uint64_t tenants;
    char last[TENANT_MAX + 1]; /* the one that was visited last */
};

static enum err
count_tenant(void *ctx, const char *tenant, const char *key,
             const struct record *record)
{
    struct counts *counts = ctx;

    (void)key;
    (void)record;
    if (strcmp(counts->last, tenant) != 0) {
        counts->tenants++;
        memcpy(counts->last, tenant, strlen(tenant) + 1);
    }
    return ERR_OK;
}

/* A line of the answer: its name in JSON and in words. */
struct line {
    const char *name, *words;
    uint64_t number;
};

static void
print_text(const char *path, const struct line *lines, size_t count)
{
    printf("%-15s %s\n", "store", path);
    for (size_t i = 0; i < count; i++)
        printf("%-15s %llu\n", lines[i].words,
               (unsigned long long)lines[i].number);
}

static enum ctl_exit
print_json(const char *path, const struct line *lines, size_t count)
{
    struct buf json = {0};
    bool is_complete =
        json_text_add(&json, "{\"path\":") && json_text_add_string(&json, path);

    for (size_t i = 0; i < count && is_complete; i++)
        is_complete = json_text_add(&json, ",") &&
                      json_text_add_string(&json, lines[i].name) &&
                      json_text_add(&json, ":") &&
                      json_text_add_number(&json, lines[i].number);
    is_complete = is_complete && json_text_add(&json, "}");
    return ctl_print_json(&json, is_complete);
}

static enum ctl_exit
print(const char *const *values, const struct counts *counts)
{
    const struct store_stat *stat = &counts->stat;
    const struct line lines[] = {
        {"format", "format", stat->format},
        {"map_bytes", "map bytes", stat->map_bytes},
        {"used_bytes", "used bytes", stat->used_bytes},
        {"readers", "readers", stat->readers},
        {"readers_max", "readers at most", stat->readers_max},
        {"tenants", "tenants", counts->tenants},
        {"records", "records", stat->records},
        {"versions", "versions", stat->versions},
    };

    if (values[JSON] != NULL)
        return print_json(values[CTL_DB], lines, ARRAY_SIZE(lines));
    print_text(values[CTL_DB], lines, ARRAY_SIZE(lines));
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct counts counts = {.tenants = 0};
    enum ctl_exit status = ctl_session_open(session);
    enum err err;

    if (status != CTL_OK)
        return status;
    err = store_stat(session->store, &counts.stat);
    if (err == ERR_OK)
        err = store_scan(session->store, count_tenant, &counts);
    if (err != ERR_OK)
        return ctl_fail_store(err);
    return print(session->values, &counts);
}

const struct ctl_command ctl_stat = {
    .name = "stat",
    .operands = "",
    .summary = "Prints what the store holds, and how full it is",
    .details = "Readers are the processes that have the store open, this one "
               "included.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.store = CTL_STORE},
    .run = run,
};
