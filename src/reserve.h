// SPDX-License-Identifier: MIT
/*
 * Memory for libraries that cannot bear to be refused any. Jansson's lexer
 * (2.14, lex_save) drops a byte when it cannot grow its buffer, and takes a
 * wrong value for the right one, or aborts. cjose and OpenSSL report a failed
 * allocation as if the key or the signature were bad, and cjose (0.6.2) does
 * not check some of its own at all. Within a section they get a reserve
 * instead, and whoever began it throws the result away: a 503 is due.
 */
#ifndef RESERVE_H
#define RESERVE_H

#include <stdbool.h>

/* Puts the hooks in; again is harmless. Must come before anything uses
 * OpenSSL, whose memory is otherwise left out: false. */
bool reserve_init(void);

/* Begins a section of this thread: what malloc refuses in it is taken from
 * the reserve, as long as that lasts. */
void reserve_enter(void);

/* Ends it; true if malloc refused anything meanwhile: what was made in the
 * section should then not be kept, for it holds on to the reserve. */
bool reserve_leave(void);

#endif
