// SPDX-License-Identifier: MIT
/*
 * The request and response that every transport fills and sends, and the
 * header fields in them (RFC 9110, RFC 7240).
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_BODY_MAX 65536 /* bytes; a larger body is 413 */
#define HTTP_REQUEST_ID_MAX 128

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

/* Header fields that are read. */
#define REQUEST_FIELDS 6

/* Borrowed text lives as long as the transport's request. Absent is NULL. */
struct request {
    enum http_method method;
    const char *path;   /* PATH_INFO, decoded; "" if absent */
    const char *query;  /* QUERY_STRING, not decoded; "" if absent */
    const char *target; /* REQUEST_URI, as the client sent it */
    const char *prefix; /* SCRIPT_NAME, what stands before path; "" if absent */
    const char *accept;
    const char *authorization;
    const char *content_encoding;
    const char *content_type;
    const char *if_match;
    const char *if_none_match;
    const char *prefer;
    const char *front_tenant;         /* TENANT from the front end */
    bool is_operator;                 /* ORDERCONF_OPERATOR is 1 */
    char id[HTTP_REQUEST_ID_MAX + 1]; /* REQUEST_ID, or fresh */
    int64_t content_length;           /* -1 absent, -2 not a number */
    const char *body;
    size_t body_len;
    char *joined[REQUEST_FIELDS]; /* owned; fields that came on many lines */
};

/*
 * Fills all but the body from CGI variables (RFC 3875), which are an array of
 * NAME=value with NULL at its end, as in environ(7). A header field that is
 * there more than once is one list (RFC 9110, section 5.3), of anything else
 * the first counts. One without a value counts as absent, unless it is If-Match
 * or If-None-Match. Memory stays the transport's. ERR_NOMEM: the request is
 * good for an answer that says so.
 */
enum err request_init(struct request *request, char *const *variables);

/* True if request_init reads a variable of such a name, with a value of such a
 * length. */
bool request_reads(const char *name, size_t name_len, size_t value_len);

/* Frees what request_init allocated, and forgets the rest. */
void request_clear(struct request *request);

/* A fresh id, which no other request has. */
void request_make_id(char id[HTTP_REQUEST_ID_MAX + 1]);

/* The reason phrase of a status that we send (RFC 9110, section 15). */
const char *http_reason(int status);

/* MEDIA_METRICS is Prometheus's text format. */
enum media { MEDIA_JSON, MEDIA_PROBLEM, MEDIA_METRICS };

/* Room for an entity tag, see setting/etag.h. */
#define HTTP_ETAG_SIZE 48

/* Zeroed is a valid start. Borrowed text is static, but for the body. */
struct response {
    int status;
    enum err err; /* what the problem body tells; ERR_OK: there is none */
    enum media media;
    char etag[HTTP_ETAG_SIZE]; /* ETag, if not "" */
    char *link;                /* Link, if not NULL; owned */
    const char *allow;         /* Allow */
    const char *challenge;     /* WWW-Authenticate */
    const char *cache;         /* Cache-Control */
    bool is_strict;            /* Preference-Applied: handling=strict */
    unsigned retry_after;      /* Retry-After in seconds, if not 0 */
    const char *body;
    size_t body_len;
    char *owned; /* freed by response_clear; body may point into it */
};

void response_clear(struct response *response);

/* Takes body, which must be from malloc. */
void response_set_body(struct response *response, char *body, size_t len);

#define RESPONSE_HEAD_MAX 2560
/* The longest Link for which there is room in it. */
#define RESPONSE_LINK_MAX 1536

/* Writes the CGI header block, with its empty line, into head; returns its
 * length, always below RESPONSE_HEAD_MAX. */
size_t response_head(const struct response *response,
                     const struct request *request,
                     char head[RESPONSE_HEAD_MAX]);

/* The media type that Accept prefers of our two; fallback if it is absent,
 * acceptable to nothing, or ranks both alike (RFC 9110, section 12.5.1). */
enum media http_negotiate(const char *accept, enum media fallback);

/* True if the Content-Type is application/json, whatever its parameters but
 * for a charset other than utf-8. */
bool http_is_json(const char *content_type);

/* True if Prefer holds handling=strict (RFC 7240, section 4.4). */
bool http_is_strict(const char *prefer);

/*
 * True if the path of a request target is prefix and path together: as it
 * is, or after what RFC 3986, section 6.2.2, does to equivalent ones, which is
 * to decode escapes of unreserved characters and to remove dot segments.
 */
bool http_target_is(const char *target, const char *prefix, const char *path);

/* The value of a hexadecimal digit; -1 if it is none. */
int http_hex_digit(char c);

/*
 * Reads a parameter of the query string that is a whole number from min to
 * max; true or false; a text, not empty, of less than size bytes; or a time of
 * RFC 3339. Without the parameter, what *_inout points to stays.
 * ERR_BADREQ: messages grew by what is wrong with it, e.g. that it is there
 * twice. ERR_NOMEM.
 */
enum err http_query_number(const char *query, const char *name, uint64_t min,
                           uint64_t max, json_t *messages,
                           uint64_t *number_inout);
enum err http_query_flag(const char *query, const char *name, json_t *messages,
                         bool *flag_inout);
enum err http_query_text(const char *query, const char *name, json_t *messages,
                         char *text_inout, size_t size);
enum err http_query_time(const char *query, const char *name, json_t *messages,
                         int64_t *seconds_inout);

enum etag_match { ETAG_MATCHES, ETAG_DIFFERS, ETAG_MALFORMED };

/*
 * Compares an If-Match or If-None-Match field with the tag of what is there
 * (RFC 9110, sections 13.1.1 and 13.1.2): "*" matches if is_there; a weak tag
 * matches only if weak is set.
 */
enum etag_match http_match_etag(const char *field, const char *etag,
                                bool is_there, bool weak);

#endif
