// SPDX-License-Identifier: MIT
/*
 * Asks for a tenant's key set to be fetched again: a provider signs with a key
 * that is not in it yet. The service has no network, so it touches a file that
 * systemd watches (orderconf-keys@.path).
 */
#ifndef AUTH_WANTED_H
#define AUTH_WANTED_H

#include <stdint.h>

/* Touches wanted/TENANT in dir, unless any process has done so within a minute;
 * now is in seconds since the epoch. What fails is logged once. */
void wanted_ask(const char *dir, const char *tenant, int64_t now);

#endif
