// SPDX-License-Identifier: MIT
#include "model/config_keys.h"

#include "base/util.h"

#include <string.h>

#define SCHEMA_POSITIVE .type = SCHEMA_INTEGER, .min = 1, .max = INT64_MAX

static const struct schema_member sequence[] = {
    {.name = "prefix", .schema = {.type = SCHEMA_STRING}},
    {.name = "size", .schema = {SCHEMA_POSITIVE}},
    {.name = "start", .schema = {SCHEMA_POSITIVE}},
    {.name = "step", .schema = {SCHEMA_POSITIVE}},
    {.name = NULL},
};

static const char *const location_names[] = {"store", "dc", NULL};

static const struct schema location = {
    .type = SCHEMA_STRING,
    .one_of = location_names,
};

static const struct schema_member big_order[] = {
    {.name = "soft_limit_for_big_orders",
     .schema = {SCHEMA_ANY_INTEGER},
     .is_required = true},
    {.name = NULL},
};

static const struct schema_member oms[] = {
    {.name = "enabled",
     .schema = {.type = SCHEMA_BOOLEAN},
     .is_required = true},
    {.name = NULL},
};

/* timeout has no minimum in the API document, so it has none here. */
static const struct schema_member webhook[] = {
    {.name = "url",
     .schema = {.type = SCHEMA_STRING, .min_length = 1, .is_uri = true},
     .is_required = true},
    {.name = "api_key",
     .schema = {.type = SCHEMA_STRING, .min_length = 1},
     .is_required = true},
    {.name = "timeout",
     .schema = {.type = SCHEMA_INTEGER, .min = INT64_MIN, .max = 25},
     .unset = "15"},
    {.name = NULL},
};

const struct config_key config_keys[] = {
    {.name = "sales_order_generator_sequence",
     .value = {.type = SCHEMA_OBJECT, .members = sequence},
     .unset = "{}",
     .is_once = true},
    {.name = "on_hold_timer_duration",
     .value = {SCHEMA_ANY_INTEGER},
     .unset = "0"},
    {.name = "cancellation_allowed_from",
     .value = {.type = SCHEMA_ARRAY, .min_length = 1, .items = &location},
     .unset = "[\"store\"]"},
    {.name = "big_sales_order",
     .value = {.type = SCHEMA_OBJECT, .members = big_order},
     .unset = "{\"soft_limit_for_big_orders\":100}"},
    {.name = "external_oms",
     .value = {.type = SCHEMA_OBJECT, .members = oms},
     .unset = "{\"enabled\":false}",
     .is_flat = true},
    {.name = "external_order_webhook",
     .value = {.type = SCHEMA_OBJECT, .members = webhook},
     .secret = "api_key",
     .recipient = "url"},
};

_Static_assert(ARRAY_SIZE(config_keys) == CONFIG_KEYS_MAX,
               "CONFIG_KEYS_MAX says how many rows there are");

const struct config_key *
config_key_find(const char *name)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

#define GUESS_MAX 64 /* no name is longer */

/* Edits of a character each that make one name the other (Levenshtein). */
static size_t
count_edits(const char *one, const char *other)
{
    size_t row[GUESS_MAX + 1];
    size_t len = strlen(other);

    for (size_t i = 0; i <= len; i++)
        row[i] = i;
    for (; *one != '\0'; one++) {
        size_t diagonal = row[0]++;

        for (size_t i = 0; i < len; i++) {
            size_t edits = diagonal + (*one != other[i]);

            diagonal = row[i + 1];
            if (edits > row[i] + 1)
                edits = row[i] + 1;
            if (edits > diagonal + 1)
                edits = diagonal + 1;
            row[i + 1] = edits;
        }
    }
    return row[len];
}

const struct config_key *
config_key_guess(const char *name)
{
    const struct config_key *nearest = NULL;
    size_t len = strlen(name);
    size_t fewest = len / 3; /* of more, it is another word */

    for (size_t i = 0; len <= GUESS_MAX && i < CONFIG_KEYS_MAX; i++) {
        size_t edits = count_edits(name, config_keys[i].name);

        if (edits <= fewest && (nearest == NULL || edits < fewest)) {
            fewest = edits;
            nearest = &config_keys[i];
        }
    }
    return nearest;
}
