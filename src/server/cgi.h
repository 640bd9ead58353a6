// SPDX-License-Identifier: MIT
/* Plain CGI (RFC 3875): one request from the environment and stdin. */
#ifndef SERVER_CGI_H
#define SERVER_CGI_H

struct api;

/*
 * Serves the request, commits its write if there is one, and prints the
 * response. Returns the exit status.
 */
int cgi_run(struct api *api);

#endif
