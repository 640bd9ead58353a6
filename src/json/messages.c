// SPDX-License-Identifier: MIT
#include "json/messages.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Characters of a client's member name that a message shows. */
#define NAME_SHOWN_MAX 64

enum err
messages_add(json_t *messages, const char *format, ...)
{
    json_t *message;
    va_list args;

    va_start(args, format);
    message = json_vsprintf(format, args);
    va_end(args);
    if (json_array_append_new(messages, message) < 0)
        return ERR_NOMEM;
    return ERR_INVALID;
}

enum err
messages_add_unknown(json_t *messages, const char *path, const char *name)
{
    char shown[NAME_SHOWN_MAX + 1];
    size_t len = 0;
    bool is_plain = *name != '\0';

    for (; name[len] != '\0' && len < NAME_SHOWN_MAX; len++) {
        bool is_shown = name[len] >= ' ' && name[len] <= '~' &&
                        name[len] != '"' && name[len] != '\\';

        is_plain = is_plain && is_shown && strchr(" .[]:", name[len]) == NULL;
        shown[len] = is_shown ? name[len] : '?';
    }
    shown[len] = '\0';
    if (is_plain && name[len] == '\0')
        return messages_add(messages, "%s%s%s: is not a known member", path,
                            *path != '\0' ? "." : "", shown);
    return messages_add(messages, "%s[\"%s%s\"]: is not a known member", path,
                        shown, name[len] != '\0' ? "..." : "");
}
