// SPDX-License-Identifier: MIT
/*
 * The n-th allocation fails, for n = 0, 1, 2 … until there is no n-th: a token
 * is then accepted, or there is no memory, or the process has ended. It is
 * never refused, nothing is lost, and what comes next is right again.
 */
#include "auth/refusal.h"
#include "auth/auth.h"

#include "lib/auth_world.h"
#include "lib/gone.h"
#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <time.h>

static void
set_up(void)
{
    world_set_up();
    world.rsa = tokens_read_rsa();
}

TestSuite(auth_memory, .init = set_up, .fini = world_tear_down, .timeout = 60);

static void
settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 40 * 1000000}, NULL);
}

/* One check of a token, in a child. */
struct trial {
    const char *authorization;
    unsigned n;
    bool is_lasting;

    bool has_failed;
    enum err err;
};

static void
try_token(void *ctx)
{
    struct trial *trial = ctx;

    if (trial->is_lasting)
        no_memory_from(trial->n);
    else
        no_memory_after(trial->n);
    trial->err = world_check(trial->authorization, "acme", ACCESS_WRITE, NOW);
    trial->has_failed = no_memory_end();
    cr_assert(trial->err == ERR_OK || trial->err == ERR_NOMEM, "n %u: %s",
              trial->n, auth_refusal_name(world.refusal));
    cr_assert_eq(world_check(trial->authorization, "acme", ACCESS_WRITE, NOW),
                 ERR_OK, "after n %u: %s", trial->n,
                 auth_refusal_name(world.refusal));
    cr_assert_str_eq(world.principal->subject,
                     "a-subject-longer-than-one-buffer");
    auth_free(world.auth);
    world.auth = NULL;
}

static char *
make_authorization(const char *alg, int number)
{
    auto_char *header = tokens_format(
        "{\"alg\":\"%s\",\"kid\":\"a-kid-that-is-longer-than-one-buffer\"}",
        alg);
    auto_char *claims = tokens_format(
        "{" ISS_ACME ",\"sub\":\"a-subject-longer-than-one-buffer\","
        "\"exp\":1700000060,\"jti\":%d}",
        number);
    auto_char *token =
        tokens_sign(alg[0] == 'E' ? world.ec : world.rsa, alg, header, claims);

    return tokens_format("Bearer %s", token);
}

/* Runs the check with ever later failures; a cold one loads the keys, too. */
static void
run(const char *alg, bool is_cold, bool is_lasting)
{
    auto_char *jwk =
        tokens_jwk(alg[0] == 'E' ? world.ec : world.rsa,
                   "a-kid-that-is-longer-than-one-buffer", alg, "");
    auto_char *before = make_authorization(alg, 1);
    auto_char *authorization = make_authorization(alg, 2);
    struct trial *trial = gone_share(sizeof(*trial));
    long starved = 0, gone = 0;

    world_write_set("acme.json", jwk, "");
    settle();
    world_restart((struct auth_options){0});
    /* What OpenSSL does once, it has done then. */
    cr_assert_eq(world_check(before, "acme", ACCESS_WRITE, NOW), ERR_OK);
    if (is_cold)
        world_restart((struct auth_options){0});
    *trial = (struct trial){.authorization = authorization,
                            .is_lasting = is_lasting};
    do {
        trial->has_failed = true;
        if (gone_in(try_token, trial))
            gone++;
        else
            starved += trial->err == ERR_NOMEM;
        trial->n++;
    } while (trial->has_failed);
    /* Our own code allocates when it loads keys. */
    cr_assert_eq(starved > 0, is_cold, "%s: %ld", alg, starved);
    cr_assert_gt(gone, 50, "%s: %ld", alg, gone);
}

Test(auth_memory, one_allocation_fails)
{
    run("RS256", false, false);
    run("PS256", false, false);
    run("ES256", false, false);
    run("RS256", true, false);
    run("ES256", true, false);
}

Test(auth_memory, all_fail_from_one_on)
{
    run("RS256", false, true);
    run("PS256", false, true);
    run("ES256", false, true);
    run("RS256", true, true);
    run("ES256", true, true);
}
