// SPDX-License-Identifier: MIT
/* The secret within a value: sealed in the store, shown to those who may. */
#ifndef API_SECRET_H
#define API_SECRET_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct config_key;
struct exchange;
struct record;

/* What is stored, in its place the value that it stands for; and as the token
 * may see it. ERR_SEALED: the log says why it cannot be. ERR_NOMEM. */
enum err api_open_record(const struct api *api, const struct exchange *exchange,
                         const struct config_key *key, struct record *record);
enum err api_show_record(const struct api *api, const struct exchange *exchange,
                         const struct config_key *key, struct record *record);

/* The answer to either's failure. */
void api_respond_unreadable(struct exchange *exchange,
                            const struct config_key *key, enum err err);

/* If exchange->value has the mask in place of its secret, puts the current one
 * there, which is opened for that. False: the response is made. */
bool api_keep_secret(const struct api *api, struct exchange *exchange,
                     struct record *current);

/* Makes exchange->sealed, if there is a secret in the value and a key to seal
 * it with. Without keys, current must not be sealed. False: the response is
 * made. */
bool api_seal_value(const struct api *api, struct exchange *exchange,
                    struct record *current);

/* 200 with exchange->value, as the token may see it. */
void api_respond_written_value(struct exchange *exchange, int64_t updated_at);

#endif
