// SPDX-License-Identifier: MIT
/* A write as most tests want it. */
#ifndef WRITE_OF_H
#define WRITE_OF_H

#include "store/judge.h"

/* A write of text ("": unset it) over whatever is there. */
struct store_write write_of(const char *tenant, const char *key,
                            const char *text);

#endif
