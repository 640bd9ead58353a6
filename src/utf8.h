// SPDX-License-Identifier: MIT
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes of text, from its start, are well-formed characters. */
size_t utf8_span(const char *text, size_t len);

/* The characters in text, which must be well-formed. */
size_t utf8_count(const char *text, size_t len);

/* Writes a code point, at most 4 bytes; returns where the next one goes. */
char *utf8_put(char *at, int32_t point);

#endif
