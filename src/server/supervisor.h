// SPDX-License-Identifier: MIT
/* Keeps a number of workers on one listening socket. */
#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

struct settings;

/*
 * Runs settings->workers workers on listen_fd: this program again, with the
 * socket as fd 0, and the settings in its environment alone, so that all
 * workers agree. Opens no store and no thread.
 *
 * A worker that dies is replaced. SIGHUP reads the settings again, as
 * options_reload does with the program's arguments, and replaces the workers
 * one by one, each once its successor is ready, so that a program or setting
 * that was changed takes effect without a lost request. With settings that are
 * wrong, or that the first successor cannot work with, everything stays as it
 * is. SIGTERM, SIGINT: lets them answer what they accepted, and returns the
 * exit status.
 */
int supervisor_run(int listen_fd, const struct settings *settings,
                   char **arguments);

#endif
