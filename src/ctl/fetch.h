// SPDX-License-Identifier: MIT
/* A document from an https server. The only user of libcurl. */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include <stdbool.h>
#include <stddef.h>

struct fetch_options {
    const char *url;    /* see fetch_is_https */
    const char *accept; /* the media types that are asked for */
    const char *ca;     /* file of the only CAs that are trusted; NULL: the
                           system's */
    long timeout;       /* seconds for all of it */
};

/* True if the URL is one that fetch_get would ask. */
bool fetch_is_https(const char *url);

/*
 * Reads at most size bytes; more is a failure. Redirects are followed a few
 * times, and to https only. True if the answer is a 200 and whole; otherwise
 * why says what is wrong, and names no more of the URL than its host.
 */
bool fetch_get(const struct fetch_options *options, char *text, size_t size,
               size_t *len_out, char *why, size_t why_size);

#endif
