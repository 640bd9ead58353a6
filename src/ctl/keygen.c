// SPDX-License-Identifier: MIT
/* orderconf keygen: a key pair, its public half in a key set. */
#include "auth/jwk.h"
#include "auth/jwk_make.h"
#include "base/file.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/key_file.h"
#include "ctl/session.h"
#include "model/tenant.h"

#include <errno.h>
#include <stdio.h>

#define BITS_MIN 2048
#define BITS_MAX 8192 /* more takes minutes to make */
#define BITS_USUAL "2048"

enum { KEY, JWKS, ALG, BITS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    [KEY] = {"key", "FILE", "ORDERCONF_KEY",
             "where the private key goes, a JWK; must not exist", NULL,
             CTL_REQUIRED},
    [JWKS] = {"jwks", "FILE", NULL,
              "key set that the public half is added to; made if\n"
              "it is missing",
              NULL, CTL_REQUIRED},
    [ALG] = {"alg", "NAME", NULL,
             "RS256, RS384, RS512, PS256, PS384, PS512, ES256,\n"
             "ES384 or ES512",
             "RS256", CTL_OPTIONAL},
    [BITS] = {"bits", "N", NULL,
              "size of an RSA key, 2048 to 8192 (default: 2048)", NULL,
              CTL_OPTIONAL},
};

/* The key set in the file, or an empty one if there is no file. */
static enum ctl_exit
read_set(const char *path, json_t **set_out)
{
    enum ctl_exit status;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        *set_out = json_pack("{s:[]}", "keys");
        return *set_out != NULL ? CTL_OK : ctl_fail("out of memory");
    }
    status = ctl_key_read(path, set_out);
    if (status != CTL_OK)
        return status;
    if (!json_is_array(json_object_get(*set_out, "keys")))
        return ctl_fail("%s: is not a key set: it has no array \"keys\"", path);
    return CTL_OK;
}

/* As a file holds it; from malloc. */
static char *
to_text(const json_t *json)
{
    auto_char *text = json_dumps(json, JSON_INDENT(2));
    char *line = NULL;

    if (text == NULL || asprintf(&line, "%s\n", text) < 0)
        return NULL;
    return line;
}

static bool
add_public(json_t *set, const json_t *key)
{
    json_t *half = jwk_copy_public(key);

    return half != NULL &&
           json_object_set(half, "use", json_object_get(key, "use")) == 0 &&
           json_array_append_new(json_object_get(set, "keys"), half) == 0;
}

/* True if the two paths lead to one file. */
static bool
is_same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Both files, or none of them. */
static enum ctl_exit
write_files(const char *const *values, const char *key, const char *set)
{
    const char *why = file_create(values[KEY], key, 0600);

    if (why != NULL)
        return ctl_fail("%s: %s", values[KEY], why);
    if (is_same_file(values[KEY], values[JWKS]))
        why = "is the same file as --key";
    else
        why = file_replace(values[JWKS], set, 0644);
    if (why == NULL)
        return CTL_OK;
    (void)unlink(values[KEY]); /* it was made just now */
    return ctl_fail("%s: %s", values[JWKS], why);
}

static enum ctl_exit
add_key(const char *const *values, unsigned bits)
{
    json_auto_t *set = NULL;
    json_auto_t *key = NULL;
    auto_char *key_text = NULL;
    auto_char *set_text = NULL;
    enum ctl_exit status;

    status = read_set(values[JWKS], &set);
    if (status != CTL_OK)
        return status;
    key = jwk_make(values[ALG], bits);
    if (key == NULL)
        return ctl_fail("could not make a key");
    key_text = to_text(key);
    if (key_text != NULL && add_public(set, key))
        set_text = to_text(set);
    if (set_text == NULL)
        return ctl_fail("out of memory");
    status = write_files(values, key_text, set_text);
    if (status != CTL_OK)
        return status;
    printf("%s\n", json_string_value(json_object_get(key, "kid")));
    return CTL_OK;
}

/* Before the time that it takes to make a key. */
static enum ctl_exit
check_new(const char *path)
{
    struct stat file;

    if (lstat(path, &file) == 0)
        return ctl_fail("%s: exists; a key is never overwritten", path);
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    const char *bits_text = values[BITS] != NULL ? values[BITS] : BITS_USUAL;
    auto_fd lock = -1;
    enum ctl_exit status;
    const char *why;
    long bits = 0;

    status = ctl_read_number("bits", bits_text, BITS_MIN, BITS_MAX, &bits);
    if (status != CTL_OK)
        return status;
    if (jwk_find_alg(values[ALG]) == NULL)
        return ctl_fail_usage("--alg: no such algorithm: %s", values[ALG]);
    if (values[BITS] != NULL && values[ALG][0] == 'E')
        return ctl_fail_usage("--bits: is for RSA keys, not for %s",
                              values[ALG]);
    if (strstr(values[JWKS], TENANT_SLOT) != NULL)
        return ctl_fail_usage("--jwks: is a tenant's file, not a template");
    status = check_new(values[KEY]);
    if (status != CTL_OK)
        return status;
    why = file_lock(values[JWKS], &lock);
    if (why != NULL)
        return ctl_fail("%s: %s", values[JWKS], why);
    return add_key(values, (unsigned)bits);
}

const struct ctl_command ctl_keygen = {
    .name = "keygen",
    .operands = "",
    .summary = "Makes a key pair, and adds its public half to a key set",
    .details = "Prints the kid, which is the key's thumbprint (RFC 7638). "
               "Workers use the new\n"
               "set at once. Tokens of the keys that were in the set before "
               "stay good.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
