// SPDX-License-Identifier: MIT
#include "auth/jwt.h"

#include "auth/base64url.h"
#include "base/util.h"
#include "json/decode.h"

#include <openssl/err.h>
#include <string.h>
#include <strings.h>

struct segment {
    const char *text;
    size_t len;
};

enum { HEADER, CLAIMS, SIGNATURE, SEGMENTS };

/* True if the text is exactly three segments of the alphabet, none empty. */
static bool
split(const char *text, size_t len, struct segment segments[SEGMENTS])
{
    const char *end = text + len;

    for (size_t i = 0; i < SEGMENTS; i++) {
        segments[i].text = text;
        segments[i].len = base64url_span(text);
        text += segments[i].len;
        if (segments[i].len == 0 || *text != (i < SIGNATURE ? '.' : '\0'))
            return false;
        text++;
    }
    return text == end + 1;
}

static enum err
decode_object(const struct segment *segment, json_t **object_out,
              enum auth_refusal *refusal_out)
{
    unsigned char *bytes = NULL;
    struct decode_fault fault;
    json_t *json = NULL;
    size_t len = 0;
    enum err err;

    err = base64url_decode(segment->text, segment->len, &bytes, &len);
    if (err == ERR_OK)
        err = decode_json((const char *)bytes, len, &json, &fault);
    free(bytes);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || !json_is_object(json)) {
        json_decref(json);
        return jwt_refuse(AUTH_MALFORMED, refusal_out);
    }
    *object_out = json;
    return ERR_OK;
}

static enum err
decode_signature(const struct segment *segment, size_t *len_out,
                 enum auth_refusal *refusal_out)
{
    unsigned char *bytes = NULL;
    enum err err;

    err = base64url_decode(segment->text, segment->len, &bytes, len_out);
    free(bytes);
    if (err == ERR_INVALID)
        return jwt_refuse(AUTH_MALFORMED, refusal_out);
    return err;
}

/* A media type, whose "application/" may be left out (RFC 7515, 4.1.9). */
static bool
is_token_type(const char *typ)
{
    static const char prefix[] = "application/";

    if (strncasecmp(typ, prefix, sizeof(prefix) - 1) == 0)
        typ += sizeof(prefix) - 1;
    return strcasecmp(typ, "JWT") == 0 || strcasecmp(typ, "at+jwt") == 0;
}

enum err
jwt_check_critical(const struct jwt *jwt, enum auth_refusal *refusal_out)
{
    /* b64 without crit is an error of its own (RFC 7797, section 6). */
    if (json_object_get(jwt->header, "crit") != NULL ||
        json_object_get(jwt->header, "b64") != NULL)
        return jwt_refuse(AUTH_CRIT, refusal_out);
    return ERR_OK;
}

enum err
jwt_check_type(const struct jwt *jwt, enum auth_refusal *refusal_out)
{
    const json_t *typ = json_object_get(jwt->header, "typ");

    if (typ != NULL &&
        (!json_is_string(typ) || !is_token_type(json_string_value(typ))))
        return jwt_refuse(AUTH_TYPE, refusal_out);
    return ERR_OK;
}

/* Finds the members of the header that say how it was signed. */
static enum err
read_header(struct jwt *jwt, enum auth_refusal *refusal_out)
{
    const char *alg = json_string_value(json_object_get(jwt->header, "alg"));
    const json_t *kid = json_object_get(jwt->header, "kid");

    if (kid != NULL && !json_is_string(kid))
        return jwt_refuse(AUTH_MALFORMED, refusal_out);
    jwt->alg = alg != NULL ? jwk_find_alg(alg) : NULL;
    jwt->kid = json_string_value(kid);
    return ERR_OK;
}

enum err
jwt_read(const char *text, size_t len, struct jwt *jwt_out,
         enum auth_refusal *refusal_out)
{
    struct jwt jwt = {.text = text, .len = len};
    struct segment segments[SEGMENTS];
    enum err err;

    if (!split(text, len, segments))
        return jwt_refuse(AUTH_MALFORMED, refusal_out);
    err = decode_object(&segments[HEADER], &jwt.header, refusal_out);
    if (err == ERR_OK)
        err = read_header(&jwt, refusal_out);
    if (err == ERR_OK)
        err = decode_object(&segments[CLAIMS], &jwt.claims, refusal_out);
    if (err == ERR_OK)
        err = decode_signature(&segments[SIGNATURE], &jwt.signature_len,
                               refusal_out);
    if (err == ERR_OK)
        *jwt_out = jwt;
    else
        jwt_clear(&jwt);
    return err;
}

void
jwt_clear(struct jwt *jwt)
{
    json_decref(jwt->header);
    json_decref(jwt->claims);
    *jwt = (struct jwt){0};
}

enum err
jwt_verify(const struct jwt *jwt, const struct jwk *key,
           enum auth_refusal *refusal_out)
{
    cjose_jws_t *jws;
    bool is_valid;

    if (jwt->alg == NULL || strcmp(jwt->alg, key->alg) != 0)
        return jwt_refuse(AUTH_ALG, refusal_out);
    /* cjose splits an ECDSA signature in the middle, whatever its length, and
     * takes a PSS signature without its leading zeros. */
    if (jwt->signature_len != key->signature_len)
        return jwt_refuse(AUTH_SIGNATURE, refusal_out);
    jws = cjose_jws_import(jwt->text, jwt->len, NULL);
    is_valid = jws != NULL && cjose_jws_verify(jws, key->key, NULL);
    cjose_jws_release(jws);
    if (is_valid)
        return ERR_OK;
    ERR_clear_error(); /* OpenSSL keeps a queue per thread */
    return jwt_refuse(AUTH_SIGNATURE, refusal_out);
}

char *
jwt_sign(const struct jwk *key, const json_t *claims)
{
    json_auto_t *header = json_pack("{s:s, s:s*, s:s}", "alg", key->alg, "kid",
                                    key->kid, "typ", "JWT");
    auto_char *text = json_dumps(claims, JSON_COMPACT);
    cjose_jws_t *jws = NULL;
    const char *compact = NULL;
    char *token = NULL;

    if (header != NULL && text != NULL)
        jws = cjose_jws_sign(key->key, (cjose_header_t *)header,
                             (const uint8_t *)text, strlen(text), NULL);
    if (jws != NULL && cjose_jws_export(jws, &compact, NULL))
        token = strdup(compact);
    cjose_jws_release(jws);
    return token;
}
