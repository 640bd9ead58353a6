// SPDX-License-Identifier: MIT
/* The secret within a value, as the token of an exchange may see it; what is
 * said, and logged, of one that cannot be. */
#ifndef API_SECRET_H
#define API_SECRET_H

#include "base/err.h"
#include "model/seal.h"

#include <stdint.h>

struct api;
struct config_key;
struct exchange;
struct record;

/* What opens and seals the key's secret. */
struct seal api_seal_of(const struct api *api, const struct exchange *exchange,
                        const struct config_key *key);

/* The value of a record that is set, as the token may see it: from malloc, for
 * seal_free; or in place. ERR_SEALED: the log says why it cannot be. */
enum err api_show_value(const struct api *api, const struct exchange *exchange,
                        const struct config_key *key,
                        const struct record *record, char **text_out);
enum err api_show_record(const struct api *api, const struct exchange *exchange,
                         const struct config_key *key, struct record *record);

/* Answers with the error that kept a value of key from being read or stored:
 * ERR_SEALED by the name of the secret, any other as it is. */
void api_respond_failed(struct exchange *exchange, const struct config_key *key,
                        enum err err);

/* The answer to a version that cannot be made into another one, or be
 * replaced: change_make has failed, or setting_check_old with ERR_SEALED. */
void api_respond_not_made(struct exchange *exchange, enum err err,
                          uint64_t version, const struct seal_fault *fault);

#endif
