// SPDX-License-Identifier: MIT
#include "store/stamp.h"

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
