// SPDX-License-Identifier: MIT
/* Header fields that are lists, and how to read them (RFC 9110, 5.6). */
#include "http/http.h"

#include <string.h>
#include <strings.h>

/* A piece of a field; not NUL-terminated. */
struct span {
    const char *text;
    size_t len;
};

static bool
span_is(struct span span, const char *word)
{
    return strlen(word) == span.len &&
           strncasecmp(span.text, word, span.len) == 0;
}

static void
skip_space(const char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
}

static bool
skip_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool
is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* token: RFC 9110, section 5.6.2. Not by strspn, which first makes a table of
 * the set: every request comes by here. */
static bool
read_token(const char **at, struct span *token_out)
{
    const char *end = *at;

    while (is_token_char(*end))
        end++;
    if (end == *at)
        return false;
    *token_out = (struct span){*at, (size_t)(end - *at)};
    *at = end;
    return true;
}

/* The content of a quoted-string. What is escaped in it stays escaped, so that
 * it equals none of the words we look for. */
static bool
read_quoted(const char **at, struct span *content_out)
{
    const char *start = *at + 1;
    const char *end = start;

    if (**at != '"')
        return false;
    for (; *end != '"'; end++) {
        if (*end == '\\')
            end++;
        if (*end == '\0')
            return false;
    }
    *content_out = (struct span){start, (size_t)(end - start)};
    *at = end + 1;
    return true;
}

static bool
read_word(const char **at, struct span *word_out)
{
    return read_quoted(at, word_out) || read_token(at, word_out);
}

/*
 * Reads *( OWS ";" OWS [ name "=" value ] ), one parameter a call. False at
 * the end and where something else stands; *at tells which.
 */
static bool
read_parameter(const char **at, struct span *name_out, struct span *value_out)
{
    const char *start;

    for (;;) {
        start = *at;
        skip_space(at);
        if (!skip_char(at, ';'))
            break;
        skip_space(at);
        if (**at == ';' || **at == ',' || **at == '\0')
            continue;
        if (read_token(at, name_out) && skip_char(at, '=') &&
            read_word(at, value_out))
            return true;
        break;
    }
    *at = start;
    return false;
}

/* True if the list's element ends here. */
static bool
is_element_end(const char *at)
{
    skip_space(&at);
    return *at == ',' || *at == '\0';
}

/* To the start of the next element of a list, past quoted commas; nothing can
 * be told apart after a quote that is never closed. */
static void
next_element(const char **at)
{
    struct span ignored;

    while (**at != ',' && **at != '\0') {
        if (**at != '"')
            (*at)++;
        else if (!read_quoted(at, &ignored))
            *at += strlen(*at);
    }
    while (**at == ',' || **at == ' ' || **at == '\t')
        (*at)++;
}

/* A media range of Accept: how closely it fits, and how much it is wanted. */
struct range {
    struct span type, subtype;
    bool has_parameters;
    bool is_other; /* has a parameter that none of our types has */
    int weight;    /* thousandths */
};

/* qvalue: RFC 9110, section 12.4.2; -1 if malformed. */
static int
weight_parse(struct span text)
{
    int weight = 0;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.text[1] != '.'))
        return -1;
    for (size_t i = 0; i < 5; i++) {
        char digit = i < text.len ? text.text[i] : '0';

        if (i == 1)
            continue;
        if (digit < '0' || digit > '9')
            return -1;
        weight = weight * 10 + (digit - '0');
    }
    return weight <= 1000 ? weight : -1;
}

static bool
read_type(const char **at, struct span *type_out, struct span *subtype_out)
{
    return read_token(at, type_out) && skip_char(at, '/') &&
           read_token(at, subtype_out);
}

static bool
read_range(const char **at, struct range *range_out)
{
    struct range range = {.weight = 1000};
    struct span name, value;

    if (!read_type(at, &range.type, &range.subtype))
        return false;
    while (read_parameter(at, &name, &value)) {
        if (span_is(name, "q")) {
            range.weight = weight_parse(value);
            if (range.weight < 0)
                return false;
        } else {
            range.has_parameters = true;
            /* JSON is always UTF-8, so this one says nothing new. */
            if (!span_is(name, "charset") || !span_is(value, "utf-8"))
                range.is_other = true;
        }
    }
    if (!is_element_end(*at))
        return false;
    *range_out = range;
    return true;
}

/* How closely range fits application/subtype: 0 is not at all. */
static int
range_fit(const struct range *range, const char *subtype)
{
    if (range->is_other)
        return 0;
    if (span_is(range->type, "*") && span_is(range->subtype, "*"))
        return 1;
    if (!span_is(range->type, "application"))
        return 0;
    if (span_is(range->subtype, "*"))
        return 2;
    if (!span_is(range->subtype, subtype))
        return 0;
    return range->has_parameters ? 4 : 3;
}

enum media
http_negotiate(const char *accept, enum media fallback)
{
    static const char *const subtypes[] = {
        [MEDIA_JSON] = "json",
        [MEDIA_PROBLEM] = "problem+json",
    };
    int fit[] = {0, 0};
    int weight[] = {0, 0};

    for (const char *at = accept != NULL ? accept : ""; *at != '\0';
         next_element(&at)) {
        struct range range;

        skip_space(&at);
        if (!read_range(&at, &range))
            continue;
        for (enum media media = MEDIA_JSON; media <= MEDIA_PROBLEM; media++) {
            int found = range_fit(&range, subtypes[media]);

            /* The closest range decides, not the one most wanted. */
            if (found > fit[media]) {
                fit[media] = found;
                weight[media] = range.weight;
            }
        }
    }
    if (weight[MEDIA_JSON] == weight[MEDIA_PROBLEM])
        return fallback;
    return weight[MEDIA_JSON] > weight[MEDIA_PROBLEM] ? MEDIA_JSON
                                                      : MEDIA_PROBLEM;
}

bool
http_is_json(const char *content_type)
{
    const char *at = content_type != NULL ? content_type : "";
    struct span type, subtype, name, value;

    skip_space(&at);
    if (!read_type(&at, &type, &subtype) || !span_is(type, "application") ||
        !span_is(subtype, "json"))
        return false;
    while (read_parameter(&at, &name, &value))
        if (span_is(name, "charset") && !span_is(value, "utf-8"))
            return false;
    skip_space(&at);
    return *at == '\0';
}

/* preference: RFC 7240, section 2. Its parameters are not read. */
static bool
read_preference(const char **at, struct span *name_out, struct span *value_out)
{
    if (!read_token(at, name_out))
        return false;
    skip_space(at);
    *value_out = (struct span){"", 0};
    if (!skip_char(at, '='))
        return true;
    skip_space(at);
    return read_word(at, value_out);
}

bool
http_is_strict(const char *prefer)
{
    for (const char *at = prefer != NULL ? prefer : ""; *at != '\0';
         next_element(&at)) {
        struct span name, value;

        skip_space(&at);
        /* Only the first of the same name counts. */
        if (read_preference(&at, &name, &value) && span_is(name, "handling"))
            return span_is(value, "strict");
    }
    return false;
}

/* entity-tag: RFC 9110, section 8.8.3. */
static bool
read_etag(const char **at, bool *is_weak_out, struct span *opaque_out)
{
    const char *start;

    *is_weak_out = strncmp(*at, "W/", 2) == 0;
    *at += *is_weak_out ? 2 : 0;
    if (!skip_char(at, '"'))
        return false;
    start = *at;
    while ((unsigned char)**at > ' ' && **at != '"' && **at != 0x7f)
        (*at)++;
    *opaque_out = (struct span){start, (size_t)(*at - start)};
    return skip_char(at, '"');
}

enum etag_match
http_match_etag(const char *field, const char *etag, bool is_there, bool weak)
{
    const char *at = field;
    enum etag_match match = ETAG_MALFORMED;

    skip_space(&at);
    if (skip_char(&at, '*')) {
        skip_space(&at);
        if (*at != '\0')
            return ETAG_MALFORMED;
        return is_there ? ETAG_MATCHES : ETAG_DIFFERS;
    }
    /* To the end even after a match: a malformed field is never obeyed. */
    for (;;) {
        struct span opaque;
        bool is_weak;

        at += strspn(at, ", \t");
        if (*at == '\0')
            return match;
        if (!read_etag(&at, &is_weak, &opaque) || !is_element_end(at))
            return ETAG_MALFORMED;
        if (match == ETAG_MALFORMED)
            match = ETAG_DIFFERS;
        if ((weak || !is_weak) && opaque.len == strlen(etag) - 2 &&
            memcmp(opaque.text, etag + 1, opaque.len) == 0)
            match = ETAG_MATCHES;
    }
}
