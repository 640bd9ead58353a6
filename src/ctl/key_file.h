// SPDX-License-Identifier: MIT
/* Files that hold a key or a key set. */
#ifndef CTL_KEY_FILE_H
#define CTL_KEY_FILE_H

#include "ctl/command.h"

#include <jansson.h>

/* Reads the object in a JSON file; says so if there is none. */
enum ctl_exit ctl_key_read(const char *path, json_t **object_out);

#endif
