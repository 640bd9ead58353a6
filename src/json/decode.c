// SPDX-License-Identifier: MIT
#include "json/decode.h"

#include <stdbool.h>
#include <string.h>

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

static const char *
fault_text(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input:
        return "is not valid JSON: unexpected end";
    case json_error_end_of_input_expected:
        return "is not valid JSON: more text after its end";
    case json_error_invalid_utf8:
        return "is not valid JSON: bad UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "holds a NUL character";
    case json_error_duplicate_key:
        return "names a member twice";
    case json_error_stack_overflow:
        return "is nested too deeply";
    case json_error_numeric_overflow:
        return "holds a number that is out of range";
    default:
        return "is not valid JSON: syntax error";
    }
}

/* Where Jansson stopped, which is before the first line in an empty text. */
static struct decode_fault
make_fault(const json_error_t *error)
{
    return (struct decode_fault){
        .text = fault_text(json_error_code(error)),
        .line = error->line > 0 ? (size_t)error->line : 1,
        .column = error->column > 0 ? (size_t)error->column : 1,
    };
}

/* Jansson steps over a NUL byte between tokens. */
static bool
has_nul(const char *text, size_t len, struct decode_fault *fault_out)
{
    const char *nul = memchr(text, '\0', len);

    if (nul == NULL)
        return false;
    fault_out->text = fault_text(json_error_null_character);
    fault_out->line = fault_out->column = 1;
    for (; text < nul; text++) {
        fault_out->column++;
        if (*text == '\n') {
            fault_out->line++;
            fault_out->column = 1;
        }
    }
    return true;
}

enum err
decode_json(const char *text, size_t len, json_t **value_out,
            struct decode_fault *fault_out)
{
    json_error_t error;
    json_t *value;

    if (has_nul(text, len, fault_out))
        return ERR_BADREQ;
    value = json_loadb(text, len, FLAGS, &error);
    if (value != NULL) {
        *value_out = value;
        return ERR_OK;
    }
    *fault_out = make_fault(&error);
    if (json_error_code(&error) != json_error_numeric_overflow)
        return ERR_BADREQ;
    value = json_loadb(text, len, FLAGS | JSON_DECODE_INT_AS_REAL, &error);
    if (value == NULL) {
        *fault_out = make_fault(&error);
        return ERR_BADREQ;
    }
    *value_out = value;
    return ERR_INVALID;
}
