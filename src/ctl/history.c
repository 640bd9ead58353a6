// SPDX-License-Identifier: MIT
/* orderconf history: who set a setting to what, and when. */
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "json/text.h"
#include "setting/setting.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Read at once, and printed when the store is left alone again. */
#define PAGE 100

enum { LIMIT = CTL_VIEW_OPTIONS, BEFORE, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_VIEW_ROWS,
    [LIMIT] = {.name = "limit",
               .argument = "N",
               .help = "the newest N of them (default: all)"},
    [BEFORE] = {.name = "before",
                .argument = "VERSION",
                .help = "only those below this version"},
};

/* How a version is printed. */
struct manner {
    struct seal seal;
    bool is_revealed;
    bool is_json;
};

struct page {
    struct {
        struct record record;
        struct record_origin origin;
    } entries[PAGE];
    size_t count;
};

static enum err
take(void *ctx, const struct record *record, const struct record_origin *origin)
{
    struct page *page = ctx;
    struct record_origin *copy = &page->entries[page->count].origin;
    enum err err = record_copy(record, &page->entries[page->count].record);

    if (err != ERR_OK)
        return err;
    page->count++;
    return record_origin_copy(origin, copy);
}

static enum ctl_exit
print_json(const struct config_key *key, const struct record *record,
           const struct record_origin *origin)
{
    struct buf json = {0};
    bool is_complete = setting_add_version(&json, key, record, origin, false);

    return ctl_print_json(&json, is_complete);
}

static void
print_text(const struct record *record)
{
    bool has_author = *record->author != '\0'; /* in the history, not NULL */
    char time[CTL_TIME_SIZE];

    printf("%7llu  %s  ", (unsigned long long)record->version,
           ctl_time_text(record->updated_at, time));
    ctl_print_text(has_author ? record->author : "-", "  ");
    ctl_print_text(record_is_set(record) ? record->value : "unset", "\n");
}

static enum ctl_exit
print_page(struct page *page, const struct manner *manner)
{
    for (size_t i = 0; i < page->count; i++) {
        struct record *record = &page->entries[i].record;
        enum ctl_exit status =
            ctl_show_record(&manner->seal, manner->is_revealed, record);

        if (status != CTL_OK)
            return status;
        if (!manner->is_json)
            print_text(record);
        else if (print_json(manner->seal.key, record,
                            &page->entries[i].origin) != CTL_OK)
            return CTL_FAILED;
    }
    return CTL_OK;
}

static void
clear_page(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        record_clear(&page->entries[i].record);
        record_origin_clear(&page->entries[i].origin);
    }
    page->count = 0;
}

static enum ctl_exit
print_all(struct store *store, long limit, uint64_t before,
          const struct manner *manner)
{
    const struct seal *seal = &manner->seal;
    struct page page = {.count = 0};
    enum ctl_exit status = CTL_OK;
    bool is_last = limit == 0;

    while (status == CTL_OK && !is_last) {
        size_t wanted = limit < PAGE ? (size_t)limit : PAGE;
        enum err err = store_history(store, seal->tenant, seal->key->name,
                                     before, wanted, take, &page);

        status =
            err == ERR_OK ? print_page(&page, manner) : ctl_fail_store(err);
        limit -= (long)page.count;
        is_last = page.count < wanted || limit == 0;
        if (page.count > 0)
            before = page.entries[page.count - 1].record.version;
        clear_page(&page);
    }
    return status;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    struct manner manner = {
        .is_revealed = values[CTL_VIEW_REVEAL] != NULL,
        .is_json = values[CTL_VIEW_JSON] != NULL,
    };
    enum ctl_exit status;
    long limit = LONG_MAX;
    long before = 0;

    if (values[LIMIT] != NULL &&
        ctl_read_number("limit", values[LIMIT], 1, LONG_MAX, &limit) != CTL_OK)
        return CTL_USAGE;
    if (values[BEFORE] != NULL && ctl_read_number("before", values[BEFORE], 1,
                                                  LONG_MAX, &before) != CTL_OK)
        return CTL_USAGE;
    status = ctl_session_open(session);
    if (status != CTL_OK)
        return status;
    manner.seal = ctl_session_seal(session);
    return print_all(session->store, limit, (uint64_t)before, &manner);
}

const struct ctl_command ctl_history = {
    .name = "history",
    .operands = "KEY",
    .operands_max = 1,
    .summary =
        "Prints the versions of a setting of a tenant, and their authors",
    .details = "Prints a line for each version, newest first: its number, "
               "time, author and\n"
               "value. With --json, each is a line of JSON.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_STORED,
              .key = true,
              .secrets = CTL_SECRETS_TO_REVEAL,
              .store = CTL_STORE},
    .run = run,
};
