// SPDX-License-Identifier: MIT
#include "store/place.h"

#include <stdio.h>
#include <string.h>

struct store_place
store_place_of(const char *key, const struct record *record)
{
    struct store_place place = {
        .seq = record->seq,
        .time = record->updated_at,
        .version = record->version,
    };

    snprintf(place.key, sizeof(place.key), "%s", key);
    return place;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int
store_place_compare(const struct store_place *a, const struct store_place *b)
{
    int order = compare_numbers(a->seq, b->seq);

    if (order != 0 || a->seq != 0)
        return order;
    order = (a->time > b->time) - (a->time < b->time);
    if (order == 0)
        order = strcmp(a->key, b->key);
    return order != 0 ? order : compare_numbers(a->version, b->version);
}
