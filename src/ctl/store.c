// SPDX-License-Identifier: MIT
#include "ctl/store.h"

#include "base/args.h"
#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "store/open.h"

#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>

/* Before the name of a user, and how long that may be to fit behind it. */
#define PREFIX "cli:"
#define NAME_MAX_BYTES (AUTH_SUBJECT_MAX + 1 - sizeof(PREFIX))

/* Those that the service has, too. */
static const char *const variables[CTL_STORE_OPTIONS] = {
    [CTL_DB] = "ORDERCONF_DB",
    [CTL_MAP_SIZE] = "ORDERCONF_MAP_SIZE",
    [CTL_HISTORY] = "ORDERCONF_HISTORY",
    [CTL_SYSLOG] = "ORDERCONF_SYSLOG",
};

/* Those that are set; the others are 0, which leaves the store as it is. */
static enum ctl_exit
read_settings(const char *const *values, struct settings *settings_out)
{
    struct settings settings = {0};
    char why[ARGS_WHY_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        const struct args_row *row = settings_find(variables[i]);
        const char *value = values[i];

        if (i == CTL_SYSLOG && value != NULL)
            value = "yes"; /* a flag that is set is "" */
        if (value != NULL && !args_set(&settings, row, value, why))
            return ctl_fail_usage("--%s: %s", row->name, why);
    }
    *settings_out = settings;
    return CTL_OK;
}

/* Makes the effective user the directory's owner, and back again. */
static bool
become(uid_t user, gid_t group)
{
    if (user == 0)
        return seteuid(user) == 0 && setegid(group) == 0;
    return setegid(group) == 0 && seteuid(user) == 0;
}

/* As root, goes on as the owner of the directory, as long as *is_root_out says.
 */
static enum err
become_owner(const char *path, bool *is_root_out, char *why, size_t why_size)
{
    struct stat dir;
    gid_t group = getegid();

    *is_root_out = geteuid() == 0 && stat(path, &dir) == 0 && dir.st_uid != 0;
    if (!*is_root_out || become(dir.st_uid, dir.st_gid))
        return ERR_OK;
    snprintf(why, why_size, "could not become the owner of %s: %s", path,
             strerror(errno));
    (void)become(0, group);
    return ERR_STORE;
}

static enum err
open_as_owner(const struct store_options *options, struct store **store_out,
              char *why, size_t why_size)
{
    gid_t group = getegid();
    bool is_root;
    enum err err = become_owner(options->path, &is_root, why, why_size);

    if (err != ERR_OK)
        return err;
    do
        err = store_open(options, store_out, why, why_size);
    while (err == ERR_BUSY && process_renumber());
    if (is_root)
        (void)become(0, group); /* as the real user may */
    return err;
}

bool
ctl_store_is_there(const char *const *values)
{
    return store_exists(values[CTL_DB]);
}

enum ctl_exit
ctl_store_check_options(const char *const *values)
{
    struct settings settings;

    return read_settings(values, &settings);
}

enum ctl_exit
ctl_store_open(const char *const *values, enum ctl_store_mode mode,
               struct store **store_out)
{
    struct store_options store = {.must_exist = mode == CTL_STORE_IS_THERE};
    struct settings settings = {0};
    char why[ARGS_WHY_SIZE] = "out of memory";
    enum ctl_exit status = read_settings(values, &settings);

    if (status != CTL_OK)
        return status;
    log_open(settings.syslog);
    log_queue(LOG_BY_PATIENT_THREAD, NULL);
    store.path = settings.db;
    store.history = (uint64_t)settings.history;
    if (!store_exists(settings.db)) {
        if (store.must_exist)
            return ctl_fail("%s: there is no store in this directory",
                            settings.db);
        if (settings.map_size == 0)
            (void)args_set(&settings, settings_find("ORDERCONF_MAP_SIZE"),
                           STORE_MAP_SIZE_USUAL, why);
    }
    store.map_size = (size_t)settings.map_size;
    if (open_as_owner(&store, store_out, why, sizeof(why)) != ERR_OK)
        return ctl_fail("%s", why);
    return CTL_OK;
}

enum ctl_exit
ctl_store_check(const char *const *values, struct store_checked *checked_out)
{
    gid_t group = getegid();
    struct settings settings = {0};
    bool is_root;
    char why[512];
    enum ctl_exit status = read_settings(values, &settings);
    enum err err;

    if (status != CTL_OK)
        return status;
    if (!store_exists(settings.db))
        return ctl_fail("%s: there is no store in this directory", settings.db);
    err = become_owner(settings.db, &is_root, why, sizeof(why));
    if (err == ERR_OK) {
        do
            err = store_check(settings.db, checked_out, why, sizeof(why));
        while (err == ERR_BUSY && process_renumber());
        if (is_root)
            (void)become(0, group); /* as the real user may */
    }
    return err == ERR_OK ? CTL_OK : ctl_fail("%s", why);
}

bool
ctl_store_is_logged(const char *const *values)
{
    return values[CTL_SYSLOG] != NULL || !isatty(STDERR_FILENO);
}

enum ctl_exit
ctl_fail_store(enum err err)
{
    switch (err) {
    case ERR_NOMEM:
        return ctl_fail("out of memory");
    case ERR_BUSY:
        return ctl_fail("too many processes use the store");
    case ERR_FULL:
        return ctl_fail("the store is full, or its disk is");
    default:
        return ctl_fail("the store cannot be used; the log says why");
    }
}

/* True if a history can have it. */
static bool
is_name(const char *name)
{
    json_auto_t *text = json_string(name); /* NULL: it is not UTF-8 */

    return text != NULL && *name != '\0' && strlen(name) <= NAME_MAX_BYTES;
}

/* Who is logged in, whoever sudo made of them; else whose process it is, by
 * number if there is no name. False: there was no memory to find out. */
static bool
make_subject(char subject_out[AUTH_SUBJECT_MAX + 1])
{
    char name[NAME_MAX_BYTES + 1] = "";
    int rc = getlogin_r(name, sizeof(name));

    if (rc == ENOMEM)
        return false;
    if (rc != 0 || !is_name(name)) {
        const struct passwd *user;

        errno = 0;
        user = getpwuid(getuid());
        if (user == NULL && errno == ENOMEM)
            return false;
        if (user != NULL && is_name(user->pw_name))
            memcpy(name, user->pw_name, strlen(user->pw_name) + 1);
        else
            snprintf(name, sizeof(name), "%u", (unsigned int)getuid());
    }
    snprintf(subject_out, AUTH_SUBJECT_MAX + 1, PREFIX "%s", name);
    return true;
}

enum ctl_exit
ctl_author_init(const char *subject, struct ctl_author *author_out)
{
    struct ctl_author author;
    json_auto_t *text = NULL;

    if (subject == NULL) {
        if (!make_subject(author.subject))
            return ctl_fail("out of memory");
    } else {
        text = json_string(subject);
        if (text == NULL)
            return ctl_fail_usage("--subject: is not UTF-8");
        if (strlen(subject) > AUTH_SUBJECT_MAX)
            return ctl_fail_usage("--subject: must not be longer than %d bytes",
                                  AUTH_SUBJECT_MAX);
        memcpy(author.subject, subject, strlen(subject) + 1);
    }
    request_make_id(author.request_id);
    *author_out = author;
    return CTL_OK;
}
