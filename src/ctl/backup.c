// SPDX-License-Identifier: MIT
/* orderconf backup: a copy of the store while it is in use. */
#include "base/file.h"
#include "base/number.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/interrupt.h"
#include "ctl/leftovers.h"
#include "ctl/print.h"
#include "ctl/progress.h"
#include "ctl/session.h"
#include "ctl/store.h"
#include "json/text.h"
#include "store/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define DIR_MODE 0750
#define NICE 10

/* How long a backup rests for what it has worked. */
#define REST_FOR_WORK 3

enum { JSON = CTL_STORE_OPTIONS, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [JSON] = CTL_JSON_ROW,
};

/* A copy on its way. */
struct copying {
    struct progress bar;
    uint64_t since; /* in ns: when it went on */
};

/* Writers have the disk and the processors to themselves for most of the time:
 * what is copied at once takes some milliseconds. */
static void
rest(struct copying *copying)
{
    uint64_t ns = (now_ns() - copying->since) * REST_FOR_WORK;
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};

    (void)nanosleep(&time, NULL); /* an interruption is asked for */
    copying->since = now_ns();
}

static enum err
show(void *ctx, uint64_t done, uint64_t total)
{
    struct copying *copying = ctx;

    copying->bar.total = total;
    progress_update(&copying->bar, done);
    if (done < total)
        rest(copying);
    return ctl_interrupt_came() ? ERR_BUSY : ERR_OK;
}

static enum ctl_exit
copy(struct store *store, const char *dir, struct store_copied *copied_out)
{
    char why[512];
    struct copying copying = {.since = now_ns()};
    enum err err;

    progress_start(&copying.bar, STDERR_FILENO, "backup", 0);
    err = store_copy(store, dir, show, &copying, copied_out, why, sizeof(why));
    progress_end(&copying.bar);
    if (err == ERR_OK)
        return CTL_OK;
    if (ctl_interrupt_came())
        return ctl_fail("interrupted; there is no copy");
    return *why != '\0' ? ctl_fail("%s", why) : ctl_fail_store(err);
}

/* Renames it, unless something else has appeared there. */
static bool
put_in_place(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    /* Not every file system can promise that. */
    return (errno == EINVAL || errno == ENOSYS) && rename(from, to) == 0;
}

static enum ctl_exit
finish(const char *db, const char *dir, const char *dest)
{
    const char *why;

    if (chmod(dir, DIR_MODE) != 0 || !store_copy_give(dir, db) ||
        !put_in_place(dir, dest))
        return ctl_fail("%s: %s", dest, strerror(errno));
    why = file_sync_parent(dest);
    return why == NULL ? CTL_OK : ctl_fail("%s: %s", dest, why);
}

/* Leaves the copy at dest, or nothing. */
static enum ctl_exit
back_up(struct store *store, const char *db, const char *dest,
        struct store_copied *copied_out)
{
    auto_char *dir = NULL;
    auto_fd lock = -1;
    enum ctl_exit status;

    if (asprintf(&dir, "%s" LEFTOVERS_SUFFIX, dest) < 0) {
        dir = NULL;
        return ctl_fail("out of memory");
    }
    leftovers_tell(dest);
    if (mkdtemp(dir) == NULL)
        return ctl_fail("%s: %s", dest, strerror(errno));
    lock = leftovers_claim(dir);
    status = copy(store, dir, copied_out);
    if (status == CTL_OK)
        status = finish(db, dir, dest);
    if (status != CTL_OK)
        store_copy_remove(dir);
    return status;
}

static enum ctl_exit
print(const char *const *values, const char *dest,
      const struct store_copied *copied)
{
    struct buf json = {0};
    bool is_complete;

    if (values[JSON] == NULL) {
        printf("%s: %llu setting%s, %llu version%s, %llu byte%s\n", dest,
               (unsigned long long)copied->records,
               number_ending(copied->records),
               (unsigned long long)copied->versions,
               number_ending(copied->versions),
               (unsigned long long)copied->bytes, number_ending(copied->bytes));
        return CTL_OK;
    }
    is_complete = json_text_add(&json, "{\"path\":") &&
                  json_text_add_string(&json, dest) &&
                  json_text_add(&json, ",\"records\":") &&
                  json_text_add_number(&json, copied->records) &&
                  json_text_add(&json, ",\"versions\":") &&
                  json_text_add_number(&json, copied->versions) &&
                  json_text_add(&json, ",\"bytes\":") &&
                  json_text_add_number(&json, copied->bytes) &&
                  json_text_add(&json, "}");
    return ctl_print_json(&json, is_complete);
}

/* The operand, without slashes at its end; from malloc. */
static enum ctl_exit
read_dest(const char *operand, char **dest_out)
{
    size_t len;
    struct stat there;
    char *dest;

    if (operand == NULL || *operand == '\0')
        return ctl_fail_usage("where to? see --help");
    len = strlen(operand);
    while (len > 1 && operand[len - 1] == '/')
        len--;
    if (lstat(operand, &there) == 0)
        return ctl_fail("%s: exists, and nothing is overwritten", operand);
    dest = strndup(operand, len);
    if (dest == NULL)
        return ctl_fail("out of memory");
    *dest_out = dest;
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *db = session->values[CTL_DB];
    auto_char *dest = NULL;
    struct store_copied copied;
    enum ctl_exit status = read_dest(session->operands[0], &dest);

    if (status != CTL_OK)
        return status;
    status = ctl_session_open(session);
    if (status != CTL_OK)
        return status;
    ctl_interrupt_catch();
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* workers first, if it can be */
    status = back_up(session->store, db, dest, &copied);
    if (status != CTL_OK)
        return status;
    return print(session->values, dest, &copied);
}

const struct ctl_command ctl_backup = {
    .name = "backup",
    .operands = "DIR",
    .operands_max = 1,
    .summary = "Copies the store while it is in use",
    .details = "DIR must not exist. It appears when the copy is complete, on "
               "disk, and has been\n"
               "compared with its original. It holds all that was stored "
               "before the backup\n"
               "began, from one moment, without free space. To restore it, "
               "stop the service,\n"
               "move DIR to the place of the store, and start the service.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.store = CTL_STORE},
    .run = run,
};
