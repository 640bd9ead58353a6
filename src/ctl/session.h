// SPDX-License-Identifier: MIT
/*
 * A run of a command: what its row says it needs (see struct ctl_needs), read
 * and opened in one place, and closed there.
 */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H

#include "ctl/command.h"
#include "ctl/setting.h"
#include "ctl/store.h"
#include "model/seal.h"
#include "store/store.h"

#include <stdint.h>

/* What the command does not need, or was not given, is NULL or 0. */
struct ctl_session {
    const struct ctl_command *command;
    const char **values;         /* by the order of the command's options; NULL
                                    if it is not set, "" is a flag that is */
    const char *const *operands; /* ended by NULL */

    /* read before the command runs */
    struct ctl_setting setting; /* the tenant, and the key */
    uint64_t base;              /* or STORE_ANY_VERSION */
    struct ctl_author author;
    struct config_rules rules; /* what a value that is stored is held to */

    /* opened by ctl_session_open; owned */
    struct key_ring *secrets; /* NULL, too: there is no --secret-keys */
    struct store *store;
};

/* Reads what the command needs, runs it, and closes what it opened. */
enum ctl_exit ctl_session_run(const struct ctl_command *command,
                              const char **values, const char *const *operands);

/* Opens what the command needs: the secrets, then the store. The command calls
 * it when it has read its own options and operands, so that a mistake in those
 * is said first. Says what cannot be opened. */
enum ctl_exit ctl_session_open(struct ctl_session *session);

/* Opens the store of a command that needs it CTL_STORE_LATER, unless it is
 * open. Says so if it cannot. */
enum ctl_exit ctl_session_open_store(struct ctl_session *session,
                                     enum ctl_store_mode mode);

/* What opens and seals the secret of the setting. */
struct seal ctl_session_seal(const struct ctl_session *session);

/* The change of the setting that the options ask for. */
struct ctl_change ctl_session_change(const struct ctl_session *session);

#endif
