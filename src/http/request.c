// SPDX-License-Identifier: MIT
/* A request from its CGI variables. */
#include "http/http.h"

#include "base/number.h"
#include "base/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
    uint64_t length;

    if (text == NULL)
        return -1;
    if (*number_scan(text, &length) != '\0')
        return -2;
    return length < INT64_MAX ? (int64_t)length : INT64_MAX;
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

/* The variables that make up a request: the header fields, and what the front
 * end gives. */
enum variable {
    AUTHORIZATION,
    ACCEPT,
    IF_MATCH,
    IF_NONE_MATCH,
    CONTENT_ENCODING,
    PREFER,
    FIELD_MAX,
    METHOD = FIELD_MAX,
    PATH,
    TARGET,
    PREFIX,
    REQUEST_ID,
    TENANT,
    QUERY,
    CONTENT_TYPE,
    CONTENT_LENGTH,
    OPERATOR,
    RENAMED_AUTHORIZATION,
    VARIABLE_MAX
};

_Static_assert(FIELD_MAX == REQUEST_FIELDS, "a place for each to be joined");

#define NAME(text)                                                             \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

static const struct {
    const char *text;
    size_t len;
} names[VARIABLE_MAX] = {
    [AUTHORIZATION] = NAME("HTTP_AUTHORIZATION"),
    [ACCEPT] = NAME("HTTP_ACCEPT"),
    [IF_MATCH] = NAME("HTTP_IF_MATCH"),
    [IF_NONE_MATCH] = NAME("HTTP_IF_NONE_MATCH"),
    [CONTENT_ENCODING] = NAME("HTTP_CONTENT_ENCODING"),
    [PREFER] = NAME("HTTP_PREFER"),
    [METHOD] = NAME("REQUEST_METHOD"),
    [PATH] = NAME("PATH_INFO"),
    [TARGET] = NAME("REQUEST_URI"),
    [PREFIX] = NAME("SCRIPT_NAME"),
    [REQUEST_ID] = NAME("REQUEST_ID"),
    [TENANT] = NAME("TENANT"),
    [QUERY] = NAME("QUERY_STRING"),
    [CONTENT_TYPE] = NAME("CONTENT_TYPE"),
    [CONTENT_LENGTH] = NAME("CONTENT_LENGTH"),
    [OPERATOR] = NAME("ORDERCONF_OPERATOR"),
    /* Where Apache sets the field by a rewrite rule, it adds the prefix. */
    [RENAMED_AUTHORIZATION] = NAME("REDIRECT_HTTP_AUTHORIZATION"),
};

/* VARIABLE_MAX if it is none of ours. */
static enum variable
variable_find(const char *name, size_t len)
{
    enum variable variable = 0;

    while (variable < VARIABLE_MAX &&
           (names[variable].len != len ||
            memcmp(names[variable].text, name, len) != 0))
        variable++;
    return variable;
}

/* False if it says nothing: front ends pass what is absent as empty. But an
 * empty condition was sent so, and is not to be taken for none. */
static bool
is_said(enum variable variable, size_t value_len)
{
    return value_len > 0 || variable == IF_MATCH || variable == IF_NONE_MATCH;
}

bool
request_reads(const char *name, size_t name_len, size_t value_len)
{
    enum variable variable = variable_find(name, name_len);

    return variable < VARIABLE_MAX && is_said(variable, value_len);
}

/* Makes one list of a field's lines (RFC 9110, section 5.3). */
static bool
join(const char **value, const char *more, char **joined)
{
    size_t len = strlen(*value), more_len = strlen(more);
    char *text = malloc(len + 2 + more_len + 1);

    if (text == NULL)
        return false;
    memcpy(text, *value, len);
    memcpy(text + len, ", ", 2);
    memcpy(text + len + 2, more, more_len + 1);
    free(*joined);
    *joined = text;
    *value = text;
    return true;
}

/* Keeps the value of a variable; of what the front end gives, the first. False
 * on no memory. */
static bool
take(struct request *request, const char *variable,
     const char *values[VARIABLE_MAX])
{
    const char *end = strchr(variable, '=');
    enum variable v;

    if (end == NULL)
        return true;
    v = variable_find(variable, (size_t)(end - variable));
    if (v == VARIABLE_MAX || !is_said(v, strlen(end + 1)))
        return true;
    if (values[v] != NULL && v < FIELD_MAX)
        return join(&values[v], end + 1, &request->joined[v]);
    if (values[v] == NULL)
        values[v] = end + 1;
    return true;
}

static const char *
or_empty(const char *value)
{
    return value != NULL ? value : "";
}

static void
fill(struct request *request, const char *const values[VARIABLE_MAX])
{
    request->method = method_parse(values[METHOD]);
    request->path = or_empty(values[PATH]);
    request->query = or_empty(values[QUERY]);
    request->target = values[TARGET];
    request->prefix = or_empty(values[PREFIX]);
    request->accept = values[ACCEPT];
    request->authorization = values[AUTHORIZATION] != NULL
                                 ? values[AUTHORIZATION]
                                 : values[RENAMED_AUTHORIZATION];
    request->content_encoding = values[CONTENT_ENCODING];
    request->content_type = values[CONTENT_TYPE];
    request->if_match = values[IF_MATCH];
    request->if_none_match = values[IF_NONE_MATCH];
    request->prefer = values[PREFER];
    request->front_tenant = values[TENANT];
    request->is_operator =
        values[OPERATOR] != NULL && strcmp(values[OPERATOR], "1") == 0;
    request->content_length = content_length_parse(values[CONTENT_LENGTH]);
    id_init(request->id, values[REQUEST_ID]);
}

enum err
request_init(struct request *request, char *const *variables)
{
    const char *values[VARIABLE_MAX] = {NULL};
    bool is_whole = true;

    *request = (struct request){0};
    for (; *variables != NULL && is_whole; variables++)
        is_whole = take(request, *variables, values);
    fill(request, values);
    return is_whole ? ERR_OK : ERR_NOMEM;
}

void
request_clear(struct request *request)
{
    for (size_t i = 0; i < REQUEST_FIELDS; i++)
        free(request->joined[i]);
    *request = (struct request){0};
}
