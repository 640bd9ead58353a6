// SPDX-License-Identifier: MIT
/* orderconf set: a new value for a setting. */
#include "base/buf.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/setting.h"
#include "ctl/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* All of stdin, or as much as is too much. */
static enum ctl_exit
read_stdin(struct buf *text)
{
    char chunk[4096];
    size_t len;

    while (text->len <= HTTP_BODY_MAX &&
           (len = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        if (!buf_add(text, chunk, len))
            return ctl_fail("out of memory");
    if (ferror(stdin))
        return ctl_fail("could not read the standard input: %s",
                        strerror(errno));
    return CTL_OK;
}

/* The canonical value of JSON text, for seal_drop. */
static enum ctl_exit
parse(const struct ctl_session *session, const char *text, size_t len,
      json_t **value_out)
{
    json_auto_t *messages = json_array();
    enum err err = ERR_NOMEM;

    /* As much as a request may bring. */
    if (len > HTTP_BODY_MAX)
        return ctl_fail("value: must be at most %d bytes", HTTP_BODY_MAX);
    if (messages != NULL)
        err = config_key_check(session->setting.key, text, len, &session->rules,
                               messages, value_out);
    return err == ERR_OK ? CTL_OK : ctl_fail_messages(err, messages);
}

static enum ctl_exit
read_value(const struct ctl_session *session, json_t **value_out)
{
    const char *operand = session->operands[1];
    struct buf text = {0};
    enum ctl_exit status;

    if (operand != NULL && strcmp(operand, "-") != 0)
        return parse(session, operand, strlen(operand), value_out);
    status = read_stdin(&text);
    if (status == CTL_OK)
        status = parse(session, text.data, text.len, value_out);
    buf_clear(&text);
    return status;
}

static enum ctl_exit
store_value(struct ctl_session *session, json_t *value)
{
    struct ctl_change change;
    enum ctl_exit status = ctl_session_open(session);

    if (status != CTL_OK)
        return status;
    change = ctl_session_change(session);
    change.keeps_secret = true;
    return ctl_change_setting(session->store, &session->setting, value,
                              &change);
}

static enum ctl_exit
run(struct ctl_session *session)
{
    json_t *value = NULL;
    enum ctl_exit status = read_value(session, &value);

    if (status == CTL_OK)
        status = store_value(session, value);
    seal_drop(session->setting.key, value);
    return status;
}

const struct ctl_command ctl_set = {
    .name = "set",
    .operands = "KEY [VALUE]",
    .operands_max = 2,
    .summary = "Sets a setting of a tenant to a value",
    .details = "VALUE is JSON, like \"value\" in the body of a POST, and is "
               "checked like it.\n"
               "Without VALUE, or if it is -, the value is read from standard "
               "input. Put a VALUE\n"
               "that begins with - after --. " SEAL_MASK
               " in place of a secret keeps the stored\n"
               "secret, if the URL names the same server.",
    .options = ctl_change_options,
    .option_count = CTL_CHANGE_OPTIONS,
    .needs = {.tenant = CTL_TENANT_NAMED,
              .key = true,
              .base = true,
              .author = true,
              .secrets = CTL_SECRETS,
              .store = CTL_STORE},
    .run = run,
};
