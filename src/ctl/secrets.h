// SPDX-License-Identifier: MIT
/* The secrets within settings, as the commands show and store them. */
#ifndef CTL_SECRETS_H
#define CTL_SECRETS_H

#include "ctl/command.h"
#include "model/seal.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of a table of options. */
#define CTL_SECRET_KEYS_ROW(need_)                                             \
    {                                                                          \
        .name = "secret-keys", .argument = "FILE",                             \
        .env = "ORDERCONF_SECRET_KEYS",                                        \
        .help = "key set that secrets are encrypted with", .need = (need_)     \
    }
#define CTL_REVEAL_ROW                                                         \
    {                                                                          \
        .name = "reveal", .help = "show secrets, rather than " SEAL_MASK       \
    }

/* Reads the value of --secret-keys; NULL in *secrets_out if it is not set. Says
 * so if it cannot be used. */
enum ctl_exit ctl_secrets_open(const char *path, struct secrets **secrets_out);

/* Says why a secret cannot be opened. */
enum ctl_exit ctl_fail_sealed(const struct seal *seal, uint64_t version,
                              const struct seal_fault *fault);

/* Opens the secret in what is stored, in place; or masks it. A record without
 * a value, or of a key without a secret, stays as it is. Says so if it cannot
 * be opened. */
enum ctl_exit ctl_open_record(const struct seal *seal, struct record *record);
enum ctl_exit ctl_mask_record(const struct seal *seal, struct record *record);

/* The one if is_revealed, else the other. */
enum ctl_exit ctl_show_record(const struct seal *seal, bool is_revealed,
                              struct record *record);

/* The value as it is to be stored beside what is current; from malloc. If it
 * has the mask in place of its secret, and keeps_secret, the current one takes
 * that place. Says so if there is none, or it would go to another server (see
 * seal_keep), or it cannot be opened, or if an encrypted one would be replaced
 * by one in the clear. */
enum ctl_exit ctl_seal_value(const struct seal *seal, const char *value,
                             bool keeps_secret, struct record *current,
                             char **sealed_out, bool *is_kept_out);

#endif
