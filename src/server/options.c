// SPDX-License-Identifier: MIT
#include "server/options.h"

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "config.h"
#include "model/uri.h"

#include <stdio.h>
#include <string.h>

/* What a web server tells of a request stands in a CGI program's environment,
 * beside the settings. */
static bool
is_of_request(const char *variable)
{
    static const char admitted[] = "ORDERCONF_OPERATOR=";

    return strncmp(variable, admitted, strlen(admitted)) == 0 &&
           getenv("GATEWAY_INTERFACE") != NULL;
}

/*
 * Every ORDERCONF_ variable is a setting or an error: a misspelt one would
 * otherwise be a setting that is silently not in force.
 */
static bool
check_environment(char why[ARGS_WHY_SIZE])
{
    for (char **variable = environ; *variable != NULL; variable++) {
        size_t len = strcspn(*variable, "=");

        if (strncmp(*variable, ARGS_PREFIX, strlen(ARGS_PREFIX)) != 0 ||
            is_of_request(*variable) ||
            args_find_variable(settings_rows, SETTINGS_COUNT, *variable, len) !=
                NULL)
            continue;
        snprintf(why, ARGS_WHY_SIZE, "%.*s: no such setting", (int)len,
                 *variable);
        return false;
    }
    return true;
}

/* From all that there is. False: why says what is wrong. */
static bool
read_all(struct settings *settings, char **arguments, char why[ARGS_WHY_SIZE])
{
    struct args_value values[SETTINGS_COUNT] = {0};
    struct args args = {
        .rows = settings_rows, .count = SETTINGS_COUNT, .values = values};
    bool is_good = check_environment(args.why);

    *settings = (struct settings){.clock_skew = -1};
    for (int at = 0; is_good && arguments[at] != NULL;)
        is_good = args_read_option(&args, arguments, &at);
    if (is_good)
        is_good =
            args_read_rest(&args, SETTINGS_FILE_VARIABLE, &settings->file);
    if (!is_good) {
        memcpy(why, args.why, sizeof(args.why));
        options_clear(settings);
        return false;
    }
    args_store(&args, settings);
    if (settings->workers == 0)
        settings->workers = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->workers < 1)
        settings->workers = 1;
    return true;
}

static void
print_help(void)
{
    printf("usage: orderconf.fcgi [OPTION]...\n"
           "Serves sales-order configuration over FastCGI or CGI.\n\n");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct args_row *row = &settings_rows[i];
        char note[64];

        if (row->kind == ARGS_FOREIGN)
            continue;
        snprintf(note, sizeof(note), "default: %s", row->initial);
        args_print(row, row->initial != NULL ? note : NULL);
    }
    printf(
        "  --reload                 make the service with process id $MAINPID\n"
        "                           reload, and wait until it has\n"
        "  --help                   print this\n"
        "  --version                print the version\n\n"
        "Each setting is also a variable of the environment, such as "
        "ORDERCONF_MAP_SIZE,\nand a line of the settings file, such as "
        "ORDERCONF_MAP_SIZE=64G. The command\nline wins over the "
        "environment, and the environment over the file.\n");
}

enum options_result
options_read(struct settings *settings, char **arguments)
{
    char why[ARGS_WHY_SIZE];

    for (int at = 0; arguments[at] != NULL; at++) {
        if (strcmp(arguments[at], "--help") == 0) {
            print_help();
            return OPTIONS_EXIT_OK;
        }
        if (strcmp(arguments[at], "--version") == 0) {
            printf("orderconf.fcgi %s\n", PACKAGE_VERSION);
            return OPTIONS_EXIT_OK;
        }
    }
    if (arguments[0] != NULL && strcmp(arguments[0], "--reload") == 0 &&
        arguments[1] == NULL)
        return OPTIONS_RELOAD;
    if (read_all(settings, arguments, why))
        return OPTIONS_RUN;
    log_complain("%s", why);
    return OPTIONS_EXIT_USAGE;
}

void
options_clear(struct settings *settings)
{
    args_file_clear(&settings->file);
}

struct auth_options
options_of_auth(const struct settings *settings)
{
    return (struct auth_options){
        .issuer = settings->issuer,
        .tenant_claim = settings->tenant_claim,
        .jwks = settings->jwks,
        .audience = settings->audience,
        .read_scope = settings->read_scope,
        .write_scope = settings->write_scope,
        .secret_scope = settings->secret_scope,
        .wanted = settings->db,
        .clock_skew = settings->clock_skew,
    };
}

const char *
options_check(const struct settings *settings)
{
    struct auth_options auth = options_of_auth(settings);

    if (settings->issuer == NULL)
        return "issuer: is required";
    if (settings->webhook_schemes != NULL &&
        !uri_schemes_are_valid(settings->webhook_schemes))
        return "webhook-schemes: " URI_SCHEMES_RULE;
    return auth_options_check(&auth);
}

/* Adds the name to the list if its setting differs. */
static void
list_differing(char list[ARGS_WHY_SIZE], const char *name, bool differs)
{
    size_t len = strlen(list);

    if (differs)
        snprintf(list + len, ARGS_WHY_SIZE - len, "%s%s", len > 0 ? ", " : "",
                 name);
}

static bool
differ(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

/* Keeps of the first settings what only a start can apply. */
static void
keep_first(struct settings *settings, const struct settings *first,
           char unapplied_out[ARGS_WHY_SIZE])
{
    *unapplied_out = '\0';
    list_differing(unapplied_out, "db", differ(settings->db, first->db));
    list_differing(unapplied_out, "listen",
                   differ(settings->listen, first->listen));
    list_differing(unapplied_out, "workers",
                   settings->workers != first->workers);
    /* New workers do as they are told; our own lines go where they went. */
    list_differing(unapplied_out, "syslog", settings->syslog != first->syslog);
    settings->db = first->db;
    settings->listen = first->listen;
    settings->workers = first->workers;
}

bool
options_reload(const struct settings *first, char **arguments,
               struct settings *settings_out, char unapplied_out[ARGS_WHY_SIZE],
               char why[ARGS_WHY_SIZE])
{
    struct settings settings;
    const char *wrong;

    if (!read_all(&settings, arguments, why))
        return false;
    wrong = options_check(&settings);
    if (wrong != NULL) {
        snprintf(why, ARGS_WHY_SIZE, "%s", wrong);
        options_clear(&settings);
        return false;
    }
    keep_first(&settings, first, unapplied_out);
    *settings_out = settings;
    return true;
}

bool
options_export(const struct settings *settings)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct args_row *row = &settings_rows[i];
        const char *from = (const char *)settings + row->offset;
        char digits[NUMBER_SIZE];
        const char *text;
        int64_t number; /* negative: not set */

        if (row->kind == ARGS_FOREIGN)
            continue;
        if (row->kind == ARGS_TEXT || row->kind == ARGS_TEXT_OR_EMPTY) {
            memcpy(&text, from, sizeof(text));
        } else if (row->kind == ARGS_FLAG) {
            text = *(const bool *)from ? "yes" : NULL;
        } else {
            memcpy(&number, from, sizeof(number));
            text = number >= 0 ? number_text(digits, (uint64_t)number) : NULL;
        }
        if (row->offset == offsetof(struct settings, config))
            text = "";
        if ((text != NULL ? setenv(row->variable, text, 1)
                          : unsetenv(row->variable)) != 0)
            return false;
    }
    return true;
}
