// SPDX-License-Identifier: MIT
/* Files of key sets, and the jwks that reads them. */
#ifndef KEY_FILES_H
#define KEY_FILES_H

#include "auth/jwks.h"

/* Where the files are, as TENANT.json. */
extern char *dir;
extern struct jwks *jwks;

/* What find_key found last. */
extern const struct jwk *found;
extern uint64_t generation;

/* A suite's .init and .fini. */
void key_files_set_up(void);

void key_files_tear_down(void);

/* Waits until a file may have changed again, by its time. */
void settle(void);

/* As jwks_find, into found and generation. */
enum err find_key(const char *tenant, const char *kid, const char *alg);

/* Replaces the file by {"keys":[…]} of these JWKs, which are freed; next may be
 * NULL. */
void write_set(const char *name, char *jwk, char *next);

/* The same with one new EC key. */
void write_ec(const char *name, const char *kid);

/* How often the log has had the event for acme, with this reason in its line,
 * since the last call. */
int count_logged(const char *event, const char *reason);

#endif
