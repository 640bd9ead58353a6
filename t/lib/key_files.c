// SPDX-License-Identifier: MIT
#include "key_files.h"

#include "base/util.h"
#include "scratch.h"
#include "tokens.h"

#include <string.h>
#include <time.h>

char *dir;
struct jwks *jwks;
const struct jwk *found;
uint64_t generation;

void
key_files_set_up(void)
{
    auto_char *path = NULL;

    tokens_catch_log();
    dir = scratch_make();
    path = tokens_format("%s/{tenant}.json", dir);
    jwks = jwks_new(path);
}

void
key_files_tear_down(void)
{
    jwks_free(jwks);
    scratch_remove(dir);
}

void
settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 40 * 1000000}, NULL);
}

enum err
find_key(const char *tenant, const char *kid, const char *alg)
{
    found = NULL;
    return jwks_find(jwks, tenant, kid, alg, &found, &generation);
}

void
write_set(const char *name, char *jwk, char *next)
{
    auto_char *set =
        tokens_format("{\"keys\":[%s%s%s]}", jwk, next != NULL ? "," : "",
                      next != NULL ? next : "");

    tokens_replace(dir, name, set);
    free(jwk);
    free(next);
}

void
write_ec(const char *name, const char *kid)
{
    EVP_PKEY *key = tokens_new_ec("P-256");

    write_set(name, tokens_jwk(key, kid, NULL, ""), NULL);
    EVP_PKEY_free(key);
}

int
count_logged(const char *event, const char *reason)
{
    auto_char *log = tokens_take_log();
    auto_char *wanted = tokens_format("\"event\":\"%s\"", event);
    char *rest = log;
    char *line;
    int count = 0;

    while ((line = strsep(&rest, "\n")) != NULL)
        count += strstr(line, wanted) != NULL &&
                 strstr(line, "\"tenant\":\"acme\"") != NULL &&
                 strstr(line, reason) != NULL;
    return count;
}
