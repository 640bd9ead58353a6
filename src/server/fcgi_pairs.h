// SPDX-License-Identifier: MIT
/*
 * FastCGI's name-value pairs (section 3.4 of the specification), where libfcgi
 * does not read them or believes what they say.
 */
#ifndef SERVER_FCGI_PAIRS_H
#define SERVER_FCGI_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pairs not read yet. */
struct fcgi_pairs {
    const uint8_t *at, *end;
};

/* Points into the bytes of the pairs; no NUL ends either text. */
struct fcgi_pair {
    const char *name, *value;
    size_t name_len, value_len;
};

/* Takes the next pair. False at the end, where at is end, and where the bytes
 * are no pair. */
bool fcgi_pairs_next(struct fcgi_pairs *pairs, struct fcgi_pair *pair_out);

/*
 * Makes parameters such as libfcgi bears, in place. False if they are malformed
 * or if it would not read what they say: it adds up the two lengths of a pair
 * without a look at the sum, and keeps a pair as the C string NAME=VALUE, which
 * a NUL, or a "=" in the name, cuts elsewhere. Leaves out those that nobody
 * reads (request_reads), such as the other header fields: each would be an
 * allocation.
 */
bool fcgi_pairs_tidy(char *bytes, size_t *len_inout);

#endif
