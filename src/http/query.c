// SPDX-License-Identifier: MIT
/* Parameters of the query string, as forms and URLSearchParams write them:
 * name=value&name=value, percent-encoded (URL Standard, section 5.1). */
#include "http/http.h"
#include "base/number.h"
#include "base/timestamp.h"
#include "json/messages.h"

#include <stdio.h>
#include <string.h>

/* Longer than every name, number and flag that we look for. */
#define PIECE_SIZE 21

static const char twice[] = "must be there only once";

int
http_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 'a' ^ 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes what stands before end, and passes it. A piece that is malformed,
 * or longer than any of ours, becomes "". */
static void
read_piece(const char **at, const char *ends, char *piece_out, size_t size)
{
    const char *end = *at + strcspn(*at, ends);
    size_t len = 0;
    bool is_good = true;

    for (; *at < end; (*at)++) {
        char c = **at == '+' ? ' ' : **at;

        if (c == '%') {
            int high = http_hex_digit((*at)[1]);
            int low = high >= 0 ? http_hex_digit((*at)[2]) : -1;

            is_good = is_good && low >= 0;
            c = (char)(high * 16 + low);
            *at += low >= 0 ? 2 : 0;
        }
        is_good = is_good && len + 1 < size && c != '\0';
        if (is_good)
            piece_out[len++] = c;
    }
    piece_out[is_good ? len : 0] = '\0';
}

/* How often the parameter is there; value_out is the first one's. */
static int
find(const char *query, const char *name, char *value_out, size_t size)
{
    char piece[PIECE_SIZE], ignored[1];
    int count = 0;

    while (*query != '\0') {
        bool is_first;

        read_piece(&query, "=&", piece, sizeof(piece));
        is_first = strcmp(piece, name) == 0 && count++ == 0;
        query += *query == '=';
        if (is_first)
            read_piece(&query, "&", value_out, size);
        else
            read_piece(&query, "&", ignored, sizeof(ignored));
        query += *query == '&';
    }
    return count;
}

static enum err
refuse(json_t *messages, const char *name, const char *rule)
{
    enum err err = messages_add(messages, "%s: %s", name, rule);

    return err == ERR_INVALID ? ERR_BADREQ : err;
}

enum err
http_query_number(const char *query, const char *name, uint64_t min,
                  uint64_t max, json_t *messages, uint64_t *number_inout)
{
    char value[PIECE_SIZE];
    char rule[96];
    int count = find(query, name, value, sizeof(value));

    if (count == 0)
        return ERR_OK;
    if (count > 1)
        return refuse(messages, name, twice);
    if (number_read(value, min, max, number_inout))
        return ERR_OK;
    snprintf(rule, sizeof(rule), "must be an integer from %llu to %llu",
             (unsigned long long)min, (unsigned long long)max);
    return refuse(messages, name, rule);
}

enum err
http_query_flag(const char *query, const char *name, json_t *messages,
                bool *flag_inout)
{
    char value[PIECE_SIZE];
    int count = find(query, name, value, sizeof(value));
    bool is_true = count == 1 && strcmp(value, "true") == 0;

    if (count == 0)
        return ERR_OK;
    if (count > 1)
        return refuse(messages, name, twice);
    if (!is_true && strcmp(value, "false") != 0)
        return refuse(messages, name, "must be true or false");
    *flag_inout = is_true;
    return ERR_OK;
}

enum err
http_query_text(const char *query, const char *name, json_t *messages,
                char *text_inout, size_t size)
{
    char rule[96];
    int count = find(query, name, text_inout, size);

    if (count > 1)
        return refuse(messages, name, twice);
    if (count == 0 || *text_inout != '\0')
        return ERR_OK;
    snprintf(rule, sizeof(rule), "must be a text of 1 to %zu bytes", size - 1);
    return refuse(messages, name, rule);
}

enum err
http_query_time(const char *query, const char *name, json_t *messages,
                int64_t *seconds_inout)
{
    char text[sizeof("2026-11-22T05:39:41.123456789+01:00")] = "";
    int count = find(query, name, text, sizeof(text));

    if (count > 1)
        return refuse(messages, name, twice);
    if (count == 0 || timestamp_read(text, seconds_inout))
        return ERR_OK;
    return refuse(messages, name,
                  "must be a time like 2026-11-22T05:39:41Z (RFC 3339)");
}
