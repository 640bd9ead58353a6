// SPDX-License-Identifier: MIT
#include "ctl/session.h"

#include "base/util.h"
#include "ctl/secrets.h"
#include "model/tenant.h"
#include "model/uri.h"

#include <assert.h>
#include <limits.h>

/* Does a part of what the command needs, or nothing if it does not need it.
 * Says what is wrong. */
typedef enum ctl_exit stage_fn(struct ctl_session *session);

/* The value of the option; NULL if it is not set, or the command has none. */
static const char *
value_of(const struct ctl_session *session, const char *name)
{
    for (size_t i = 0; i < session->command->option_count; i++)
        if (strcmp(session->command->options[i].name, name) == 0)
            return session->values[i];
    return NULL;
}

static enum ctl_exit
read_tenant(struct ctl_session *session)
{
    const char *tenant = value_of(session, "tenant");

    if (session->command->needs.tenant == CTL_NO_TENANT || tenant == NULL)
        return CTL_OK;
    if (!tenant_is_valid(tenant, strlen(tenant)))
        return ctl_fail_usage("--tenant: " TENANT_RULE);
    session->setting.tenant = tenant;
    return CTL_OK;
}

static enum ctl_exit
read_key(struct ctl_session *session)
{
    const char *name = session->operands[0];

    if (!session->command->needs.key)
        return CTL_OK;
    if (name == NULL)
        return ctl_fail_usage("which key? see --help");
    session->setting.key = config_key_find(name);
    if (session->setting.key == NULL)
        return ctl_fail_usage("%s: no such config key, see --help", name);
    return CTL_OK;
}

static enum ctl_exit
read_base(struct ctl_session *session)
{
    const char *text = value_of(session, "version");
    enum ctl_exit status;
    long base = 0;

    if (!session->command->needs.base || text == NULL)
        return CTL_OK;
    status = ctl_read_number("version", text, 0, LONG_MAX, &base);
    if (status != CTL_OK)
        return status;
    session->base = (uint64_t)base;
    return CTL_OK;
}

static enum ctl_exit
read_author(struct ctl_session *session)
{
    if (!session->command->needs.author)
        return CTL_OK;
    return ctl_author_init(value_of(session, "subject"), &session->author);
}

/* Of whichever command has such options. */
static enum ctl_exit
read_rules(struct ctl_session *session)
{
    const char *schemes = value_of(session, "webhook-schemes");

    if (schemes != NULL && !uri_schemes_are_valid(schemes))
        return ctl_fail_usage("--webhook-schemes: " URI_SCHEMES_RULE);
    session->rules.schemes = schemes;
    session->rules.is_strict = value_of(session, "strict") != NULL;
    return CTL_OK;
}

/* Nothing is opened if the store's options are wrong. */
static enum ctl_exit
check_store(struct ctl_session *session)
{
    if (session->command->needs.store != CTL_STORE)
        return CTL_OK;
    return ctl_store_check_options(session->values);
}

static enum ctl_exit
open_secrets(struct ctl_session *session)
{
    switch (session->command->needs.secrets) {
    case CTL_SECRETS_TO_REVEAL:
        if (value_of(session, "reveal") == NULL)
            return CTL_OK;
        break;
    case CTL_SECRETS:
        break;
    default:
        return CTL_OK;
    }
    return ctl_secrets_open(value_of(session, "secret-keys"),
                            &session->secrets);
}

static enum ctl_exit
open_store(struct ctl_session *session)
{
    if (session->command->needs.store != CTL_STORE)
        return CTL_OK;
    return ctl_store_open(session->values, CTL_STORE_IS_THERE, &session->store);
}

static enum err
note_record(void *ctx, const char *tenant, const char *key,
            const struct record *record)
{
    bool *is_there = ctx;

    (void)tenant;
    (void)key;
    (void)record;
    *is_there = true;
    return ERR_NOTFOUND; /* one is enough */
}

/* Says so if the store has never had anything of the tenant. */
static enum ctl_exit
check_tenant(struct ctl_session *session)
{
    const char *tenant = session->setting.tenant;
    bool is_there = false;
    enum err err;

    if (session->command->needs.tenant != CTL_TENANT_STORED || tenant == NULL)
        return CTL_OK;
    err = store_list(session->store, tenant, note_record, &is_there);
    if (is_there)
        return CTL_OK;
    if (err != ERR_OK)
        return ctl_fail_store(err);
    return ctl_fail("%s: there is no such tenant in the store", tenant);
}

/* One after the other, until one fails. */
static enum ctl_exit
go_through(struct ctl_session *session, stage_fn *const *stages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum ctl_exit status = stages[i](session);

        if (status != CTL_OK)
            return status;
    }
    return CTL_OK;
}

enum ctl_exit
ctl_session_run(const struct ctl_command *command, const char **values,
                const char *const *operands)
{
    static stage_fn *const stages[] = {read_tenant, read_key, read_base,
                                       read_author, read_rules};
    struct ctl_session session = {
        .command = command,
        .values = values,
        .operands = operands,
        .base = STORE_ANY_VERSION,
    };
    enum ctl_exit status = go_through(&session, stages, ARRAY_SIZE(stages));

    if (status == CTL_OK) /* what it opened is closed in any case */
        status = command->run(&session);
    store_close(session.store);
    key_ring_close(session.secrets);
    return status;
}

enum ctl_exit
ctl_session_open(struct ctl_session *session)
{
    static stage_fn *const stages[] = {check_store, open_secrets, open_store,
                                       check_tenant};

    return go_through(session, stages, ARRAY_SIZE(stages));
}

enum ctl_exit
ctl_session_open_store(struct ctl_session *session, enum ctl_store_mode mode)
{
    assert(session->command->needs.store == CTL_STORE_LATER);
    if (session->store != NULL)
        return CTL_OK;
    return ctl_store_open(session->values, mode, &session->store);
}

struct seal
ctl_session_seal(const struct ctl_session *session)
{
    return ctl_seal_of(&session->setting, session->secrets);
}

struct ctl_change
ctl_session_change(const struct ctl_session *session)
{
    return (struct ctl_change){
        .author = session->author,
        .base = session->base,
        .is_validate_only = value_of(session, "validate-only") != NULL,
        .is_json = value_of(session, "json") != NULL,
        .secrets = session->secrets,
        .is_logged = ctl_store_is_logged(session->values),
    };
}
