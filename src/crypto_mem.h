// SPDX-License-Identifier: MIT
/*
 * Memory for cjose and OpenSSL. Both report a failed allocation as if the key
 * or the signature were bad, and cjose 0.6.2 does not check some of its own
 * at all: it would take the process down where a 503 is due.
 */
#ifndef CRYPTO_MEM_H
#define CRYPTO_MEM_H

#include <stdbool.h>

/* Puts the hooks in, once. Must come before anything uses OpenSSL; later it
 * covers no more than cjose. */
void crypto_mem_init(void);

/* Begins a section of this thread. With the reserve, what malloc refuses in
 * it is taken from there, as long as that lasts. */
void crypto_mem_enter(bool has_reserve);

/* Ends it; true if malloc refused anything meanwhile. */
bool crypto_mem_leave(void);

#endif
