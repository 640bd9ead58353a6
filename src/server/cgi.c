// SPDX-License-Identifier: MIT
#include "server/cgi.h"

#include "api/exchange.h"
#include "api/route.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How much to read. A body that came in chunks has no length; then, and only
 * then, the server closes its end behind it. */
static int64_t
body_length(const struct request *request)
{
    const char *coding = getenv("HTTP_TRANSFER_ENCODING");

    if (request->content_length < 0 && coding != NULL && *coding != '\0')
        return INT64_MAX;
    return request->content_length;
}

/*
 * Reads the whole body, whatever comes of the request: a server that is still
 * sending would take a closed pipe for a crash. Not a byte more, because the
 * server need not close its end (RFC 3875, section 4.2). Keeps one byte more
 * than a body may have.
 */
static bool
read_body(struct buf *body, int64_t left)
{
    char bytes[8192];
    bool is_kept = true;

    while (left > 0) {
        size_t want =
            left < (int64_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);
        size_t room = HTTP_BODY_MAX + 1 - body->len;
        ssize_t len = read(STDIN_FILENO, bytes, want);

        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            break; /* the handler sees that the body is too short */
        left -= len;
        is_kept = is_kept &&
                  buf_add(body, bytes, (size_t)len < room ? (size_t)len : room);
    }
    return is_kept;
}

static bool
print_response(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    char head[RESPONSE_HEAD_MAX];
    size_t head_len = response_head(response, &exchange->request, head);

    return write_bytes(STDOUT_FILENO, head, head_len) &&
           (exchange->request.method == HTTP_HEAD ||
            write_bytes(STDOUT_FILENO, response->body, response->body_len));
}

int
cgi_run(struct api *api)
{
    struct exchange exchange = {0};
    struct buf body = {0};
    enum err err = request_init(&exchange.request, environ);
    bool is_read, is_printed;

    is_read = read_body(&body, body_length(&exchange.request));
    exchange.request.body = body.len > 0 ? body.data : "";
    exchange.request.body_len = body.len;
    if (!is_read || err != ERR_OK)
        route_refuse(&exchange, ERR_NOMEM);
    else
        route_serve_here(api, &exchange);
    is_printed = print_response(&exchange);
    close(STDOUT_FILENO); /* the log may take longer; nobody is to wait */
    exchange_clear(&exchange);
    buf_clear(&body);
    return is_printed ? 0 : 1;
}
