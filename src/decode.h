// SPDX-License-Identifier: MIT
/*
 * JSON text to Jansson values (RFC 8259). Not by Jansson's own decoder: its
 * lexer drops a byte when it cannot grow its buffer (lex_save, 2.14), so that
 * without memory a wrong value is taken for the right one, or the process
 * aborts; and its messages quote the text, which may hold a secret.
 */
#ifndef DECODE_H
#define DECODE_H

#include "err.h"

#include <jansson.h>
#include <stddef.h>

#define DECODE_DEPTH_MAX 2048

/* What is wrong, and where; counted from 1, columns in characters. */
struct decode_fault {
    const char *text; /* static, e.g. "is not valid JSON: expected a value" */
    size_t line;
    size_t column;
};

/*
 * Decodes one value of any type; text need not end with a NUL.
 *
 * ERR_OK: *value_out is a new reference. ERR_INVALID: so it is, but a number
 * is out of range and replaced by the nearest real, which is good enough to
 * name violations and not to be stored; *fault_out has the first. ERR_BADREQ:
 * *fault_out says what is wrong; a member that is named twice, and a NUL in a
 * string, are faults too. ERR_NOMEM.
 */
enum err decode_json(const char *text, size_t len, json_t **value_out,
                     struct decode_fault *fault_out);

/*
 * Decodes what stands between the quotes of a string, which is UTF-8; text has
 * room for len bytes. Returns NULL, or what is wrong with the byte at
 * *bad_at_out: a static text as in a fault.
 */
const char *decode_string(const char *content, size_t len, char *text,
                          size_t *len_out, size_t *bad_at_out);

#endif
