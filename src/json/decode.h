// SPDX-License-Identifier: MIT
/*
 * JSON text to Jansson values (RFC 8259): Jansson's decoder with the strictness
 * that text from outside deserves, and its faults in words that never quote the
 * text, which may hold a secret. It has no error for refused memory, which ends
 * the process (base/must_alloc.h): Jansson's lexer would misread instead.
 */
#ifndef JSON_DECODE_H
#define JSON_DECODE_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

/* What is wrong, and where; counted from 1, columns in characters. */
struct decode_fault {
    const char *text; /* static, e.g. "is not valid JSON: unexpected end" */
    size_t line;
    size_t column;
};

/*
 * Decodes one value of any type; text need not end with a NUL.
 *
 * ERR_OK: *value_out is a new reference. ERR_INVALID: so it is, but an integer
 * is beyond 64 bits and all of them are reals, which is good enough to name
 * violations and not to be stored; *fault_out has the first. ERR_BADREQ:
 * *fault_out says what is wrong; a member that is named twice, and a NUL in a
 * string, are faults too.
 */
enum err decode_json(const char *text, size_t len, json_t **value_out,
                     struct decode_fault *fault_out);

#endif
