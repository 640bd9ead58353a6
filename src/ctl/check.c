// SPDX-License-Identifier: MIT
/* orderconf check: is the store damaged? */
#include "base/number.h"
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/session.h"
#include "ctl/store.h"
#include "json/text.h"

#include <stdio.h>

enum { JSON = CTL_STORE_OPTIONS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [JSON] = CTL_JSON_ROW,
};

static enum ctl_exit
print(const char *const *values, const struct store_checked *checked)
{
    struct buf json = {0};
    bool is_complete;

    if (values[JSON] == NULL) {
        printf("%s: sound: %llu setting%s, %llu version%s\n", values[CTL_DB],
               (unsigned long long)checked->records,
               number_ending(checked->records),
               (unsigned long long)checked->versions,
               number_ending(checked->versions));
        return CTL_OK;
    }
    is_complete = json_text_add(&json, "{\"path\":") &&
                  json_text_add_string(&json, values[CTL_DB]) &&
                  json_text_add(&json, ",\"format\":") &&
                  json_text_add_number(&json, checked->format) &&
                  json_text_add(&json, ",\"records\":") &&
                  json_text_add_number(&json, checked->records) &&
                  json_text_add(&json, ",\"versions\":") &&
                  json_text_add_number(&json, checked->versions) &&
                  json_text_add(&json, "}");
    return ctl_print_json(&json, is_complete);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    struct store_checked checked;
    enum ctl_exit status = ctl_store_check(session->values, &checked);

    return status == CTL_OK ? print(session->values, &checked) : status;
}

const struct ctl_command ctl_check = {
    .name = "check",
    .operands = "",
    .summary = "Reads all of the store, and prints whether it is damaged",
    .details = "It reads the store as it is at one moment, with or without "
               "running workers. It\n"
               "changes nothing, and does not raise an older store. The exit "
               "status is 1 if the\n"
               "store is damaged.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
