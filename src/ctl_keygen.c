// SPDX-License-Identifier: MIT
/* orderconf keygen: a key pair as JWK, its public half into a key set. */
#include "ctl.h"

#include "ctl_file.h"
#include "decode.h"
#include "jwk.h"
#include "reserve.h"
#include "util.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

struct arguments {
    const char *key;
    const char *jwks;
    const char *alg;
    const char *bits;
};

/* Reads --bits; 0 if it is not in range. */
static size_t
rsa_bits(const char *text)
{
    char *end;
    long bits = text != NULL ? strtol(text, &end, 10) : RSA_BITS_MIN;

    if (text != NULL && (*text < '0' || *text > '9' || *end != '\0'))
        return 0;
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && bits % 8 == 0
               ? (size_t)bits
               : 0;
}

/* A pair for the algorithm. */
static cjose_jwk_t *
make_pair(const char *alg, size_t bits)
{
    static const uint8_t exponent[] = {1, 0, 1};

    if (strcmp(alg, "ES256") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    if (strcmp(alg, "ES384") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, NULL);
    if (strcmp(alg, "ES512") == 0)
        return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_521, NULL);
    return cjose_jwk_create_RSA_random(bits, exponent, sizeof(exponent), NULL);
}

/* The JWK as JSON, with or without its private members. */
static json_t *
to_json(const cjose_jwk_t *pair, bool is_private)
{
    char *text = cjose_jwk_to_json(pair, is_private, NULL);
    struct decode_fault fault;
    json_t *json = NULL;

    if (text != NULL &&
        decode_json(text, strlen(text), &json, &fault) != ERR_OK)
        json = NULL;
    if (text != NULL)
        cjose_get_dealloc()(text);
    return json;
}

/* The thumbprint of a public key (RFC 7638): what the key needs and no more,
 * in the order of the names, hashed. From cjose's allocator; NULL on failure.
 */
static char *
make_thumbprint(const json_t *public)
{
    static const char *const names[] = {"crv", "e", "kty", "n", "x", "y"};
    json_auto_t *needed = json_object();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len;
    char *text, *kid = NULL;
    size_t kid_len;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_t *member = json_object_get(public, names[i]);

        if (member != NULL && json_object_set(needed, names[i], member) != 0)
            return NULL;
    }
    text = json_dumps(needed, JSON_COMPACT);
    if (text == NULL ||
        EVP_Digest(text, strlen(text), digest, &digest_len, EVP_sha256(),
                   NULL) != 1 ||
        !cjose_base64url_encode(digest, digest_len, &kid, &kid_len, NULL))
        kid = NULL;
    if (text != NULL)
        cjose_get_dealloc()(text);
    return kid;
}

/* Adds what tells the key from others and says what it is for. */
static bool
label(json_t *json, const char *kid, const char *alg)
{
    return json != NULL &&
           json_object_set_new(json, "kid", json_string(kid)) == 0 &&
           json_object_set_new(json, "alg", json_string(alg)) == 0 &&
           json_object_set_new(json, "use", json_string("sig")) == 0;
}

/* The key set that is there, or an empty one. NULL: complained. */
static json_t *
read_set(const struct ctl_command *command, const char *path)
{
    struct decode_fault fault;
    json_t *set = NULL;
    size_t len;
    auto_char *text = ctl_file_read(path, &len);

    if (text == NULL && errno == ENOENT)
        return json_pack("{s:[]}", "keys");
    if (text == NULL) {
        ctl_complain(command, "could not read %s: %s", path, strerror(errno));
    } else if (decode_json(text, len, &set, &fault) != ERR_OK) {
        ctl_complain(command, "%s %s at line %zu, column %zu", path, fault.text,
                     fault.line, fault.column);
        set = NULL;
    } else if (!json_is_array(json_object_get(set, "keys"))) {
        ctl_complain(command, "%s is no key set: it has no array \"keys\"",
                     path);
        json_decref(set);
        set = NULL;
    }
    return set;
}

/* Writes both halves, or neither. */
static bool
write_both(const struct ctl_command *command, const struct arguments *arguments,
           const json_t *private, const json_t *set)
{
    char *key_text = json_dumps(private, JSON_INDENT(2));
    char *set_text = json_dumps(set, JSON_INDENT(2));
    bool is_done = false;

    if (key_text == NULL || set_text == NULL) {
        ctl_complain(command, "out of memory");
    } else if (!ctl_file_create(arguments->key, 0600, key_text)) {
        ctl_complain(command, "could not make %s: %s", arguments->key,
                     strerror(errno));
    } else if (!ctl_file_replace(arguments->jwks, 0644, set_text)) {
        ctl_complain(command, "could not write %s: %s", arguments->jwks,
                     strerror(errno));
        (void)unlink(arguments->key);
    } else {
        is_done = true;
    }
    if (key_text != NULL)
        cjose_get_dealloc()(key_text);
    if (set_text != NULL)
        cjose_get_dealloc()(set_text);
    return is_done;
}

static enum ctl_exit
make_key(const struct ctl_command *command, const struct arguments *arguments,
         size_t bits)
{
    json_auto_t *set = read_set(command, arguments->jwks);
    json_auto_t *private = NULL;
    json_auto_t *public = NULL;
    cjose_jwk_t *pair;
    char *kid = NULL;
    enum ctl_exit status = CTL_FAILED;

    if (set == NULL)
        return CTL_FAILED;
    pair = make_pair(arguments->alg, bits);
    if (pair != NULL) {
        private = to_json(pair, true);
        public = to_json(pair, false);
        cjose_jwk_release(pair);
    }
    if (public != NULL)
        kid = make_thumbprint(public);
    if (kid == NULL || !label(private, kid, arguments->alg) ||
        !label(public, kid, arguments->alg) ||
        json_array_append(json_object_get(set, "keys"), public) != 0)
        ctl_complain(command, "could not make a key");
    else if (write_both(command, arguments, private, set))
        status = CTL_OK;
    if (kid != NULL)
        cjose_get_dealloc()(kid);
    return status;
}

static enum ctl_exit
run(const struct ctl_command *command, int argc, char **argv)
{
    struct arguments arguments = {0};
    const struct ctl_option options[] = {
        {"key", "FILE", "the private key, as JWK; must not exist",
         &arguments.key, NULL, true},
        {"jwks", "FILE", "the key set that gets the public key",
         &arguments.jwks, NULL, true},
        {"alg", "NAME", "RS, PS or ES with 256, 384 or 512 (RS256)",
         &arguments.alg, NULL, false},
        {"bits", "N", "length of an RSA key (2048)", &arguments.bits, NULL,
         false},
        {0},
    };
    enum ctl_exit status;
    size_t bits;

    if (!ctl_read_options(command, options, argc, argv, &status))
        return status;
    if (arguments.alg == NULL)
        arguments.alg = "RS256";
    if (jwk_find_alg(arguments.alg) == NULL) {
        ctl_complain(command,
                     "--alg: must be RS, PS or ES with 256, 384 or "
                     "512, not \"%s\"",
                     arguments.alg);
        return CTL_USAGE;
    }
    bits = rsa_bits(arguments.bits);
    if (bits == 0) {
        ctl_complain(command,
                     "--bits: must be a multiple of 8 from %d to %d, "
                     "not \"%s\"",
                     RSA_BITS_MIN, RSA_BITS_MAX, arguments.bits);
        return CTL_USAGE;
    }
    if (arguments.bits != NULL && arguments.alg[0] == 'E') {
        ctl_complain(command, "--bits: the curve of %s decides the length",
                     arguments.alg);
        return CTL_USAGE;
    }
    reserve_init();
    return make_key(command, &arguments, bits);
}

const struct ctl_command ctl_keygen = {
    "keygen",
    "makes a key pair and adds the public key to a key set",
    run,
};
