// SPDX-License-Identifier: MIT
/*
 * Counts what is asked of Jansson. Linked with --wrap for json_loadb,
 * json_dumpb and json_dumps, which are all that our sources call; instead of
 * lib/no_memory_decoder.c.
 */
#ifndef CODED_H
#define CODED_H

struct coded {
    unsigned decoded;  /* texts */
    unsigned encoded;  /* values */
    unsigned measured; /* values that were encoded to nowhere */
};

/* Since the last call. */
struct coded coded_take(void);

#endif
