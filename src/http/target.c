// SPDX-License-Identifier: MIT
/* The request target (RFC 9112, section 3.2) against the path that a front end
 * read in it. Nothing is copied: the target's segments are compared as they
 * come, and dot segments take back what was compared. */
#include "http/http.h"

#include <string.h>

/* What the target should be, and how far its segments so far have come. */
struct walk {
    const char *prefix;
    size_t prefix_len;
    const char *path;
    size_t matched; /* of prefix and path: this many bytes are the same */
    size_t strays;  /* and then the target has this many segments of its own */
};

/* RFC 3986, section 2.3. */
static bool
is_unreserved(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

/* The target's next character; an escape of an unreserved one is that one, any
 * other remains (RFC 3986, section 6.2.2.2). */
static char
read_char(const char **at)
{
    char c = *(*at)++;
    int high = c == '%' ? http_hex_digit((*at)[0]) : -1;
    int low = high >= 0 ? http_hex_digit((*at)[1]) : -1;

    if (low < 0 || !is_unreserved(high * 16 + low))
        return c;
    *at += 2;
    return (char)(high * 16 + low);
}

/* 1 for the segment ".", 2 for "..", else 0. */
static int
count_dots(const char *at, const char *end)
{
    int count = 0;

    while (at < end)
        if (read_char(&at) != '.' || ++count > 2)
            return 0;
    return count;
}

/* The byte of prefix and path that stands at; '\0' behind the last. */
static char
wanted(const struct walk *walk, size_t at)
{
    return at < walk->prefix_len ? walk->prefix[at]
                                 : walk->path[at - walk->prefix_len];
}

/* Takes a segment. */
static void
enter(struct walk *walk, const char *at, const char *end)
{
    size_t matched = walk->matched;
    bool is_same = walk->strays == 0 && wanted(walk, matched++) == '/';

    while (is_same && at < end)
        is_same = read_char(&at) == wanted(walk, matched++);
    if (is_same &&
        (wanted(walk, matched) == '/' || wanted(walk, matched) == '\0'))
        walk->matched = matched;
    else
        walk->strays++;
}

/* Takes the last segment back, if there is one. */
static void
leave(struct walk *walk)
{
    if (walk->strays > 0)
        walk->strays--;
    else
        while (walk->matched > 0 && wanted(walk, --walk->matched) != '/')
            ;
}

/* Where the path of an origin-form or absolute-form begins. */
static const char *
find_path(const char *target)
{
    const char *authority = target + strcspn(target, ":/?");

    if (strncmp(authority, "://", 3) != 0)
        return target;
    authority += 3;
    return authority + strcspn(authority, "/?");
}

/* As nearly always. */
static bool
is_verbatim(const char *target, const char *prefix, const char *path)
{
    size_t prefix_len = strlen(prefix), path_len = strlen(path);

    if (strncmp(target, prefix, prefix_len) != 0 ||
        strncmp(target + prefix_len, path, path_len) != 0)
        return false;
    target += prefix_len + path_len;
    return *target == '\0' || *target == '?';
}

bool
http_target_is(const char *target, const char *prefix, const char *path)
{
    struct walk walk = {prefix, strlen(prefix), path, 0, 0};
    const char *at = find_path(target);

    if (is_verbatim(at, prefix, path))
        return true;
    if (*at != '/')
        return false;
    while (*at == '/') {
        const char *segment = at + 1;
        int dots;

        at = segment + strcspn(segment, "/?");
        dots = count_dots(segment, at);
        if (dots == 2)
            leave(&walk);
        if (dots == 0)
            enter(&walk, segment, at);
        else if (*at != '/') /* "/a/." is "/a/" */
            enter(&walk, at, at);
    }
    return walk.strays == 0 && wanted(&walk, walk.matched) == '\0';
}
