// SPDX-License-Identifier: MIT
/* orderconf tenants: who has settings in the store. */
#include "base/buf.h"
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/session.h"
#include "ctl/store.h"
#include "json/text.h"
#include "model/config_keys.h"
#include "model/tenant.h"

#include <stdio.h>
#include <string.h>

enum { JSON = CTL_STORE_OPTIONS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [JSON] = CTL_JSON_ROW,
};

struct tenant {
    char name[TENANT_MAX + 1];
    uint64_t keys;        /* that are set */
    struct record newest; /* of all keys; without its strings */
};

/* Kept, and printed when the store is left alone again. */
struct tenants {
    struct buf list; /* of struct tenant */
    struct tenant last;
};

static bool
add_last(struct tenants *tenants)
{
    return *tenants->last.name == '\0' ||
           buf_add(&tenants->list, &tenants->last, sizeof(tenants->last));
}

static enum err
take(void *ctx, const char *name, const char *key, const struct record *record)
{
    struct tenants *tenants = ctx;
    struct tenant *last = &tenants->last;

    if (strcmp(last->name, name) != 0) {
        if (!add_last(tenants))
            return ERR_NOMEM;
        *last = (struct tenant){.keys = 0};
        memcpy(last->name, name, strlen(name) + 1);
    }
    last->keys += record_is_set(record) && config_key_find(key) != NULL;
    if (record_is_newer(record, &last->newest))
        last->newest = (struct record){.version = record->version,
                                       .seq = record->seq,
                                       .updated_at = record->updated_at};
    return ERR_OK;
}

static void
print_text(const struct tenant *tenant)
{
    char time[CTL_TIME_SIZE];

    printf("%-30s %llu  %s\n", tenant->name, (unsigned long long)tenant->keys,
           ctl_time_text(tenant->newest.updated_at, time));
}

static enum ctl_exit
print_json(const struct tenant *tenant)
{
    struct buf json = {0};
    bool is_complete = json_text_add(&json, "{\"tenant\":") &&
                       json_text_add_string(&json, tenant->name) &&
                       json_text_add(&json, ",\"keys\":") &&
                       json_text_add_number(&json, tenant->keys) &&
                       json_text_add(&json, ",\"updated_at\":") &&
                       json_text_add_time(&json, tenant->newest.updated_at) &&
                       json_text_add(&json, "}");

    return ctl_print_json(&json, is_complete);
}

static enum ctl_exit
print_all(const struct buf *list, bool is_json)
{
    for (size_t at = 0; at < list->len; at += sizeof(struct tenant)) {
        struct tenant tenant;

        memcpy(&tenant, list->data + at, sizeof(tenant));
        if (!is_json)
            print_text(&tenant);
        else if (print_json(&tenant) != CTL_OK)
            return CTL_FAILED;
    }
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct tenants tenants = {.list = {0}};
    enum ctl_exit status = ctl_session_open(session);
    enum err err;

    if (status != CTL_OK)
        return status;
    err = store_scan(session->store, take, &tenants);
    if (err == ERR_OK && !add_last(&tenants))
        err = ERR_NOMEM;
    status = err == ERR_OK
                 ? print_all(&tenants.list, session->values[JSON] != NULL)
                 : ctl_fail_store(err);
    buf_clear(&tenants.list);
    return status;
}

const struct ctl_command ctl_tenants = {
    .name = "tenants",
    .operands = "",
    .summary = "Lists the tenants in the store",
    .details =
        "Prints a line for each tenant: its name, the number of keys that are "
        "set, and\n"
        "the time of the last change. With --json, each is a line of JSON.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.store = CTL_STORE},
    .run = run,
};
