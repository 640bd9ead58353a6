// SPDX-License-Identifier: MIT
/*
 * A token that nobody signed, which is never accepted. If the first byte is
 * odd, the token follows as it is; else its header, claims and signature
 * follow, with a newline between, and are made a token here.
 */
#include "file.h"

#include "auth/auth.h"
#include "auth/claims.h"
#include "auth/jwt.h"
#include "base/util.h"

#include <string.h>

#define NOW 1700000000

/* Nobody has the private keys. */
static const char key_set[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\""
    "AF_YYBZR-p02k4gGFqc-b44D3FGg52w1bPjbXczMG2w"
    "\",\"y\":\"9WQo4sOiQeYbrNRWHoV-rdK_M5mfQxTGvlNJmjCieCE\"},"
    "{\"kty\":\"RSA\",\"kid\":\"r\",\"e\":\"AQAB\",\"n\":\""
    "u6i95e_8n7vx8FmuLjTnhYcLjLJ6Y9ICGYDYzJb7o9ooybsAp7LYLzoitcRq"
    "AiQ-iNwjwM3tIEBZo0RhfZXdFc9wWGv5pc5WQqO4e3q4MT0wohnmOsznw-Hg"
    "oC0yImVveIhxd76z4QUgxUCJxdUOCkCvtnSSM87uM8D4WJkBI2D6a6dbYZUl"
    "gDZjNn_NdK8GNIV9y6Ht1vliG2-vgAVQ9QfUwlDaD5lSUjOeVULfLKKv4ezt"
    "Dstys6zf_x_8MLUBLsTLM-5wXjQoHF6QKUKjZn1lefs-pjsdoaBkMogylyLv"
    "c0HtbEdAwCUfk_pQy04xtJbrwe-p7eFz4wbG5d0akw"
    "\"}]}";

static char *
put_base64url(char *at, const uint8_t *bytes, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
                                   "klmnopqrstuvwxyz0123456789-_";

    for (size_t bit = 0; bit < len * 8; bit += 6) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8;

        if (bit / 8 + 1 < len)
            pair |= bytes[bit / 8 + 1];
        *at++ = alphabet[pair >> (10 - bit % 8) & 63];
    }
    return at;
}

/* "Bearer " and the token. */
static char *
build(const uint8_t *data, size_t size, bool is_raw)
{
    char *text = malloc(sizeof("Bearer ..") + size * 2);
    char *at = stpcpy(text, "Bearer ");

    for (int part = 0; !is_raw && part < 2; part++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end != NULL ? (size_t)(end - data) : size;

        at = put_base64url(at, data, len);
        *at++ = '.';
        data += end != NULL ? len + 1 : len;
        size -= end != NULL ? len + 1 : len;
    }
    if (is_raw)
        at = (char *)memcpy(at, data, size) + size;
    else
        at = put_base64url(at, data, size);
    *at = '\0';
    return text;
}

static bool
is_of(const json_t *object, const char *name, const char *text)
{
    return strcmp(json_string_value(json_object_get(object, name)), text) == 0;
}

static void
check_shape(const char *token, size_t len)
{
    enum auth_refusal refusal = AUTH_ACCEPTED;
    const struct clock_skew skew = {.early = 60};
    int64_t expires;
    struct jwt jwt;

    if (jwt_read(token, len, &jwt, &refusal) != ERR_OK) {
        FUZZ_CHECK(refusal == AUTH_MALFORMED);
        return;
    }
    FUZZ_CHECK(json_is_object(jwt.header) && json_is_object(jwt.claims));
    FUZZ_CHECK(jwt.alg == NULL || is_of(jwt.header, "alg", jwt.alg));
    (void)jwt_check_critical(&jwt, &refusal);
    (void)jwt_check_type(&jwt, &refusal);
    FUZZ_CHECK(jwt.kid == NULL || is_of(jwt.header, "kid", jwt.kid));
    (void)claims_check_start(jwt.claims, NOW, &skew, &refusal);
    if (claims_check_end(jwt.claims, NOW, &skew, &expires, &refusal) == ERR_OK)
        FUZZ_CHECK(expires > NOW);
    (void)claims_have_audience(jwt.claims, "api");
    (void)claims_have_scope(jwt.claims, "read");
    jwt_clear(&jwt);
}

static struct auth *
start(void)
{
    const struct auth_options options = {
        .issuer = "https://id.example/{tenant}",
        .jwks = FILE_TEMPLATE,
    };

    file_write(key_set, sizeof(key_set) - 1);
    return auth_new(&options);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct auth *auth;
    const struct principal *principal = NULL;
    enum auth_refusal refusal = AUTH_ACCEPTED;

    if (size == 0)
        return 0;
    if (auth == NULL)
        auth = start();

    auto_char *bearer = build(data + 1, size - 1, data[0] % 2 == 1);
    const char *token = bearer + strlen("Bearer ");

    check_shape(token, strlen(token));
    FUZZ_CHECK(auth_check(auth, bearer, NULL, ACCESS_READ, NOW, "id",
                          &principal, &refusal) == ERR_NOAUTH);
    FUZZ_CHECK(principal == NULL && refusal != AUTH_ACCEPTED);
    return 0;
}
