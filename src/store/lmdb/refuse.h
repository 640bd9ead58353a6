// SPDX-License-Identifier: MIT
/* Why a data file cannot be made or opened, where LMDB says it by a number. */
#ifndef STORE_LMDB_REFUSE_H
#define STORE_LMDB_REFUSE_H

#include "base/err.h"

#include <stddef.h>

/* Says in why what LMDB's error rc kept from being done: what was ("could not
 * open store"), where, and with a map of which size (0: no matter). Returns
 * ERR_STORE, or for EAGAIN ERR_BUSY: see store_open. */
enum err lmdb_refuse(const char *what, const char *path, size_t map_size,
                     int rc, char *why, size_t why_size);

#endif
