// SPDX-License-Identifier: MIT
/* The functions of model/seal for values as text. */
#ifndef SEAL_TEXT_H
#define SEAL_TEXT_H

#include "model/seal.h"

#define HOOK "external_order_webhook"
#define VALUE                                                                  \
    "{\"url\":\"https://a.example/\",\"api_key\":\"s3cr\\u0022et\\u00e9\","    \
    "\"timeout\":-3}"
#define CANONICAL                                                              \
    "{\"url\":\"https://a.example/\",\"api_key\":\"s3cr\\\"et\xc3\xa9\","      \
    "\"timeout\":-3}"
#define MASKED                                                                 \
    "{\"url\":\"https://a.example/\",\"api_key\":\"********\",\"timeout\":-3}"

/* The seal of a tenant's key, by name. */
struct seal seal_of(const struct key_ring *secrets, const char *tenant,
                    const char *key);

/* Encodes the value if err is ERR_OK, and drops it in any case. As err. */
enum err finish(const struct config_key *key, enum err err, json_t *json,
                char **text_out);

/* seal_close and its like, for a text that is decoded and encoded again. What
 * they make is from malloc, for seal_free. */
enum err text_close(const struct seal *seal, const char *value, size_t len,
                    char **text_out);
enum err text_open(const struct seal *seal, const char *stored, size_t len,
                   char **text_out, struct seal_fault *fault_out);
enum err text_renew(const struct seal *seal, const char *stored, size_t len,
                    char **text_out, struct seal_fault *fault_out);
enum err text_mask(const struct config_key *key, const char *value, size_t len,
                   char **text_out);
enum err text_is_masked(const struct config_key *key, const char *value,
                        size_t len, bool *is_masked_out);
enum err text_keep(const struct config_key *key, const char *value, size_t len,
                   const char *from, size_t from_len, char **text_out);

/* The value as it is stored, from malloc; it must be possible. */
char *sealed(const struct seal *seal, const char *value);

#endif
