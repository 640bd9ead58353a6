// SPDX-License-Identifier: MIT
#include "store/judge.h"

#include <string.h>

void
store_judge(struct store_write *write, const char *value, size_t value_len,
            int64_t now)
{
    bool is_refused = write->once && value_len > 0;
    bool is_same = is_refused && value_len == write->value_len &&
                   memcmp(value, write->value, value_len) == 0;

    write->is_new = false;
    write->result = ERR_OK;
    if (is_same && !write->is_check)
        return;
    if (write->base != STORE_ANY_VERSION && write->base != write->version)
        write->result = write->lost;
    else if (is_refused && !write->is_check)
        write->result = ERR_INVALID;
    if (write->result != ERR_OK || write->is_check ||
        (value_len == 0 && write->value_len == 0))
        return;
    write->is_new = true;
    write->version++;
    /* A clock that was set back does not make a newer version look older. */
    if (write->updated_at < now)
        write->updated_at = now;
}

bool
store_note_fits(const char *note)
{
    size_t characters = 0, len = 0;

    for (; note != NULL && note[len] != '\0'; len++)
        characters += (note[len] & 0xc0) != 0x80; /* a character's first byte */
    return characters <= STORE_NOTE_MAX && len <= STORE_NOTE_MAX * 4;
}

struct store_write *
store_group_end(const struct store_write *first, const struct store_write *end)
{
    struct store_write *next = first->next;

    while (first->group != 0 && next != end && next->group == first->group)
        next = next->next;
    return next;
}

void
store_judge_group(struct store_write *first, const struct store_write *end)
{
    bool is_refused = false;

    for (const struct store_write *write = first; write != end;
         write = write->next)
        is_refused = is_refused || write->result != ERR_OK;
    for (struct store_write *write = first; is_refused && write != end;
         write = write->next) {
        if (!write->is_new)
            continue;
        write->is_new = false;
        write->version--; /* the one that is there */
        write->result = ERR_CONFLICT;
    }
}
