// SPDX-License-Identifier: MIT
/* Plain CGI (RFC 3875): one request from the environment and stdin. */
#ifndef CGI_H
#define CGI_H

struct api;

/*
 * Serves the request, commits its write if there is one, and prints the
 * response. With api NULL, answers that the service is not available; the
 * reason is the caller's to log. Returns the exit status.
 */
int cgi_run(struct api *api);

#endif
