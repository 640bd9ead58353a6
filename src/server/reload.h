// SPDX-License-Identifier: MIT
/*
 * The settings that workers are started with, and how a reload changes them.
 * They go back to what they were if no worker can work with them.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "conf/settings.h"

#define RELOAD_SAID_SIZE (ARGS_WHY_SIZE + 64)

struct reload {
    const struct settings *first; /* those of the start; borrowed */
    char **arguments;             /* of the program, to be read again */
    struct settings settings;     /* those of now */
    struct settings proven;       /* those before, while is_proven is false */
    bool is_proven;               /* a worker is ready with those of now */
};

/* Cleared by reload_clear, before first and arguments are gone. */
void reload_init(struct reload *reload, const struct settings *first,
                 char **arguments);
void reload_clear(struct reload *reload);

/* Reads the settings again (see options_reload), and logs what it cannot apply:
 * said is the same for a person, or "". False if they are wrong: it has logged
 * why, which is said, and nothing changed. */
bool reload_read(struct reload *reload, char said[RELOAD_SAID_SIZE]);

/* Puts those of now into the environment, for a worker: call it where that is
 * to be, not in the supervisor, which reads its own environment again. False on
 * no memory. */
bool reload_export(const struct reload *reload);

/* A worker that was started with those of now became ready. */
void reload_prove(struct reload *reload);

/* It did not: those of before are those of now again, unless another one has,
 * and the log says so. */
void reload_go_back(struct reload *reload);

#endif
