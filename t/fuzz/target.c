// SPDX-License-Identifier: MIT
/*
 * A request target, a prefix and a path, with a NUL between them. The target
 * is normalized here as RFC 3986 puts it, in a copy, and compared with what
 * http_target_is finds without one.
 */
#include "fuzz.h"

#include "base/util.h"
#include "http/http.h"

#include <string.h>

/* Decodes escapes of unreserved characters (section 6.2.2.2). */
static void
decode(char *text)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    static const char digits[] = "0123456789abcdefABCDEF";
    char *out = text;

    for (; *text != '\0'; text++) {
        *out = *text;
        if (*text == '%' && text[1] != '\0' && strchr(digits, text[1]) &&
            text[2] != '\0' && strchr(digits, text[2])) {
            char pair[3] = {text[1], text[2], '\0'};
            char c = (char)strtol(pair, NULL, 16);

            if (c != '\0' && strchr(unreserved, c) != NULL) {
                *out = c;
                text += 2;
            }
        }
        out++;
    }
    *out = '\0';
}

static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Section 5.2.4, for a path that begins with a slash. */
static void
remove_dot_segments(char *path)
{
    char *out = path;
    const char *in = path;

    while (*in != '\0') {
        bool is_up = begins(in, "/../") || strcmp(in, "/..") == 0;

        if (is_up || begins(in, "/./") || strcmp(in, "/.") == 0) {
            in += is_up ? 3 : 2;
            while (is_up && out > path && *--out != '/')
                ;
            if (*in == '\0')
                *out++ = '/';
            continue;
        }
        do
            *out++ = *in++;
        while (*in != '\0' && *in != '/');
    }
    *out = '\0';
}

/* From malloc; NULL if the target has no path that begins with a slash. */
static char *
normalize(const char *target)
{
    const char *scheme_end = strstr(target, "://");
    const char *slash = strpbrk(target, "/?");
    char *path;

    if (scheme_end != NULL && slash == scheme_end + 1 &&
        strchr(target, ':') == scheme_end)
        slash = strpbrk(scheme_end + 3, "/?");
    else
        slash = target;
    if (slash == NULL || *slash != '/')
        return NULL;
    path = strndup(slash, strcspn(slash, "?"));
    FUZZ_CHECK(path != NULL);
    decode(path);
    remove_dot_segments(path);
    return path;
}

/* However prefix and path share it. */
static void
check_normal(const char *target, const char *normal)
{
    for (size_t len = 0; len <= strlen(normal); len++) {
        auto_char *prefix = strndup(normal, len);

        FUZZ_CHECK(http_target_is(target, prefix, normal + len));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_char *input = calloc(1, size + 3);
    const char *target = input, *prefix, *path;
    auto_char *wanted = NULL;
    auto_char *normal = NULL;

    FUZZ_CHECK(input != NULL);
    if (size > 0)
        memcpy(input, data, size);
    prefix = target + strlen(target) + 1;
    path = prefix + strlen(prefix) + 1;
    normal = normalize(target);
    if (normal == NULL)
        return 0;
    check_normal(target, normal);
    FUZZ_CHECK(asprintf(&wanted, "%s%s", prefix, path) >= 0);
    if (strcmp(normal, wanted) == 0 || !http_target_is(target, prefix, path))
        return 0;
    /* Else only as it came, behind the authority. */
    FUZZ_CHECK(strstr(target, wanted) != NULL);
    return 0;
}
