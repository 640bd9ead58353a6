// SPDX-License-Identifier: MIT
/* Characters in UTF-8 (RFC 3629), and as they stand in a string of JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4           /* bytes of a character */
#define UTF8_NONE UINT32_MAX /* no character */

/* The character that text, of len > 0 bytes, begins with, and how many of them
 * it has. A byte that begins none is UTF8_NONE by itself. */
size_t utf8_read(const char *text, size_t len, uint32_t *point_out);

/* How many characters there are in text, which is UTF-8. */
size_t utf8_count(const char *text, size_t len);

#define UTF8_JSON_MAX sizeof("\\ud83d\\ude00")

/* Writes a character as a string of JSON has it, and no NUL; returns how many
 * bytes that are. If is_ascii, all but printable ASCII is escaped, not only
 * what RFC 8259 requires. UTF8_NONE is U+FFFD, REPLACEMENT CHARACTER. */
size_t utf8_put_json(char out[UTF8_JSON_MAX], uint32_t point, bool is_ascii);

#endif
