// SPDX-License-Identifier: MIT
#include "ctl/lines.h"

#include "base/util.h"

#include <errno.h>
#include <sys/stat.h>

#define CHUNK 65536

static enum ctl_exit
fail(const struct ctl_lines *lines)
{
    return ctl_fail("%s: %s", lines->name, strerror(errno));
}

/* Copies the rest of from to a file that has no name. */
static FILE *
spool(FILE *from)
{
    FILE *to = tmpfile();
    char chunk[CHUNK];
    size_t len;

    if (to == NULL)
        return NULL;
    while ((len = fread(chunk, 1, sizeof(chunk), from)) > 0) {
        if (fwrite(chunk, 1, len, to) != len)
            break;
    }
    if (ferror(from) || ferror(to) || fflush(to) != 0 ||
        fseeko(to, 0, SEEK_SET) != 0) {
        int error = errno;

        (void)fclose(to); /* it is of no use */
        errno = error;
        return NULL;
    }
    return to;
}

/* Opens the file, or what stands for it. NULL: errno says why. */
static FILE *
open_stream(const char *path, struct stat *stat_out)
{
    FILE *stream = path != NULL ? fopen(path, "re") : stdin;
    FILE *kept = NULL;

    if (stream == NULL || fstat(fileno(stream), stat_out) != 0)
        return NULL;
    if (S_ISREG(stat_out->st_mode) && path != NULL)
        return stream;
    if (S_ISDIR(stat_out->st_mode))
        errno = EISDIR;
    else
        kept = spool(stream);
    if (path != NULL) {
        int error = errno;

        (void)fclose(stream); /* it was only read */
        errno = error;
    }
    return kept == NULL || fstat(fileno(kept), stat_out) != 0 ? NULL : kept;
}

enum ctl_exit
ctl_lines_open(struct ctl_lines *lines, const char *path)
{
    struct stat stat;

    if (path != NULL && strcmp(path, "-") == 0)
        path = NULL;
    *lines = (struct ctl_lines){.name = path != NULL ? path : "standard input"};
    lines->stream = open_stream(path, &stat);
    if (lines->stream == NULL)
        return fail(lines);
    lines->size = (uint64_t)stat.st_size;
    if (!jsonl_open(&lines->jsonl, lines->stream)) {
        (void)fclose(lines->stream); /* it was only read */
        return ctl_fail("out of memory");
    }
    return CTL_OK;
}

void
ctl_lines_close(struct ctl_lines *lines)
{
    progress_end(&lines->bar);
    jsonl_close(&lines->jsonl);
    (void)fclose(lines->stream); /* it was only read */
}

enum ctl_exit
ctl_lines_rewind(struct ctl_lines *lines, const char *label)
{
    if (fseeko(lines->stream, 0, SEEK_SET) != 0)
        return fail(lines);
    lines->jsonl.number = lines->jsonl.offset = 0;
    lines->last = (struct jsonl_setting){.key = NULL};
    lines->misplaced = 0;
    progress_start(&lines->bar, STDERR_FILENO, label, lines->size);
    return CTL_OK;
}

static void
say(const struct ctl_lines *lines, const char *what)
{
    (void)ctl_fail("%s:%llu: %s", lines->name,
                   (unsigned long long)lines->jsonl.number, what);
}

/* Each line belongs behind the one before. */
static enum err
check_order(struct ctl_lines *lines, const struct jsonl_setting *setting)
{
    int order =
        lines->last.key == NULL ? -1 : jsonl_compare(&lines->last, setting);

    lines->misplaced += order > 0;
    if (order >= 0)
        progress_hide(&lines->bar);
    if (order == 0)
        (void)ctl_fail("%s:%llu: the same tenant and key as in line %llu",
                       lines->name, (unsigned long long)setting->line,
                       (unsigned long long)lines->last.line);
    else if (order > 0 && lines->misplaced == 1)
        (void)ctl_fail("%s:%llu: belongs before line %llu: by tenant, then by "
                       "key. If all lines are as export writes them, "
                       "LC_ALL=C sort puts them in order",
                       lines->name, (unsigned long long)setting->line,
                       (unsigned long long)lines->last.line);
    lines->last = *setting;
    lines->last.value = NULL;
    return order < 0 ? ERR_OK : ERR_INVALID;
}

static void
say_misplaced(struct ctl_lines *lines)
{
    progress_hide(&lines->bar);
    if (lines->misplaced > 1)
        (void)ctl_fail("%s: %llu lines are out of order", lines->name,
                       (unsigned long long)lines->misplaced);
    lines->misplaced = 0;
}

enum err
ctl_lines_read(struct ctl_lines *lines, struct jsonl_setting *setting_out)
{
    struct jsonl_setting setting = {.value = NULL};
    json_auto_t *messages = json_array();
    enum err err = ERR_NOMEM;

    if (messages != NULL)
        err = jsonl_read(&lines->jsonl, messages, &setting);
    progress_update(&lines->bar, lines->jsonl.offset);
    if (err == ERR_OK)
        err = check_order(lines, &setting);
    else if (err != ERR_NOTFOUND)
        progress_hide(&lines->bar);
    if (err == ERR_NOMEM)
        (void)ctl_fail("out of memory");
    else if (err == ERR_STORE)
        (void)fail(lines);
    else if (err == ERR_NOTFOUND)
        say_misplaced(lines);
    for (size_t i = 0; err == ERR_INVALID && i < json_array_size(messages); i++)
        say(lines, json_string_value(json_array_get(messages, i)));
    if (err == ERR_OK)
        *setting_out = setting;
    else
        jsonl_setting_clear(&setting);
    return err;
}
