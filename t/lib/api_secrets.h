// SPDX-License-Identifier: MIT
/* The webhook's secret, as the handlers' tests ask for it: an api with one key,
 * and what it must answer. */
#ifndef API_SECRETS_H
#define API_SECRETS_H

#include "api/exchange.h"

#define KEY "external_order_webhook"
#define HOOK(secret)                                                           \
    "{\"url\":\"https://a.example\",\"api_key\":\"" secret "\",\"timeout\":"   \
    "15}"
#define BODY(secret) "{\"value\":" HOOK(secret) "}"
#define UNREADABLE KEY ": the stored api_key cannot be read, see the log"

/* A suite's .init and .fini. */
void api_secrets_set_up(void);

void api_secrets_tear_down(void);

/* Other keys for the api from now on, see ring_make; NULL: none. */
void use_keys(const char *kids);

/* What the store itself holds of acme, in all versions; from malloc. */
char *stored_text(void);

/* The answer's text has this part, or has it not. */
void expect_part(const char *part, bool is_there);

/* Every way to read it shows this. */
void expect_reads(const char *secret, bool is_masked);

#endif
