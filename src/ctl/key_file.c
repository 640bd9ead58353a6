// SPDX-License-Identifier: MIT
#include "ctl/key_file.h"

#include "base/file.h"
#include "base/util.h"
#include "json/decode.h"

#define FILE_BYTES_MAX ((size_t)256 * 1024)

enum ctl_exit
ctl_key_read(const char *path, json_t **object_out)
{
    auto_char *text = malloc(FILE_BYTES_MAX + 1);
    struct decode_fault fault;
    json_t *object = NULL;
    struct file_id id;
    const char *why;
    size_t len = 0;
    enum err err;

    if (text == NULL)
        return ctl_fail("out of memory");
    why = file_read(path, text, FILE_BYTES_MAX + 1, &len, &id);
    if (why != NULL)
        return ctl_fail("%s: %s", path, why);
    if (len > FILE_BYTES_MAX)
        return ctl_fail("%s: is larger than %zu bytes", path, FILE_BYTES_MAX);
    err = decode_json(text, len, &object, &fault);
    if (err != ERR_OK || !json_is_object(object)) {
        json_decref(object);
        if (err == ERR_OK)
            return ctl_fail("%s: is not a JSON object", path);
        return ctl_fail("%s:%zu:%zu: %s", path, fault.line, fault.column,
                        fault.text);
    }
    *object_out = object;
    return CTL_OK;
}
