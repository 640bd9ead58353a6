// SPDX-License-Identifier: MIT
#include "store/judge.h"

#include "base/utf8.h"

#include <string.h>

/* Another version is there than the one that the write is based on. */
static bool
is_overtaken(const struct store_write *write)
{
    return write->base != STORE_ANY_VERSION && write->base != write->version;
}

static void
make_version(struct store_write *write, int64_t now)
{
    write->is_new = true;
    write->version++;
    /* A clock that is set right by a little does not make a newer version look
     * older. One that was wrong by more does not hold the time for ever. */
    if (write->updated_at < now || write->updated_at > now + STORE_CLOCK_STEP)
        write->updated_at = now;
}

static void
judge_put(struct store_write *write, const char *value, size_t value_len,
          int64_t now)
{
    bool is_fixed = write->once && value_len > 0;

    if (is_fixed && value_len == write->value_len &&
        memcmp(value, write->value, value_len) == 0)
        return;
    if (is_overtaken(write))
        write->result = write->lost;
    else if (is_fixed)
        write->result = ERR_INVALID;
    else
        make_version(write, now);
}

void
store_judge(struct store_write *write, const char *value, size_t value_len,
            int64_t now)
{
    write->is_new = false;
    write->result = ERR_OK;
    switch (write->op) {
    case STORE_PUT:
        judge_put(write, value, value_len, now);
        break;
    case STORE_UNSET:
        if (is_overtaken(write))
            write->result = write->lost;
        else if (value_len > 0)
            make_version(write, now);
        break;
    case STORE_CHECK:
        if (is_overtaken(write))
            write->result = write->lost;
        break;
    case STORE_REPLACE:
        break;
    }
}

static bool
note_fits(const char *note)
{
    size_t len = note != NULL ? strlen(note) : 0;

    return len <= STORE_NOTE_MAX * UTF8_MAX &&
           utf8_count(note, len) <= STORE_NOTE_MAX;
}

static bool
value_fits(const struct store_write *write)
{
    switch (write->op) {
    case STORE_PUT:
        return write->value_len > 0;
    case STORE_UNSET:
        return write->value_len == 0;
    case STORE_CHECK:
        return true;
    case STORE_REPLACE:
        return write->value_len > 0 && write->replaces_len > 0;
    }
    return false;
}

bool
store_write_is_valid(const struct store_write *write)
{
    return value_fits(write) && note_fits(write->note);
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
