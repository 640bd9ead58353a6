// SPDX-License-Identifier: MIT
/*
 * Memory for libraries that cannot bear to be refused any. Jansson's lexer
 * (2.14, lex_save) drops a byte when it cannot grow its buffer, and takes a
 * wrong value for the right one, or aborts. cjose and OpenSSL report a failed
 * allocation as if the key or the signature were bad, and cjose (0.6.2) does
 * not check some of its own at all. What these three ask for they get, or the
 * process ends: so nothing that one of them made half of is kept or answered.
 *
 * Our own code, LMDB, libsodium, uriparser and libcurl report it instead.
 */
#ifndef BASE_MUST_ALLOC_H
#define BASE_MUST_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the process, to which bytes were refused, and needs no memory for that.
 * It runs in any thread, while a library may hold any of its locks. */
typedef void must_alloc_end_fn(size_t bytes);

/* Must come first in main. False: OpenSSL has been used before, and keeps the
 * functions that it has. */
bool must_alloc_set(must_alloc_end_fn *end);

#endif
