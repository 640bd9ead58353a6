// SPDX-License-Identifier: MIT
#include "model/uri.h"

#include "base/util.h"

#include <string.h>
#include <strings.h>
#include <uriparser/Uri.h>

static size_t
length(const UriTextRangeA *text)
{
    return (size_t)(text->afterLast - text->first);
}

static bool
is_text(const UriTextRangeA *text, const char *expected)
{
    return length(text) == strlen(expected) &&
           memcmp(text->first, expected, length(text)) == 0;
}

/* What is absent is not the same as what is empty. */
static bool
is_same_text(const UriTextRangeA *one, const UriTextRangeA *other)
{
    if (one->first == NULL || other->first == NULL)
        return one->first == other->first;
    return length(one) == length(other) &&
           memcmp(one->first, other->first, length(one)) == 0;
}

/* The port; absent if it is empty, or the one that the scheme has anyway. */
static UriTextRangeA
port_of(const UriUriA *uri)
{
    static const UriTextRangeA absent;
    const UriTextRangeA *port = &uri->portText;

    if (port->first == NULL || length(port) == 0 ||
        (is_text(&uri->scheme, "http") && is_text(port, "80")) ||
        (is_text(&uri->scheme, "https") && is_text(port, "443")))
        return absent;
    return *port;
}

/* An IPv6 address has many texts; what is in other brackets has one, which may
 * be a name without them. */
static bool
is_same_host(const UriUriA *one, const UriUriA *other)
{
    const UriHostDataA *a = &one->hostData, *b = &other->hostData;

    if (a->ip6 != NULL && b->ip6 != NULL)
        return memcmp(a->ip6->data, b->ip6->data, sizeof(a->ip6->data)) == 0;
    return a->ip6 == b->ip6 && is_same_text(&a->ipFuture, &b->ipFuture) &&
           is_same_text(&one->hostText, &other->hostText);
}

static bool
has_host(const UriUriA *uri)
{
    return uri->hostText.first != NULL && length(&uri->hostText) > 0;
}

static bool
is_same_server(const UriUriA *one, const UriUriA *other)
{
    UriTextRangeA port = port_of(one), other_port = port_of(other);

    return has_host(one) && has_host(other) &&
           is_same_text(&one->scheme, &other->scheme) &&
           is_same_text(&one->userInfo, &other->userInfo) &&
           is_same_host(one, other) && is_same_text(&port, &other_port);
}

/* ERR_INVALID: it is none. Otherwise the caller frees it. */
static enum err
read_normalized(const char *text, UriUriA *uri_out)
{
    const unsigned int parts =
        URI_NORMALIZE_SCHEME | URI_NORMALIZE_USER_INFO | URI_NORMALIZE_HOST;
    int result = uriParseSingleUriA(uri_out, text, NULL);

    if (result == URI_SUCCESS) {
        result = uriNormalizeSyntaxExA(uri_out, parts);
        if (result != URI_SUCCESS)
            uriFreeUriMembersA(uri_out);
    }
    if (result == URI_SUCCESS)
        return ERR_OK;
    return result == URI_ERROR_MALLOC ? ERR_NOMEM : ERR_INVALID;
}

enum err
uri_is_same_server(const char *one, const char *other, bool *is_same_out)
{
    UriUriA a, b;
    bool is_same = strcmp(one, other) == 0;
    enum err err = is_same ? ERR_INVALID : read_normalized(one, &a);

    if (err == ERR_OK) {
        err = read_normalized(other, &b);
        if (err == ERR_OK) {
            is_same = is_same_server(&a, &b);
            uriFreeUriMembersA(&b);
        }
        uriFreeUriMembersA(&a);
    }
    if (err == ERR_NOMEM)
        return err;
    *is_same_out = is_same;
    return ERR_OK;
}

void
uri_escape(const char *text, char *escaped_out)
{
    (void)uriEscapeA(text, escaped_out, URI_FALSE, URI_FALSE);
}

/* Characters of the scheme that text begins with; 0: with none. */
static size_t
scheme_length(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (strspn(text, letters) == 0)
        return 0;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
}

bool
uri_schemes_are_valid(const char *schemes)
{
    size_t len = scheme_length(schemes);

    while (len > 0 && schemes[len] == ',') {
        schemes += len + 1;
        len = scheme_length(schemes);
    }
    return len > 0 && schemes[len] == '\0';
}

bool
uri_has_scheme(const char *uri, const char *schemes)
{
    size_t len = scheme_length(uri);

    if (len == 0 || uri[len] != ':')
        return false;
    for (const char *at = schemes; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (scheme_length(at) == len && strncasecmp(at, uri, len) == 0)
            return true;
    }
    return false;
}
