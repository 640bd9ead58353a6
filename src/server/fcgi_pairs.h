// SPDX-License-Identifier: MIT
/* FastCGI's name-value pairs (section 3.4 of the specification). */
#ifndef SERVER_FCGI_PAIRS_H
#define SERVER_FCGI_PAIRS_H

#include <stddef.h>

struct fcgi_pair {
    const char *name;
    const char *value;
};

/*
 * Rewrites the pairs in place as NUL-terminated strings: a pair's two lengths
 * take at least the two bytes that its terminators need. Returns the count, or
 * -1 if the pairs are malformed, hold a NUL, or are more than max.
 */
int fcgi_pairs_read(char *bytes, size_t len, struct fcgi_pair *pairs, int max);

#endif
