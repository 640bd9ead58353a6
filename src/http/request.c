// SPDX-License-Identifier: MIT
/* A request from its CGI variables. */
#include "http/http.h"

#include "base/util.h"

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
