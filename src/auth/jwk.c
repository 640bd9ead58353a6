// SPDX-License-Identifier: MIT
#include "auth/jwk.h"

#include "auth/base64url.h"
#include "base/util.h"

#include <openssl/err.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384 /* OpenSSL's own limit */
#define RSA_EXPONENT_BYTES_MAX 8

struct alg {
    const char *name;
    const char *kty;
    const char *crv; /* EC only */
    size_t coordinate_len;
};

/* The first row that fits a key's type is what a JWK without alg gets. */
static const struct alg algs[] = {
    {"RS256", "RSA", NULL, 0},    {"RS384", "RSA", NULL, 0},
    {"RS512", "RSA", NULL, 0},    {"PS256", "RSA", NULL, 0},
    {"PS384", "RSA", NULL, 0},    {"PS512", "RSA", NULL, 0},
    {"ES256", "EC", "P-256", 32}, {"ES384", "EC", "P-384", 48},
    {"ES512", "EC", "P-521", 66},
};

static const char *const private_members[] = {
    "d", "p", "q", "dp", "dq", "qi", "oth", "k",
};

static const char *const public_members[] = {
    "kty", "kid", "alg", "crv", "x", "y", "n", "e",
};

const char *
jwk_find_alg(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
        if (strcmp(algs[i].name, name) == 0)
            return algs[i].name;
    }
    return NULL;
}

bool
jwk_is_private(const json_t *json)
{
    for (size_t i = 0; i < ARRAY_SIZE(private_members); i++) {
        if (json_object_get(json, private_members[i]) != NULL)
            return true;
    }
    return false;
}

json_t *
jwk_copy_public(const json_t *json)
{
    json_t *copy = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(public_members); i++) {
        json_t *member = json_object_get(json, public_members[i]);

        if (member != NULL &&
            json_object_set(copy, public_members[i], member) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

static enum err
unfit(const char *why, const char **why_out)
{
    *why_out = why;
    return ERR_INVALID;
}

/* True if the member is absent or a string; its text is in *text_out. */
static bool
get_text(const json_t *json, const char *name, const char **text_out)
{
    const json_t *member = json_object_get(json, name);

    *text_out = json_string_value(member);
    return member == NULL || *text_out != NULL;
}

/* Whether use and key_ops (RFC 7517, sections 4.2 and 4.3) allow it. */
static bool
is_allowed(const json_t *json, const char *operation)
{
    const json_t *ops = json_object_get(json, "key_ops");
    const json_t *op;
    const char *use;
    size_t i;

    if (!get_text(json, "use", &use) || (use != NULL && strcmp(use, "sig")))
        return false;
    if (ops == NULL)
        return true;
    json_array_foreach(ops, i, op)
    {
        if (json_is_string(op) && !strcmp(json_string_value(op), operation))
            return true;
    }
    return false;
}

static enum err
find_alg(const json_t *json, const struct alg **alg_out, const char **why_out)
{
    const char *kty, *crv, *name;

    if (!get_text(json, "kty", &kty) || !get_text(json, "crv", &crv) ||
        !get_text(json, "alg", &name) || kty == NULL)
        return unfit("kty, crv or alg is missing or not a string", why_out);
    if (strcmp(kty, "RSA") == 0)
        crv = NULL;
    else if (strcmp(kty, "EC") != 0)
        return unfit("kty is neither RSA nor EC", why_out);
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
        const struct alg *alg = &algs[i];

        if (strcmp(alg->kty, kty) == 0 &&
            (alg->crv == NULL || (crv != NULL && !strcmp(alg->crv, crv))) &&
            (name == NULL || strcmp(alg->name, name) == 0)) {
            *alg_out = alg;
            return ERR_OK;
        }
    }
    return unfit("alg or crv is not supported, or does not fit the key's type",
                 why_out);
}

/* The value of a base64url member without leading zero bytes. */
static enum err
decode_member(const json_t *json, const char *name, unsigned char **bytes_out,
              size_t *len_out)
{
    const char *text = json_string_value(json_object_get(json, name));
    size_t zeros = 0;
    enum err err;

    if (text == NULL || *text == '\0')
        return ERR_INVALID;
    err = base64url_decode(text, strlen(text), bytes_out, len_out);
    if (err != ERR_OK)
        return err;
    while (zeros < *len_out && (*bytes_out)[zeros] == 0)
        zeros++;
    *len_out -= zeros;
    memmove(*bytes_out, *bytes_out + zeros, *len_out);
    return ERR_OK;
}

static size_t
count_bits(const unsigned char *bytes, size_t len)
{
    size_t bits = len * 8;

    if (len == 0)
        return 0;
    for (unsigned mask = 0x80; !(bytes[0] & mask); mask >>= 1)
        bits--;
    return bits;
}

/* An exponent of 1 would verify anything, and OpenSSL checks none of this. */
static enum err
check_rsa(const json_t *json, size_t *signature_len_out, const char **why_out)
{
    unsigned char *n = NULL, *e = NULL;
    size_t n_len, e_len, bits;
    enum err err;

    err = decode_member(json, "n", &n, &n_len);
    if (err == ERR_OK)
        err = decode_member(json, "e", &e, &e_len);
    if (err == ERR_INVALID)
        *why_out = "n or e is missing or not base64url";
    if (err != ERR_OK)
        goto out;

    err = ERR_INVALID;
    bits = count_bits(n, n_len);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        *why_out = "the RSA modulus is not of 2048 to 16384 bits";
    else if (n[n_len - 1] % 2 == 0)
        *why_out = "the RSA modulus is even";
    else if (e_len == 0 || e_len > RSA_EXPONENT_BYTES_MAX ||
             e[e_len - 1] % 2 == 0 || (e_len == 1 && e[0] < 3))
        *why_out = "the RSA exponent is not an odd number from 3 to 2^64";
    else
        err = ERR_OK;
    *signature_len_out = n_len;
out:
    free(n);
    free(e);
    return err;
}

static enum err
check_ec(const json_t *json, size_t coordinate_len, size_t *signature_len_out,
         const char **why_out)
{
    const char *const names[] = {"x", "y"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *text = json_string_value(json_object_get(json, names[i]));
        unsigned char *bytes = NULL;
        size_t len = 0;
        enum err err = ERR_INVALID;

        if (text != NULL)
            err = base64url_decode(text, strlen(text), &bytes, &len);
        free(bytes);
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK || len != coordinate_len)
            return unfit("x or y is missing or not of the curve's length",
                         why_out);
    }
    *signature_len_out = 2 * coordinate_len;
    return ERR_OK;
}

/* d, and all or none of the others (RFC 7518, section 6.3.2): of one without
 * its like, cjose loses the memory. */
static enum err
check_private_rsa(const json_t *json, const char **why_out)
{
    const char *const names[] = {"d", "p", "q", "dp", "dq", "qi"};
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        unsigned char *bytes = NULL;
        size_t len = 0;
        enum err err;

        if (json_object_get(json, names[i]) == NULL)
            continue;
        err = decode_member(json, names[i], &bytes, &len);
        free(bytes);
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK || len == 0)
            return unfit("d, p, q, dp, dq or qi is not base64url", why_out);
        count++;
    }
    if (count != 1 && count != ARRAY_SIZE(names))
        return unfit("some of p, q, dp, dq and qi are missing", why_out);
    return ERR_OK;
}

/* cjose has an assertion that "=" comes last. */
static enum err
check_private_ec(const json_t *json, const char **why_out)
{
    unsigned char *bytes = NULL;
    size_t len = 0;
    enum err err = decode_member(json, "d", &bytes, &len);

    free(bytes);
    return err == ERR_INVALID ? unfit("d is not base64url", why_out) : err;
}

static enum err
import(json_t *json, struct jwk *jwk, const char **why_out)
{
    jwk->key = cjose_jwk_import_json((cjose_header_t *)json, NULL);
    ERR_clear_error(); /* OpenSSL keeps a queue per thread */
    if (jwk->key == NULL)
        return unfit("the key's numbers do not make a key", why_out);
    return ERR_OK;
}

static enum err
check_numbers(const json_t *json, const struct alg *alg, enum jwk_part part,
              size_t *signature_len_out, const char **why_out)
{
    bool is_rsa = alg->crv == NULL;
    enum err err = is_rsa ? check_rsa(json, signature_len_out, why_out)
                          : check_ec(json, alg->coordinate_len,
                                     signature_len_out, why_out);

    if (err != ERR_OK || part == JWK_PUBLIC)
        return err;
    return is_rsa ? check_private_rsa(json, why_out)
                  : check_private_ec(json, why_out);
}

enum err
jwk_read(const json_t *json, enum jwk_part part, struct jwk *jwk_out,
         const char **why_out)
{
    json_auto_t *source = NULL;
    const struct alg *alg = NULL;
    struct jwk jwk = {0};
    const char *kid;
    enum err err;

    if (!json_is_object(json))
        return unfit("not an object", why_out);
    err = find_alg(json, &alg, why_out);
    if (err != ERR_OK)
        return err;
    if (!is_allowed(json, part == JWK_PUBLIC ? "verify" : "sign"))
        return unfit("use or key_ops is for something else", why_out);
    if (!get_text(json, "kid", &kid))
        return unfit("kid is not a string", why_out);
    if (part == JWK_PRIVATE && json_object_get(json, "d") == NULL)
        return unfit("d is missing: not a private key", why_out);
    err = check_numbers(json, alg, part, &jwk.signature_len, why_out);
    if (err != ERR_OK)
        return err;

    /* cjose prefers private members over public ones where it finds them. */
    source = part == JWK_PUBLIC ? jwk_copy_public(json) : json_deep_copy(json);
    if (source == NULL)
        return ERR_NOMEM;
    err = import(source, &jwk, why_out);
    if (err != ERR_OK)
        return err;
    jwk.alg = alg->name;
    if (kid != NULL && (jwk.kid = strdup(kid)) == NULL) {
        jwk_clear(&jwk);
        return ERR_NOMEM;
    }
    *jwk_out = jwk;
    return ERR_OK;
}

void
jwk_clear(struct jwk *jwk)
{
    if (jwk->key != NULL)
        (void)cjose_jwk_release(jwk->key);
    free(jwk->kid);
    *jwk = (struct jwk){0};
}
