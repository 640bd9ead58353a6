// SPDX-License-Identifier: MIT
#include "model/body.h"

#include "json/decode.h"
#include "json/messages.h"
#include "json/schema.h"

static enum err
unreadable(enum err added)
{
    return added == ERR_INVALID ? ERR_BADREQ : added;
}

static enum err
add_fault(json_t *messages, const struct decode_fault *fault)
{
    return unreadable(messages_add(messages, "body: %s at line %zu, column %zu",
                                   fault->text, fault->line, fault->column));
}

enum err
body_parse(const char *body, size_t len, bool is_strict, body_check_fn *check,
           const void *ctx, json_t *messages, json_t **canonical_out)
{
    json_auto_t *root = NULL;
    json_auto_t *canonical = NULL;
    struct decode_fault fault;
    enum err decoded;
    enum err err;

    if (len == 0)
        return unreadable(messages_add(messages, "body: must not be empty"));
    decoded = decode_json(body, len, &root, &fault);
    if (decoded == ERR_BADREQ)
        return add_fault(messages, &fault);
    err = check(ctx, root, is_strict, messages, &canonical);
    /* A number out of range that no rule of the value named. */
    if (err == ERR_OK && decoded == ERR_INVALID)
        return add_fault(messages, &fault);
    if (err == ERR_OK)
        *canonical_out = json_incref(canonical);
    return err;
}
