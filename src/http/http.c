// SPDX-License-Identifier: MIT
#include "http/http.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *const media_types[] = {
    [MEDIA_JSON] = "application/json",
    [MEDIA_PROBLEM] = "application/problem+json",
    [MEDIA_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
};

const char *
http_reason(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static enum http_method
method_parse(const char *method)
{
    if (method == NULL)
        return HTTP_OTHER;
    if (strcmp(method, "GET") == 0)
        return HTTP_GET;
    if (strcmp(method, "HEAD") == 0)
        return HTTP_HEAD;
    if (strcmp(method, "POST") == 0)
        return HTTP_POST;
    return HTTP_OTHER;
}

/* A number beyond int64 is one all the same: too large, not malformed. */
static int64_t
content_length_parse(const char *text)
{
    int64_t length = 0;

    if (text == NULL)
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -2;
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, *text - '0', &length))
            length = INT64_MAX;
    }
    return length;
}

static bool
is_id_char(char c)
{
    static const bool is_valid[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... ':'] = true,
        ['.'] = true,         ['_'] = true,         ['-'] = true,
    };

    return is_valid[(unsigned char)c];
}

static bool
id_is_valid(const char *id)
{
    size_t len = 0;

    while (len <= HTTP_REQUEST_ID_MAX && is_id_char(id[len]))
        len++;
    return id[len] == '\0' && len > 0 && len <= HTTP_REQUEST_ID_MAX;
}

void
request_make_id(char id[HTTP_REQUEST_ID_MAX + 1])
{
    unsigned char random[16] = {0};

    /* Fails only where the system call is forbidden, and an id of zeros is
     * better than no answer. */
    (void)!getrandom(random, sizeof(random), 0);
    for (size_t i = 0; i < sizeof(random); i++) {
        *id++ = "0123456789abcdef"[random[i] >> 4];
        *id++ = "0123456789abcdef"[random[i] & 15];
    }
    *id = '\0';
}

static void
id_init(char id[HTTP_REQUEST_ID_MAX + 1], const char *given)
{
    if (given != NULL && id_is_valid(given))
        memcpy(id, given, strlen(given) + 1);
    else
        request_make_id(id);
}

/* The variables that make up a request. Those that most have come first, where
 * they are found soonest. */
enum variable {
    METHOD,
    PATH,
    TARGET,
    PREFIX,
    REQUEST_ID,
    AUTHORIZATION,
    ACCEPT,
    TENANT,
    QUERY,
    CONTENT_TYPE,
    CONTENT_LENGTH,
    IF_MATCH,
    IF_NONE_MATCH,
    CONTENT_ENCODING,
    PREFER,
    OPERATOR,
    RENAMED_AUTHORIZATION,
    VARIABLE_MAX
};

#define NAME(text)                                                             \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

static const struct {
    const char *text;
    size_t len;
} names[VARIABLE_MAX] = {
    [METHOD] = NAME("REQUEST_METHOD"),
    [PATH] = NAME("PATH_INFO"),
    [TARGET] = NAME("REQUEST_URI"),
    [PREFIX] = NAME("SCRIPT_NAME"),
    [REQUEST_ID] = NAME("REQUEST_ID"),
    [AUTHORIZATION] = NAME("HTTP_AUTHORIZATION"),
    [ACCEPT] = NAME("HTTP_ACCEPT"),
    [TENANT] = NAME("TENANT"),
    [QUERY] = NAME("QUERY_STRING"),
    [CONTENT_TYPE] = NAME("CONTENT_TYPE"),
    [CONTENT_LENGTH] = NAME("CONTENT_LENGTH"),
    [IF_MATCH] = NAME("HTTP_IF_MATCH"),
    [IF_NONE_MATCH] = NAME("HTTP_IF_NONE_MATCH"),
    [CONTENT_ENCODING] = NAME("HTTP_CONTENT_ENCODING"),
    [PREFER] = NAME("HTTP_PREFER"),
    [OPERATOR] = NAME("ORDERCONF_OPERATOR"),
    /* Where Apache sets the field by a rewrite rule, it adds the prefix. */
    [RENAMED_AUTHORIZATION] = NAME("REDIRECT_HTTP_AUTHORIZATION"),
};

/* Keeps the value of a variable of ours. nginx passes a field that is absent as
 * an empty one. */
static void
take_variable(const char *name, size_t len, const char *value,
              const char *values[VARIABLE_MAX])
{
    if (*value == '\0')
        return;
    for (size_t i = 0; i < VARIABLE_MAX; i++) {
        if (names[i].len == len && memcmp(names[i].text, name, len) == 0) {
            if (values[i] == NULL)
                values[i] = value;
            return;
        }
    }
}

void
request_init(struct request *request, char *const *variables)
{
    const char *values[VARIABLE_MAX] = {NULL};

    for (; *variables != NULL; variables++) {
        const char *end = strchr(*variables, '=');

        if (end != NULL)
            take_variable(*variables, (size_t)(end - *variables), end + 1,
                          values);
    }
    *request = (struct request){
        .method = method_parse(values[METHOD]),
        .path = values[PATH] != NULL ? values[PATH] : "",
        .query = values[QUERY] != NULL ? values[QUERY] : "",
        .target = values[TARGET],
        .prefix = values[PREFIX] != NULL ? values[PREFIX] : "",
        .accept = values[ACCEPT],
        .authorization = values[AUTHORIZATION] != NULL
                             ? values[AUTHORIZATION]
                             : values[RENAMED_AUTHORIZATION],
        .content_encoding = values[CONTENT_ENCODING],
        .content_type = values[CONTENT_TYPE],
        .if_match = values[IF_MATCH],
        .if_none_match = values[IF_NONE_MATCH],
        .prefer = values[PREFER],
        .front_tenant = values[TENANT],
        .is_operator =
            values[OPERATOR] != NULL && strcmp(values[OPERATOR], "1") == 0,
        .content_length = content_length_parse(values[CONTENT_LENGTH]),
    };
    id_init(request->id, values[REQUEST_ID]);
}

/* There may be a secret in it. */
static void
drop_body(struct response *response)
{
    if (response->owned != NULL)
        explicit_bzero(response->owned, response->body_len);
    free(response->owned);
}

void
response_clear(struct response *response)
{
    drop_body(response);
    *response = (struct response){0};
}

void
response_set_body(struct response *response, char *body, size_t len)
{
    drop_body(response);
    response->owned = body;
    response->body = body;
    response->body_len = len;
}

struct head {
    char *text;
    size_t len;
};

/* A field that does not fit is left out as a whole; ours always fit. */
static void
head_add(struct head *head, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);
    char *at = head->text + head->len;

    if (head->len + name_len + value_len + sizeof(": \r\n\r\n") >
        RESPONSE_HEAD_MAX)
        return;
    memcpy(at, name, name_len);
    at += name_len;
    *at++ = ':';
    *at++ = ' ';
    memcpy(at, value, value_len);
    at += value_len;
    *at++ = '\r';
    *at++ = '\n';
    head->len = (size_t)(at - head->text);
}

static void
head_add_number(struct head *head, const char *name, uint64_t number)
{
    char text[DECIMAL_SIZE];

    head_add(head, name, decimal(text, number));
}

static void
head_add_status(struct head *head, int status)
{
    char text[sizeof("000 ") + 32];
    const char *reason = http_reason(status);
    char digits[DECIMAL_SIZE];

    memcpy(text, decimal(digits, (uint64_t)status), 3);
    text[3] = ' ';
    memcpy(text + 4, reason, strlen(reason) + 1);
    head_add(head, "Status", text);
}

size_t
response_head(const struct response *response, const struct request *request,
              char head_out[RESPONSE_HEAD_MAX])
{
    struct head head = {.text = head_out};

    head_add_status(&head, response->status);
    /* A 304 has no content to describe (RFC 9110, section 15.4.5). */
    if (response->status != 304) {
        head_add(&head, "Content-Type", media_types[response->media]);
        head_add_number(&head, "Content-Length", response->body_len);
        head_add(&head, "X-Content-Type-Options", "nosniff");
    }
    if (response->media != MEDIA_METRICS)
        head_add(&head, "Vary", "Accept");
    if (response->etag[0] != '\0')
        head_add(&head, "ETag", response->etag);
    if (response->link[0] != '\0')
        head_add(&head, "Link", response->link);
    if (response->allow != NULL)
        head_add(&head, "Allow", response->allow);
    if (response->challenge != NULL)
        head_add(&head, "WWW-Authenticate", response->challenge);
    if (response->cache != NULL)
        head_add(&head, "Cache-Control", response->cache);
    if (response->is_strict)
        head_add(&head, "Preference-Applied", "handling=strict");
    if (response->retry_after != 0)
        head_add_number(&head, "Retry-After", response->retry_after);
    head_add(&head, "X-Request-Id", request->id);
    memcpy(head.text + head.len, "\r\n", 2);
    return head.len + 2;
}
