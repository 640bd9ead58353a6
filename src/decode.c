// SPDX-License-Identifier: MIT
#include "decode.h"

#include "utf8.h"
#include "util.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const char *start;
    const char *at;
    const char *end;
    unsigned depth;
    enum err err;
    struct decode_fault fault;
};

static json_t *read_value(struct reader *reader);

/* Sets the fault to where the reader stands. */
static void
locate(struct reader *reader, const char *text)
{
    const char *line = reader->start;

    reader->fault.text = text;
    reader->fault.line = 1;
    for (const char *at = line; at < reader->at; at++) {
        if (*at == '\n') {
            reader->fault.line++;
            line = at + 1;
        }
    }
    reader->fault.column = utf8_count(line, (size_t)(reader->at - line)) + 1;
}

/* Always false, for the caller to return. The end and a NUL are named as what
 * they are, whatever was expected there. */
static bool
fail(struct reader *reader, const char *text)
{
    reader->err = ERR_BADREQ;
    if (reader->at == reader->end)
        text = "is not valid JSON: unexpected end";
    else if (*reader->at == '\0')
        text = "holds a NUL character";
    locate(reader, text);
    return false;
}

static void *
fail_memory(struct reader *reader)
{
    reader->err = ERR_NOMEM;
    return NULL;
}

/* The next byte, or -1 at the end. */
static int
peek(const struct reader *reader)
{
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static bool
skip(struct reader *reader, char wanted)
{
    if (peek(reader) != wanted)
        return false;
    reader->at++;
    return true;
}

static void
skip_space(struct reader *reader)
{
    while (reader->at < reader->end &&
           memchr(" \t\r\n", *reader->at, 4) != NULL)
        reader->at++;
}

/* The closing quote of the string that the reader is in; NULL if none. */
static const char *
find_close(const struct reader *reader)
{
    for (const char *at = reader->at; at < reader->end; at++) {
        if (*at == '"')
            return at;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

/* The decoded content of a string, from malloc. */
static char *
read_text(struct reader *reader, size_t *len_out)
{
    const char *close;
    const char *fault;
    size_t bad_at;
    char *text;

    reader->at++;
    close = find_close(reader);
    if (close == NULL) {
        reader->at = reader->end;
        fail(reader, NULL);
        return NULL;
    }
    /* No escape is shorter than what it stands for. */
    text = malloc((size_t)(close - reader->at) + 1);
    if (text == NULL)
        return fail_memory(reader);
    fault = decode_string(reader->at, (size_t)(close - reader->at), text,
                          len_out, &bad_at);
    if (fault != NULL) {
        reader->at += bad_at;
        fail(reader, fault);
        free(text);
        return NULL;
    }
    text[*len_out] = '\0';
    reader->at = close + 1;
    return text;
}

static json_t *
read_string(struct reader *reader)
{
    size_t len;
    auto_char *text = read_text(reader, &len);
    json_t *string;

    if (text == NULL)
        return NULL;
    string = json_stringn_nocheck(text, len);
    return string != NULL ? string : fail_memory(reader);
}

static bool
skip_digits(struct reader *reader)
{
    const char *start = reader->at;

    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->at++;
    return reader->at > start;
}

/* Moves past a number of RFC 8259's grammar. */
static bool
skip_number(struct reader *reader, bool *is_integer_out)
{
    bool is_good;

    *is_integer_out = true;
    skip(reader, '-');
    is_good = skip(reader, '0') || skip_digits(reader);
    if (is_good && skip(reader, '.')) {
        *is_integer_out = false;
        is_good = skip_digits(reader);
    }
    if (is_good && (skip(reader, 'e') || skip(reader, 'E'))) {
        *is_integer_out = false;
        if (!skip(reader, '+'))
            skip(reader, '-');
        is_good = skip_digits(reader);
    }
    return is_good || fail(reader, "is not valid JSON: expected a digit");
}

/* A number at start is out of range; the first one is remembered. */
static void
note_range(struct reader *reader, const char *start)
{
    const char *at = reader->at;

    if (reader->err != ERR_OK)
        return;
    reader->err = ERR_INVALID;
    reader->at = start;
    locate(reader, "holds a number that is out of range");
    reader->at = at;
}

/* strtod reads "." as the point: no program here calls setlocale. */
static json_t *
read_number(struct reader *reader)
{
    const char *start = reader->at;
    auto_char *text = NULL;
    json_t *number;
    bool is_integer;
    long long integer;
    double real;

    if (!skip_number(reader, &is_integer))
        return NULL;
    text = strndup(start, (size_t)(reader->at - start));
    if (text == NULL)
        return fail_memory(reader);
    errno = 0;
    integer = strtoll(text, NULL, 10);
    if (is_integer && errno == 0) {
        number = json_integer(integer);
    } else {
        real = strtod(text, NULL);
        if (is_integer || !isfinite(real))
            note_range(reader, start);
        /* Jansson has no infinite reals. */
        number = json_real(isfinite(real) ? real : copysign(DBL_MAX, real));
    }
    return number != NULL ? number : fail_memory(reader);
}

static json_t *
read_literal(struct reader *reader, const char *word, json_t *value)
{
    size_t len = strlen(word);

    if ((size_t)(reader->end - reader->at) < len ||
        memcmp(reader->at, word, len) != 0) {
        fail(reader, "is not valid JSON: expected a value");
        return NULL;
    }
    reader->at += len;
    return value; /* a constant of Jansson's, not counted */
}

static json_t *
read_array(struct reader *reader)
{
    json_auto_t *array = json_array();
    json_t *item;

    if (array == NULL)
        return fail_memory(reader);
    reader->at++;
    skip_space(reader);
    if (skip(reader, ']'))
        return json_incref(array);
    for (;;) {
        item = read_value(reader);
        if (item == NULL)
            return NULL;
        if (json_array_append_new(array, item) < 0)
            return fail_memory(reader);
        skip_space(reader);
        if (skip(reader, ']'))
            return json_incref(array);
        if (!skip(reader, ',')) {
            fail(reader, "is not valid JSON: expected \",\" or \"]\"");
            return NULL;
        }
    }
}

static bool
read_member(struct reader *reader, json_t *object)
{
    auto_char *name = NULL;
    const char *start;
    json_t *value;
    size_t len;

    skip_space(reader);
    start = reader->at;
    if (peek(reader) != '"')
        return fail(reader, "is not valid JSON: expected a member name");
    name = read_text(reader, &len);
    if (name == NULL)
        return false;
    if (json_object_getn(object, name, len) != NULL) {
        reader->at = start;
        return fail(reader, "names a member twice");
    }
    skip_space(reader);
    if (!skip(reader, ':'))
        return fail(reader, "is not valid JSON: expected \":\"");
    value = read_value(reader);
    if (value == NULL)
        return false;
    if (json_object_setn_new_nocheck(object, name, len, value) < 0)
        fail_memory(reader);
    return reader->err != ERR_NOMEM;
}

static json_t *
read_object(struct reader *reader)
{
    json_auto_t *object = json_object();

    if (object == NULL)
        return fail_memory(reader);
    reader->at++;
    skip_space(reader);
    if (skip(reader, '}'))
        return json_incref(object);
    for (;;) {
        if (!read_member(reader, object))
            return NULL;
        skip_space(reader);
        if (skip(reader, '}'))
            return json_incref(object);
        if (!skip(reader, ',')) {
            fail(reader, "is not valid JSON: expected \",\" or \"}\"");
            return NULL;
        }
    }
}

static json_t *
read_value(struct reader *reader)
{
    json_t *value = NULL;

    skip_space(reader);
    if (reader->depth == DECODE_DEPTH_MAX) {
        fail(reader, "is nested too deeply");
        return NULL;
    }
    reader->depth++;
    switch (peek(reader)) {
    case '{':
        value = read_object(reader);
        break;
    case '[':
        value = read_array(reader);
        break;
    case '"':
        value = read_string(reader);
        break;
    case 't':
        value = read_literal(reader, "true", json_true());
        break;
    case 'f':
        value = read_literal(reader, "false", json_false());
        break;
    case '-':
    case '0' ... '9':
        value = read_number(reader);
        break;
    default:
        value = read_literal(reader, "null", json_null());
    }
    reader->depth--;
    return value;
}

enum err
decode_json(const char *text, size_t len, json_t **value_out,
            struct decode_fault *fault_out)
{
    struct reader reader = {.start = text, .at = text, .end = text + len};
    json_auto_t *value = NULL;
    size_t good = utf8_span(text, len);

    if (good < len) {
        reader.at += good;
        fail(&reader, "is not valid JSON: bad UTF-8");
    } else {
        value = read_value(&reader);
    }
    if (value != NULL) {
        skip_space(&reader);
        if (reader.at < reader.end)
            fail(&reader, "is not valid JSON: more text after its end");
    }
    if (reader.err != ERR_OK)
        *fault_out = reader.fault;
    if (reader.err == ERR_OK || reader.err == ERR_INVALID)
        *value_out = json_incref(value);
    return reader.err;
}
