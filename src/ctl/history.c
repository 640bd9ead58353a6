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

enum {
    TENANT = CTL_STORE_OPTIONS,
    LIMIT,
    BEFORE,
    SECRET_KEYS,
    REVEAL,
    JSON,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [TENANT] = CTL_TENANT_ROW,
    [LIMIT] = {.name = "limit",
               .argument = "N",
               .help = "the newest N of them (default: all)"},
    [BEFORE] = {.name = "before",
                .argument = "VERSION",
                .help = "only those below this version"},
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [REVEAL] = CTL_REVEAL_ROW,
    [JSON] = CTL_JSON_ROW,
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
    bool is_complete = setting_add_version(&json, key, record, origin);

    return ctl_print_json(&json, is_complete);
}

static enum ctl_exit
print_text(const struct record *record)
{
    bool has_author = *record->author != '\0'; /* in the history, not NULL */
    char time[CTL_TIME_SIZE];

    printf("%7llu  %s  ", (unsigned long long)record->version,
           ctl_time_text(record->updated_at, time));
    ctl_print_text(has_author ? record->author : "-", "  ");
    ctl_print_text(record_is_set(record) ? record->value : "unset", "\n");
    return CTL_OK;
}

static enum ctl_exit
print_page(struct page *page, const struct manner *manner)
{
    enum ctl_exit status = CTL_OK;

    for (size_t i = 0; i < page->count && status == CTL_OK; i++) {
        struct record *record = &page->entries[i].record;

        status = ctl_show_record(&manner->seal, manner->is_revealed, record);
        if (status == CTL_OK)
            status = manner->is_json ? print_json(manner->seal.key, record,
                                                  &page->entries[i].origin)
                                     : print_text(record);
    }
    return status;
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
print_all(struct store *store, const struct ctl_setting *setting, long limit,
          uint64_t before, const struct manner *manner)
{
    struct page page = {.count = 0};
    enum ctl_exit status = CTL_OK;
    bool is_last = limit == 0;

    while (status == CTL_OK && !is_last) {
        size_t wanted = limit < PAGE ? (size_t)limit : PAGE;
        enum err err = store_history(store, setting->tenant, setting->key->name,
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
    const char *const *operands = session->operands;
    struct manner manner = {
        .is_revealed = values[REVEAL] != NULL,
        .is_json = values[JSON] != NULL,
    };
    auto_secrets *secrets = NULL;
    auto_store *store = NULL;
    struct ctl_setting setting = {0};
    long limit = LONG_MAX;
    long before = 0;
    enum ctl_exit status;

    status = ctl_read_setting(values[TENANT], operands[0], &setting);
    if (status == CTL_OK && values[LIMIT] != NULL)
        status = ctl_read_number("limit", values[LIMIT], 1, LONG_MAX, &limit);
    if (status == CTL_OK && values[BEFORE] != NULL)
        status =
            ctl_read_number("before", values[BEFORE], 1, LONG_MAX, &before);
    if (status == CTL_OK)
        status = ctl_secrets_open_to_show(values[SECRET_KEYS], values[REVEAL],
                                          &secrets);
    manner.seal = ctl_seal_of(&setting, secrets);
    if (status == CTL_OK)
        status = ctl_store_open(values, CTL_STORE_IS_THERE, &store);
    if (status == CTL_OK)
        status = ctl_check_tenant(store, setting.tenant);
    if (status == CTL_OK)
        status = print_all(store, &setting, limit, (uint64_t)before, &manner);
    return status;
}

const struct ctl_command ctl_history = {
    .name = "history",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "Prints who set a setting of a tenant to what, and when",
    .details = "Newest first, a line each: version, time, author and value. "
               "With --json, each is\na line of JSON.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
