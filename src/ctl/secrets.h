// SPDX-License-Identifier: MIT
/* The secrets within settings, as the commands show and store them. */
#ifndef CTL_SECRETS_H
#define CTL_SECRETS_H

#include "ctl/command.h"
#include "setting/change.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of a table of options. */
#define CTL_SECRET_KEYS_ROW(need_)                                             \
    {                                                                          \
        .name = "secret-keys", .argument = "FILE",                             \
        .env = "ORDERCONF_SECRET_KEYS",                                        \
        .help = "key set that encrypts secrets", .need = (need_)               \
    }
#define CTL_REVEAL_ROW                                                         \
    {                                                                          \
        .name = "reveal", .help = "show secrets, rather than " SEAL_MASK       \
    }

/* Reads the value of --secret-keys; NULL in *secrets_out if it is not set. Says
 * so if it cannot be used. */
enum ctl_exit ctl_secrets_open(const char *path, struct key_ring **secrets_out);

/* Says why a secret cannot be opened. */
enum ctl_exit ctl_fail_sealed(const struct seal *seal, uint64_t version,
                              const struct seal_fault *fault);

/* Shows the secret in what is stored, in place: opened if is_revealed, else
 * masked. Says so if it cannot be. */
enum ctl_exit ctl_show_record(const struct seal *seal, bool is_revealed,
                              struct record *record);

#endif
