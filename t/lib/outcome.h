// SPDX-License-Identifier: MIT
/* A value that was parsed, and what is wrong with it. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "model/config_keys.h"

#include <jansson.h>

struct outcome {
    enum err err;
    char *value; /* its text; NULL if it was refused */
    json_t *messages;
};

/* The messages, a line each; from malloc. */
char *outcome_lines(const json_t *messages);

/* Takes the value, and puts its text into the outcome. */
void outcome_encode(struct outcome *outcome, json_t *value);

/* Parses a body that has no NUL behind it. The caller clears the outcome. */
struct outcome parse_bytes(const struct config_key *key, const char *body,
                           size_t len, bool is_strict);

void outcome_clear(struct outcome *outcome);

/* The same of a value by itself. */
struct outcome check_text(const struct config_key *key, const char *text,
                          bool is_strict);

#endif
