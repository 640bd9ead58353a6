// SPDX-License-Identifier: MIT
/* What a commit gives to each version that it makes: its place in the store's
 * order, and an id that no other version has, in this store or elsewhere. For
 * engines. */
#ifndef STORE_STAMP_H
#define STORE_STAMP_H

#include "store/store.h"

/* So many ids at once, for getrandom gives up to 256 bytes as a whole: a call
 * of it costs as much as an eighth of a commit to memory. */
#define STORE_STAMP_IDS (256 / STORE_WRITE_ID_SIZE)

/* Begins as zeros, and lives as long as the store is open in this process,
 * which must not fork meanwhile. */
struct store_stamp {
    uint64_t seq; /* the last one given; each commit sets it first */
    unsigned char ids[STORE_STAMP_IDS][STORE_WRITE_ID_SIZE];
    size_t left; /* of ids */
    bool is_clock_noted;
};

/* Sets the seq and write_id of a write that makes a version. 0, or errno. */
int store_stamp(struct store_stamp *stamp, struct store_write *write);

/* Of a write that was judged, where a version with the time before was: logs,
 * once, if it has an earlier one. */
void store_stamp_note_clock(struct store_stamp *stamp,
                            const struct store_write *write, int64_t before);

#endif
