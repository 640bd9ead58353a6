// SPDX-License-Identifier: MIT
#include "tokens.h"

#include "base/util.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
must(bool claim, const char *what)
{
    if (!claim) {
        fprintf(stderr, "test helper: %s failed\n", what);
        abort();
    }
}

EVP_PKEY *
tokens_read_rsa(void)
{
    const char *srcdir = getenv("SRCDIR");
    auto_char *path =
        tokens_format("%s/t/data/rsa.pem", srcdir != NULL ? srcdir : ".");
    FILE *file = fopen(path, "r");
    EVP_PKEY *key;

    must(file != NULL, path);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    must(key != NULL, path);
    fclose(file);
    return key;
}

EVP_PKEY *
tokens_new_ec(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);

    must(key != NULL, "EVP_EC_gen");
    return key;
}

char *
tokens_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    must(vasprintf(&text, format, args) >= 0, "vasprintf");
    va_end(args);
    return text;
}

char *
tokens_base64url(const void *bytes, size_t len)
{
    char *text = malloc(len * 4 / 3 + 5);

    must(text != NULL, "malloc");
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
        else if (*c == '=')
            *c = '\0';
    }
    return text;
}

/* A number of the key, left-padded to len bytes if that is not 0. */
static char *
number(const EVP_PKEY *key, const char *name, size_t len)
{
    unsigned char bytes[2048];
    BIGNUM *value = NULL;
    char *text;

    must(EVP_PKEY_get_bn_param(key, name, &value) == 1, name);
    if (len == 0)
        len = (size_t)BN_num_bytes(value);
    must(BN_bn2binpad(value, bytes, (int)len) == (int)len, "BN_bn2binpad");
    BN_free(value);
    text = tokens_base64url(bytes, len);
    return text;
}

static size_t
coordinate_len(const EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

static char *
public_members(const EVP_PKEY *key)
{
    bool is_rsa = EVP_PKEY_is_a(key, "RSA");
    size_t len = is_rsa ? 0 : coordinate_len(key);
    auto_char *a = number(key, is_rsa ? "n" : OSSL_PKEY_PARAM_EC_PUB_X, len);
    auto_char *b = number(key, is_rsa ? "e" : OSSL_PKEY_PARAM_EC_PUB_Y, len);
    char *text;

    if (is_rsa)
        text = tokens_format("\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"", a, b);
    else
        text = tokens_format("\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\","
                             "\"y\":\"%s\"",
                             EVP_PKEY_get_bits(key), a, b);
    return text;
}

static char *
quoted_member(const char *name, const char *value)
{
    return value == NULL ? tokens_format("%s", "")
                         : tokens_format(",\"%s\":\"%s\"", name, value);
}

char *
tokens_jwk(const EVP_PKEY *key, const char *kid, const char *alg,
           const char *extra)
{
    auto_char *members = public_members(key);
    auto_char *kid_member = quoted_member("kid", kid);
    auto_char *alg_member = quoted_member("alg", alg);

    return tokens_format("{%s%s%s%s}", members, kid_member, alg_member, extra);
}

char *
tokens_jwk_private(const EVP_PKEY *key, const char *kid, const char *alg)
{
    bool is_rsa = EVP_PKEY_is_a(key, "RSA");
    auto_char *d =
        is_rsa ? number(key, OSSL_PKEY_PARAM_RSA_D, 0)
               : number(key, OSSL_PKEY_PARAM_PRIV_KEY, coordinate_len(key));
    auto_char *extra = tokens_format(",\"d\":\"%s\"", d);

    return tokens_jwk(key, kid, alg, extra);
}

char *
tokens_join(const char *header, const char *claims, const char *segment)
{
    auto_char *first = tokens_base64url(header, strlen(header));
    auto_char *second = tokens_base64url(claims, strlen(claims));

    return tokens_format("%s.%s%s%s", first, second, segment != NULL ? "." : "",
                         segment != NULL ? segment : "");
}

static char *
append_signature(const char *input, const unsigned char *bytes, size_t len)
{
    auto_char *segment = tokens_base64url(bytes, len);

    return tokens_format("%s.%s", input, segment);
}

/* DER to the two numbers of RFC 7518, section 3.4. */
static size_t
raw_ecdsa(unsigned char *bytes, size_t len, size_t half)
{
    const unsigned char *der = bytes;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);

    must(signature != NULL, "d2i_ECDSA_SIG");
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, (int)half);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + half, (int)half);
    ECDSA_SIG_free(signature);
    return 2 * half;
}

char *
tokens_sign(EVP_PKEY *key, const char *alg, const char *header,
            const char *claims)
{
    auto_char *input = tokens_join(header, claims, NULL);
    auto_char *digest = tokens_format("SHA%s", alg + 2);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    unsigned char bytes[2048];
    size_t len = sizeof(bytes);

    must(EVP_DigestSignInit_ex(md, &ctx, digest, NULL, NULL, key, NULL) == 1,
         "EVP_DigestSignInit_ex");
    if (alg[0] == 'P') {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST);
    }
    must(EVP_DigestSign(md, bytes, &len, (const unsigned char *)input,
                        strlen(input)) == 1,
         "EVP_DigestSign");
    EVP_MD_CTX_free(md);
    if (alg[0] == 'E')
        len = raw_ecdsa(bytes, len, coordinate_len(key));
    return append_signature(input, bytes, len);
}

char *
tokens_sign_hs256(const void *secret, size_t len, const char *header,
                  const char *claims)
{
    auto_char *input = tokens_join(header, claims, NULL);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned bytes_len = 0;

    must(HMAC(EVP_sha256(), secret, (int)len, (const unsigned char *)input,
              strlen(input), bytes, &bytes_len) != NULL,
         "HMAC");
    return append_signature(input, bytes, bytes_len);
}

char *
tokens_public_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    long len;

    must(PEM_write_bio_PUBKEY(bio, key) == 1, "PEM_write_bio_PUBKEY");
    len = BIO_get_mem_data(bio, &data);
    text = strndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

unsigned char *
tokens_public_der(EVP_PKEY *key, size_t *len_out)
{
    unsigned char *der = NULL, *copy;
    int len = i2d_PUBKEY(key, &der);

    must(len > 0, "i2d_PUBKEY");
    copy = malloc((size_t)len);
    must(copy != NULL, "malloc");
    memcpy(copy, der, (size_t)len);
    OPENSSL_free(der);
    *len_out = (size_t)len;
    return copy;
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

void
tokens_write(const char *dir, const char *name, const char *text)
{
    auto_char *path = tokens_format("%s/%s", dir, name);

    write_file(path, text);
}

void
tokens_replace(const char *dir, const char *name, const char *text)
{
    auto_char *path = tokens_format("%s/%s", dir, name);
    auto_char *fresh = tokens_format("%s/%s.new", dir, name);

    write_file(fresh, text);
    must(rename(fresh, path) == 0, "rename");
}

void
tokens_remove(const char *dir, const char *name)
{
    auto_char *path = tokens_format("%s/%s", dir, name);

    must(remove(path) == 0, "remove");
}

void
tokens_catch_log(void)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    must(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0, "memfd_create");
    close(fd);
}

char *
tokens_take_log(void)
{
    off_t len = lseek(STDERR_FILENO, 0, SEEK_END);
    char *text = calloc(1, (size_t)len + 1);

    must(text != NULL && pread(STDERR_FILENO, text, (size_t)len, 0) == len,
         "pread");
    must(ftruncate(STDERR_FILENO, 0) == 0, "ftruncate");
    lseek(STDERR_FILENO, 0, SEEK_SET);
    return text;
}
