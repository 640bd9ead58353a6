// SPDX-License-Identifier: MIT
#include "server/fcgi.h"

#include "http/http.h"
#include "server/fcgi_os.h"
#include "server/fcgi_record.h"

#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>

/* All memory that is ours, before libfcgi is asked. */
static bool
prepare(struct fcgi *fcgi)
{
    if (fcgi->app == NULL) {
        fcgi->app = malloc(sizeof(*fcgi->app));
        if (fcgi->app == NULL)
            return false;
        FCGX_InitRequest(fcgi->app, 0, 0);
    }
    if (fcgi->scan.body_len > 0)
        fcgi->body = malloc(fcgi->scan.body_len);
    return fcgi->scan.body_len == 0 || fcgi->body != NULL;
}

/* Lets libfcgi read the whole request, and then lets go of what it has read it
 * with: the request may wait for its write. */
static bool
accept_request(struct fcgi *fcgi)
{
    struct buf *records = &fcgi->scan.request;
    int body_len = (int)fcgi->scan.body_len;
    struct fcgi_os os = {.in = records->data, .in_len = records->len};
    bool is_read;

    fcgi_os_use(&os);
    is_read = FCGX_Init() == 0 && FCGX_Accept_r(fcgi->app) == 0 &&
              FCGX_GetStr(fcgi->body, body_len, fcgi->app->in) == body_len;
    fcgi_os_use(NULL);
    FCGX_FreeStream(&fcgi->app->in);
    buf_clear(records);
    return is_read;
}

enum err
fcgi_request(struct fcgi *fcgi, struct request *request)
{
    if (!prepare(fcgi))
        return ERR_NOMEM;
    if (!accept_request(fcgi))
        return ERR_BADREQ;
    if (request_init(request, fcgi->app->envp) != ERR_OK)
        return ERR_NOMEM;
    request->body = fcgi->body != NULL ? fcgi->body : "";
    request->body_len = fcgi->scan.body_len;
    return ERR_OK;
}

bool
fcgi_respond(struct fcgi *fcgi, const struct request *request,
             const struct response *response, struct buf *out)
{
    FCGX_Request *app = fcgi->app;
    struct fcgi_os os = {.out = out};
    char head[RESPONSE_HEAD_MAX];
    int head_len = (int)response_head(response, request, head);
    int body_len = request->method == HTTP_HEAD ? 0 : (int)response->body_len;
    bool is_written;

    fcgi_os_use(&os);
    /* Closed here and not by FCGX_Finish_r, which does not say whether the last
     * of it was written. The stream that is closed last ends the request. */
    is_written = FCGX_PutStr(head, head_len, app->out) == head_len &&
                 FCGX_PutStr(response->body, body_len, app->out) == body_len &&
                 FCGX_FClose(app->err) == 0 && FCGX_FClose(app->out) == 0;
    fcgi_os_use(NULL);
    return is_written;
}

bool
fcgi_refuse(const struct fcgi *fcgi, const struct request *request,
            const struct response *response, struct buf *out)
{
    uint16_t id = fcgi->scan.id;
    char head[RESPONSE_HEAD_MAX];
    size_t head_len = response_head(response, request, head);
    size_t body_len = request->method == HTTP_HEAD ? 0 : response->body_len;

    return fcgi_record_add_header(out, FCGI_STDOUT, id, head_len + body_len,
                                  0) &&
           buf_add(out, head, head_len) &&
           buf_add(out, response->body, body_len) &&
           fcgi_record_add(out, FCGI_STDOUT, id, NULL, 0) &&
           fcgi_record_add_end(out, id, FCGI_REQUEST_COMPLETE);
}

void
fcgi_next(struct fcgi *fcgi)
{
    /* Its reading stream is gone, so that nothing is written any more. */
    FCGX_Finish_r(fcgi->app);
    if (fcgi->body != NULL) /* there may be a secret in it */
        explicit_bzero(fcgi->body, fcgi->scan.body_len);
    free(fcgi->body);
    fcgi->body = NULL;
    fcgi_scan_next(&fcgi->scan);
}

void
fcgi_clear(struct fcgi *fcgi)
{
    fcgi_next(fcgi);
    fcgi_scan_clear(&fcgi->scan);
    free(fcgi->app);
    fcgi->app = NULL;
}
