// SPDX-License-Identifier: MIT
#include "server/options.h"

#include "base/file.h"
#include "base/util.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

/* What the machine has is not asked about. */
static void
redirect(void)
{
    setenv("ORDERCONF_CONFIG", "", 1);
    cr_redirect_stdout();
    cr_redirect_stderr();
}

TestSuite(options, .init = redirect);

/* Reads the arguments up to NULL. */
static enum options_result
run(struct settings *options, const char *const *arguments)
{
    char *argv[16] = {NULL};
    int argc = 0;

    /* The options point to the arguments, which are literals. */
    for (; *arguments != NULL; arguments++)
        argv[argc++] = (char *)(uintptr_t)*arguments;
    return options_read(options, argv);
}

#define RUN(options, ...)                                                      \
    run((options), (const char *const[]){__VA_ARGS__, NULL})

static void
assert_stderr(const char *expected)
{
    char text[4096];
    size_t len = fread(text, 1, sizeof(text) - 1, cr_get_redirected_stderr());

    text[len] = '\0';
    cr_assert_str_eq(text, expected);
}

Test(options, defaults)
{
    struct settings options;

    cr_assert_eq(run(&options, (const char *const[]){NULL}), OPTIONS_RUN);
    cr_assert_str_eq(options.db, "/var/lib/orderconf");
    cr_assert_str_eq(options.jwks, "/etc/orderconf/keys/{tenant}.json");
    cr_assert_eq(options.map_size, INT64_C(16) << 30);
    cr_assert_eq(options.history, 100);
    cr_assert_geq(options.workers, 1);
    cr_assert_null(options.issuer);
    cr_assert_null(options.listen);
}

Test(options, both_forms_of_an_argument)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "--workers", "3", "--map-size=64M",
                     "--issuer=https://a/?x=1", "--db", "/d"),
                 OPTIONS_RUN);
    cr_assert_eq(options.workers, 3);
    cr_assert_eq(options.map_size, INT64_C(64) << 20);
    cr_assert_str_eq(options.issuer, "https://a/?x=1");
    cr_assert_str_eq(options.db, "/d");
}

Test(options, the_environment_sets_and_the_command_line_wins)
{
    struct settings options;

    setenv("ORDERCONF_TENANT_CLAIM", "org", 1);
    setenv("ORDERCONF_WORKERS", "5", 1);
    cr_assert_eq(RUN(&options, "--workers", "6"), OPTIONS_RUN);
    cr_assert_str_eq(options.tenant_claim, "org");
    cr_assert_eq(options.workers, 6);
}

Test(options, an_unknown_option_is_named)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "--worker=3"), OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: --worker: no such option, see --help\n");
}

Test(options, a_stray_argument_is_named)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "workers"), OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: workers: no such option, see --help\n");
}

Test(options, an_unknown_variable_is_named)
{
    struct settings options;

    setenv("ORDERCONF_WORKER", "secret", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}),
                 OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: ORDERCONF_WORKER: no such setting\n");
}

Test(options, the_admin_program_may_share_the_environment)
{
    struct settings options;

    setenv("ORDERCONF_KEY", "demo.key.json", 1);
    setenv("ORDERCONF_JWKS_CA", "ca.pem", 1);
    setenv("ORDERCONF_JWKS_URL", "https://id.example/", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}), OPTIONS_RUN);
}

Test(options, what_a_web_server_tells_of_a_request_is_no_setting)
{
    struct settings options;

    setenv("ORDERCONF_OPERATOR", "1", 1);
    setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}), OPTIONS_RUN);
}

Test(options, a_setting_does_not_admit_operators)
{
    struct settings options;

    setenv("ORDERCONF_OPERATOR", "1", 1);
    unsetenv("GATEWAY_INTERFACE");
    cr_assert_eq(run(&options, (const char *const[]){NULL}),
                 OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: ORDERCONF_OPERATOR: no such setting\n");
}

Test(options, a_bad_variable_is_named)
{
    struct settings options;

    setenv("ORDERCONF_WORKERS", "0", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}),
                 OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: ORDERCONF_WORKERS: must be a number from 1 "
                  "to 1024, not \"0\"\n");
}

Test(options, numbers_out_of_range_or_malformed_are_refused)
{
    static const char *const bad[] = {
        "--workers=0",
        "--workers=1025",
        "--workers=-1",
        "--workers=1K",
        "--workers= 1",
        "--workers=1x",
        "--workers=",
        "--map-size=1K",
        "--map-size=65T",
        "--map-size=1MM",
        "--map-size=G",
        "--map-size=99999999999999999999",
        "--map-size=9000000000T",
        "--history=0",
        "--history=100001",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct settings options;

        cr_assert_eq(RUN(&options, bad[i]), OPTIONS_EXIT_USAGE, "%s", bad[i]);
    }
}

Test(options, a_flag_needs_no_value_and_takes_yes_or_no)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "--workers=2"), OPTIONS_RUN);
    cr_assert_not(options.syslog);
    cr_assert_eq(RUN(&options, "--syslog", "--workers", "3"), OPTIONS_RUN);
    cr_assert(options.syslog);
    cr_assert_eq(options.workers, 3);
    setenv("ORDERCONF_SYSLOG", "yes", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}), OPTIONS_RUN);
    cr_assert(options.syslog);
    cr_assert_eq(RUN(&options, "--syslog=no"), OPTIONS_RUN);
    cr_assert_not(options.syslog);
}

Test(options, another_value_of_a_flag_is_named)
{
    struct settings options;

    setenv("ORDERCONF_SYSLOG", "1", 1);
    cr_assert_eq(run(&options, (const char *const[]){NULL}),
                 OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: ORDERCONF_SYSLOG: must be yes or no, not "
                  "\"1\"\n");
}

Test(options, a_missing_value_is_named)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "--db"), OPTIONS_EXIT_USAGE);
    assert_stderr("orderconf.fcgi: --db: needs a value\n");
}

Test(options, help_and_version_end_well)
{
    struct settings options;

    cr_assert_eq(RUN(&options, "--help"), OPTIONS_EXIT_OK);
    cr_assert_eq(RUN(&options, "--version"), OPTIONS_EXIT_OK);
}

Test(options, export_is_what_another_program_reads)
{
    struct settings first, second;

    setenv("ORDERCONF_AUDIENCE", "taken out", 1);
    cr_assert_eq(RUN(&first, "--workers", "7", "--map-size", "1G", "--issuer",
                     "https://a/{tenant}", "--write-scope", "w", "--syslog",
                     "--secret-scope", "s", "--secret-keys=/k",
                     "--webhook-schemes=https"),
                 OPTIONS_RUN);
    first.audience = NULL;
    cr_assert(options_export(&first));
    cr_assert_eq(run(&second, (const char *const[]){NULL}), OPTIONS_RUN);
    cr_assert_eq(second.workers, 7);
    cr_assert_eq(second.map_size, INT64_C(1) << 30);
    cr_assert_str_eq(second.issuer, "https://a/{tenant}");
    cr_assert_str_eq(second.write_scope, "w");
    cr_assert_str_eq(second.secret_scope, "s");
    cr_assert_str_eq(second.secret_keys, "/k");
    cr_assert_str_eq(second.webhook_schemes, "https");
    cr_assert(second.syslog);
    first.syslog = false;
    cr_assert(options_export(&first));
    cr_assert_eq(run(&second, (const char *const[]){NULL}), OPTIONS_RUN);
    cr_assert_not(second.syslog);
    cr_assert_null(second.audience);
    cr_assert_null(second.read_scope);
}

Test(options, a_worker_reads_no_file)
{
    char *dir = scratch_make();
    char *path = scratch_path(dir, "f.conf");
    struct settings first, second;

    cr_assert_null(file_replace(path, "ORDERCONF_AUDIENCE=one\n", 0600));
    cr_assert_eq(RUN(&first, "--config", path), OPTIONS_RUN);
    cr_assert_null(file_replace(path,
                                "ORDERCONF_AUDIENCE=two\nORDERCONF_WORKERS=2\n"
                                "ORDERCONF_READ_SCOPE=r\n",
                                0600));
    cr_assert(options_export(&first));
    options_clear(&first);
    cr_assert_eq(run(&second, (const char *const[]){NULL}), OPTIONS_RUN);
    cr_assert_str_eq(second.audience, "one");
    cr_assert_null(second.read_scope);
    options_clear(&second);
    free(path);
    scratch_remove(dir);
}

Test(options, a_reload_takes_what_it_can_apply)
{
    char *dir = scratch_make();
    char *path = scratch_path(dir, "f.conf");
    char fixed[ARGS_WHY_SIZE], why[ARGS_WHY_SIZE];
    char *argv[] = {(char[]){"--config"}, path, (char[]){"--history=7"}, NULL};
    struct settings first, next;

    cr_assert_null(file_replace(path,
                                "ORDERCONF_DB=/a\nORDERCONF_WORKERS=2\n"
                                "ORDERCONF_ISSUER=https://a/{tenant}\n",
                                0600));
    setenv("ORDERCONF_AUDIENCE", "environment", 1);
    cr_assert_eq(options_read(&first, argv), OPTIONS_RUN);
    cr_assert(options_reload(&first, argv, &next, fixed, why));
    cr_expect_str_eq(fixed, "");
    options_clear(&next);

    cr_assert_null(file_replace(path,
                                "ORDERCONF_DB=/b\nORDERCONF_WORKERS=3\n"
                                "ORDERCONF_ISSUER=https://b/{tenant}\n"
                                "ORDERCONF_LISTEN=unix:/l\n"
                                "ORDERCONF_AUDIENCE=file\n"
                                "ORDERCONF_HISTORY=9\n"
                                "ORDERCONF_SYSLOG=yes\n"
                                "ORDERCONF_WRITE_SCOPE=w\n",
                                0600));
    cr_assert(options_reload(&first, argv, &next, fixed, why));
    cr_expect_str_eq(fixed, "db, listen, workers, syslog");
    cr_expect_str_eq(next.db, "/a");
    cr_expect_eq(next.workers, 2);
    cr_expect_null(next.listen);
    cr_expect_str_eq(next.issuer, "https://b/{tenant}");
    cr_expect_str_eq(next.write_scope, "w");
    cr_expect_str_eq(next.audience, "environment");
    cr_expect_eq(next.history, 7);
    cr_expect(next.syslog);
    options_clear(&next);

    cr_assert_null(file_replace(path, "ORDERCONF_HISTORY=0\n", 0600));
    cr_assert_not(options_reload(&first, argv, &next, fixed, why));
    cr_expect_str_eq(why + strlen(dir), "/f.conf:1: ORDERCONF_HISTORY: must be "
                                        "a number from 1 to 100000, not \"0\"");
    cr_assert_null(file_replace(path, "", 0600));
    cr_assert_not(options_reload(&first, argv, &next, fixed, why));
    cr_expect_str_eq(why, "issuer: is required");
    options_clear(&first);
    free(path);
    scratch_remove(dir);
}
