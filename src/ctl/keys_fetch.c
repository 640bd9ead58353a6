// SPDX-License-Identifier: MIT
/* orderconf keys fetch: a tenant's key set, from its identity provider. */
#include "auth/auth.h"
#include "auth/jwks.h"
#include "auth/key_set.h"
#include "base/file.h"
#include "base/number.h"
#include "base/util.h"
#include "conf/settings.h"
#include "ctl/command.h"
#include "ctl/fetch.h"
#include "ctl/session.h"
#include "model/tenant.h"

#include <errno.h>
#include <stdio.h>

#define TIMEOUT_MAX 600
#define MODE 0644 /* public keys */

enum { TENANT, URL, JWKS, CA, TIMEOUT, AS_JSON, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    [TENANT] = {"tenant", "NAME", NULL, "whose keys they are", NULL,
                CTL_REQUIRED},
    [URL] = {"url", "TEMPLATE", "ORDERCONF_JWKS_URL",
             "where the key set is, an https URL; {tenant} in it\n"
             "becomes the tenant",
             NULL, CTL_REQUIRED},
    [JWKS] = {"jwks", "TEMPLATE", "ORDERCONF_JWKS",
              "file that is replaced; {tenant} in it becomes the\n"
              "tenant; if not set, as the service has it:\n" SETTINGS_JWKS,
              NULL, CTL_OPTIONAL},
    [CA] = {"ca", "FILE", "ORDERCONF_JWKS_CA",
            "certificates (PEM) of the only authorities to trust,\n"
            "instead of the system's",
            NULL, CTL_OPTIONAL},
    [TIMEOUT] = {"timeout", "SECONDS", NULL,
                 "how long all of it may take, at most 600", "30",
                 CTL_OPTIONAL},
    [AS_JSON] = {"json", NULL, NULL, "print the result as JSON", NULL,
                 CTL_OPTIONAL},
};

/* What the option's text is for the tenant; from malloc. */
static enum ctl_exit
fill_template(const char *option, const char *text, const char *tenant,
              char **text_out)
{
    struct tenant_template template;

    if (tenant_template_parse(text, &template) == TENANT_SLOT_MORE)
        return ctl_fail_usage("--%s: must not hold {tenant} twice", option);
    *text_out = tenant_template_expand(&template, tenant);
    return *text_out != NULL ? CTL_OK : ctl_fail("out of memory");
}

static void
tell_skipped(void *ctx, const char *kid, const char *why)
{
    (void)ctx;
    (void)ctl_fail("the key set's key %s is passed over: %s",
                   kid != NULL ? kid : "without kid", why);
}

/* Reads the set, with a NUL behind it, and checks it. */
static enum ctl_exit
get_set(const struct fetch_options *from, char *text, size_t *len_out,
        size_t *count_out)
{
    char why[512];
    const char *wrong = NULL;
    enum err err;

    if (!fetch_get(from, text, JWKS_BYTES_MAX, len_out, why, sizeof(why)))
        return ctl_fail("could not fetch the key set: %s", why);
    text[*len_out] = '\0';
    err = key_set_check(text, *len_out, tell_skipped, NULL, count_out, &wrong);
    if (err == ERR_NOMEM)
        return ctl_fail("out of memory");
    return err == ERR_OK ? CTL_OK : ctl_fail("the key set %s", wrong);
}

/* True if the file holds just this. */
static bool
holds(const char *path, const char *text, size_t len)
{
    auto_char *old = malloc(JWKS_BYTES_MAX + 1);
    struct file_id id;
    size_t old_len = 0;

    return old != NULL &&
           file_read(path, old, JWKS_BYTES_MAX + 1, &old_len, &id) == NULL &&
           old_len == len && memcmp(old, text, len) == 0;
}

static enum ctl_exit
put_set(const char *path, const char *text, size_t len, bool *is_new_out)
{
    auto_fd lock = -1; /* against a keygen that adds to it meanwhile */
    const char *why = file_lock(path, &lock);

    if (why == NULL) {
        *is_new_out = !holds(path, text, len);
        if (*is_new_out)
            why = file_replace(path, text, MODE);
    }
    return why == NULL ? CTL_OK : ctl_fail("%s: %s", path, why);
}

static void
print_result(const char *const *values, size_t count, bool is_new)
{
    if (values[AS_JSON] != NULL)
        printf("{\"tenant\":\"%s\",\"keys\":%zu,\"changed\":%s}\n",
               values[TENANT], count, is_new ? "true" : "false");
    else
        printf("%s: %zu key%s, %s\n", values[TENANT], count,
               number_ending(count), is_new ? "replaced" : "unchanged");
}

static enum ctl_exit
fetch(const struct fetch_options *from, const char *path,
      const char *const *values)
{
    auto_char *text = malloc(JWKS_BYTES_MAX + 1);
    enum ctl_exit status;
    size_t len, count;
    bool is_new;

    if (text == NULL)
        return ctl_fail("out of memory");
    status = get_set(from, text, &len, &count);
    if (status != CTL_OK)
        return status;
    status = put_set(path, text, len, &is_new);
    if (status != CTL_OK)
        return status;
    print_result(values, count, is_new);
    return CTL_OK;
}

/* Leaves word for the service's metrics, beside the key set: a file if the
 * fetch has failed, and none if it has not. */
static enum ctl_exit
leave_word(const char *path, enum ctl_exit status)
{
    auto_char *word = NULL;

    if (asprintf(&word, "%s" AUTH_FAILED_SUFFIX, path) < 0) {
        word = NULL;
        return ctl_fail("out of memory");
    }
    /* Where even that fails, the command has said what is wrong already. */
    if (status == CTL_FAILED)
        (void)file_replace(word, "the last fetch has failed\n", MODE);
    else if (unlink(word) != 0 && errno != ENOENT)
        return ctl_fail("%s: %s", word, strerror(errno));
    return status;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    const char *jwks = values[JWKS] != NULL ? values[JWKS] : SETTINGS_JWKS;
    auto_char *url = NULL;
    auto_char *path = NULL;
    struct fetch_options from = {.accept = "application/jwk-set+json, "
                                           "application/json",
                                 .ca = values[CA]};
    enum ctl_exit status;

    status = ctl_read_number("timeout", values[TIMEOUT], 1, TIMEOUT_MAX,
                             &from.timeout);
    if (status != CTL_OK)
        return status;
    status = fill_template("url", values[URL], values[TENANT], &url);
    if (status != CTL_OK)
        return status;
    if (!fetch_is_https(url))
        return ctl_fail_usage("--url: must be an https URL");
    status = fill_template("jwks", jwks, values[TENANT], &path);
    if (status != CTL_OK)
        return status;
    from.url = url;
    return leave_word(path, fetch(&from, path, values));
}

const struct ctl_command ctl_keys_fetch = {
    .name = "keys fetch",
    .operands = "",
    .summary = "Fetches a tenant's key set from an https URL",
    .details = "The set is checked first. A set that cannot be used, or holds "
               "a private key,\n"
               "changes nothing; nor does any other failure. Workers use the "
               "new set at once.\n"
               "Keys that are not in the new set are no longer accepted.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_NAMED},
    .run = run,
};
