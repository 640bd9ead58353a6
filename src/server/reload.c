// SPDX-License-Identifier: MIT
#include "server/reload.h"

#include "base/log.h"
#include "server/options.h"

#include <stdio.h>

void
reload_init(struct reload *reload, const struct settings *first,
            char **arguments)
{
    *reload = (struct reload){
        .first = first,
        .arguments = arguments,
        .settings = *first,
        .is_proven = true, /* there is nothing to go back to */
    };
    reload->settings.file = (struct args_file){0}; /* it is the caller's */
}

void
reload_clear(struct reload *reload)
{
    if (!reload->is_proven)
        options_clear(&reload->proven);
    options_clear(&reload->settings);
}

bool
reload_read(struct reload *reload, char said[RELOAD_SAID_SIZE])
{
    char why[ARGS_WHY_SIZE], unapplied[ARGS_WHY_SIZE];
    struct settings settings;

    if (!options_reload(reload->first, reload->arguments, &settings, unapplied,
                        why)) {
        log_event(LOG_LEVEL_ERR, "settings_refused", LOG_TEXT("reason", why));
        snprintf(said, RELOAD_SAID_SIZE, "the settings are refused: %s", why);
        return false;
    }
    *said = '\0';
    if (*unapplied != '\0') {
        log_event(LOG_LEVEL_WARNING, "restart_needed",
                  LOG_TEXT("settings", unapplied));
        snprintf(said, RELOAD_SAID_SIZE, "a restart is needed for: %s",
                 unapplied);
    }
    if (reload->is_proven)
        reload->proven = reload->settings;
    else
        options_clear(&reload->settings);
    reload->settings = settings;
    reload->is_proven = false;
    return true;
}

bool
reload_export(const struct reload *reload)
{
    struct settings told = reload->settings;

    told.listen = NULL; /* a worker has its socket as fd 0 */
    return options_export(&told);
}

void
reload_prove(struct reload *reload)
{
    if (reload->is_proven)
        return;
    options_clear(&reload->proven);
    reload->is_proven = true;
}

void
reload_go_back(struct reload *reload)
{
    if (reload->is_proven)
        return;
    options_clear(&reload->settings);
    reload->settings = reload->proven;
    reload->is_proven = true;
    log_event(LOG_LEVEL_WARNING, "settings_kept",
              LOG_TEXT("reason", "no worker became ready with the new "
                                 "settings"));
}
