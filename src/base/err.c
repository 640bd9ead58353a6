// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <assert.h>

static const char *const names[ERR_MAX] = {
    [ERR_OK] = "ok",
    [ERR_BADREQ] = "bad_request",
    [ERR_INVALID] = "validation_failed",
    [ERR_NOAUTH] = "unauthorized",
    [ERR_DENIED] = "forbidden",
    [ERR_NOTFOUND] = "not_found",
    [ERR_UNSET] = "config_not_set",
    [ERR_METHOD] = "method_not_allowed",
    [ERR_CONFLICT] = "concurrent_update_on_tenant_setting",
    [ERR_PRECOND] = "precondition_failed",
    [ERR_TIMEOUT] = "request_timeout",
    [ERR_TOOBIG] = "content_too_large",
    [ERR_MEDIA] = "unsupported_media_type",
    [ERR_FIELDS] = "headers_too_large",
    [ERR_NOMEM] = "out_of_memory",
    [ERR_BUSY] = "service_unavailable",
    [ERR_STORE] = "internal_server_error",
    [ERR_FULL] = "storage_full",
    [ERR_SEALED] = "secret_unreadable",
};

const char *
err_name(enum err err)
{
    assert(err < ERR_MAX);
    return names[err];
}

enum err
err_first(enum err err, enum err next)
{
    return err == ERR_OK || next == ERR_NOMEM ? next : err;
}
