// SPDX-License-Identifier: MIT
#include "store/stamp.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int
store_stamp(struct store_stamp *stamp, struct store_write *write)
{
    if (stamp->left == 0) {
        if (getrandom(stamp->ids, sizeof(stamp->ids), 0) !=
            (ssize_t)sizeof(stamp->ids))
            return errno;
        stamp->left = STORE_STAMP_IDS;
    }
    write->seq = ++stamp->seq;
    memcpy(write->write_id, stamp->ids[--stamp->left], STORE_WRITE_ID_SIZE);
    write->has_write_id = true;
    return 0;
}

void
store_stamp_note_clock(struct store_stamp *stamp,
                       const struct store_write *write, int64_t before)
{
    if (write->updated_at >= before || stamp->is_clock_noted)
        return;
    stamp->is_clock_noted = true;
    log_event(LOG_LEVEL_WARNING, "clock_behind",
              LOG_TEXT("tenant", write->tenant), LOG_TEXT("key", write->key),
              LOG_NUMBER("version", (int64_t)write->version),
              LOG_NUMBER("seconds", before - write->updated_at));
}
