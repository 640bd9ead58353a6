// SPDX-License-Identifier: MIT
#include "outcome.h"

#include "base/util.h"

#include <string.h>

char *
outcome_lines(const json_t *messages)
{
    char *text = calloc(1, 1 << 20);
    char *at = text;

    for (size_t i = 0; i < json_array_size(messages); i++) {
        at = stpcpy(at, json_string_value(json_array_get(messages, i)));
        at = stpcpy(at, "\n");
    }
    return text;
}

void
outcome_encode(struct outcome *outcome, json_t *value)
{
    if (outcome->err == ERR_OK)
        outcome->err = config_key_encode(value, &outcome->value);
    json_decref(value);
}

struct outcome
parse_bytes(const struct config_key *key, const char *body, size_t len,
            bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome outcome = {.messages = json_array()};
    /* Without a NUL after it, for valgrind and the address sanitizer. */
    char *exact = malloc(len);
    json_t *value = NULL;

    memcpy(exact, body, len);
    outcome.err =
        config_key_parse(key, exact, len, &rules, outcome.messages, &value);
    free(exact);
    outcome_encode(&outcome, value);
    return outcome;
}

void
outcome_clear(struct outcome *outcome)
{
    free(outcome->value);
    json_decref(outcome->messages);
}

struct outcome
check_text(const struct config_key *key, const char *text, bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome outcome = {.messages = json_array()};
    json_t *value = NULL;

    outcome.err = config_key_check(key, text, strlen(text), &rules,
                                   outcome.messages, &value);
    outcome_encode(&outcome, value);
    return outcome;
}
