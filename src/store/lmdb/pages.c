// SPDX-License-Identifier: MIT
#include "store/lmdb/pages.h"

#include "base/util.h"
#include "store/lmdb/format.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_PAGES 2

enum err
lmdb_pages_fault(const struct lmdb_pages *pages, size_t number,
                 const char *what)
{
    snprintf(pages->why, pages->why_size, "page %zu %s", number, what);
    return ERR_STORE;
}

static enum err
fail_reading(const struct lmdb_pages *pages, size_t number)
{
    char what[128];

    snprintf(what, sizeof(what), "cannot be read: %s", strerror(errno));
    return lmdb_pages_fault(pages, number, what);
}

static enum err
no_memory(const struct lmdb_pages *pages)
{
    snprintf(pages->why, pages->why_size, "out of memory");
    return ERR_NOMEM;
}

enum err
lmdb_pages_open(struct lmdb_pages *pages, int fd, const struct lmdb_meta *meta,
                char *why, size_t why_size)
{
    struct stat file;

    *pages = (struct lmdb_pages){.fd = fd,
                                 .page_size = meta->free.page_size,
                                 .last_page = meta->last_page,
                                 .why = why,
                                 .why_size = why_size};
    if (fstat(fd, &file) != 0)
        return fail_reading(pages, 0);
    pages->file_size = (size_t)file.st_size;
    pages->reached = calloc(meta->last_page / 8 + 1, 1);
    pages->levels = malloc(LMDB_DEPTH_MAX * pages->page_size);
    return pages->reached != NULL && pages->levels != NULL ? ERR_OK
                                                           : no_memory(pages);
}

void
lmdb_pages_close(struct lmdb_pages *pages)
{
    free(pages->reached);
    free(pages->levels);
    free(pages->value);
}

bool
lmdb_pages_reach(struct lmdb_pages *pages, size_t number)
{
    unsigned char bit = (unsigned char)(1U << number % 8);

    if (number < META_PAGES || number > pages->last_page ||
        (pages->reached[number / 8] & bit) != 0)
        return false;
    pages->reached[number / 8] |= bit;
    return true;
}

static enum err
read_bytes(const struct lmdb_pages *pages, size_t number, size_t offset,
           unsigned char *bytes, size_t len)
{
    off_t at = (off_t)(number * pages->page_size + offset);

    while (len > 0) {
        ssize_t got = pread(pages->fd, bytes, len, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_reading(pages, number);
        if (got == 0)
            return lmdb_pages_fault(pages, number,
                                    "is missing: the file is too short");
        bytes += got;
        at += got;
        len -= (size_t)got;
    }
    return ERR_OK;
}

/* Reads the first len bytes of a page that nobody has reached yet. */
static enum err
read_page(struct lmdb_pages *pages, size_t number, unsigned char *bytes,
          size_t len)
{
    struct lmdb_page page;
    enum err err;

    if (!lmdb_pages_reach(pages, number))
        return lmdb_pages_fault(
            pages, number, "is referred to twice, or is beyond the last one");
    err = read_bytes(pages, number, 0, bytes, len);
    if (err != ERR_OK)
        return err;
    memcpy(&page, bytes, sizeof(page));
    return page.number == number
               ? ERR_OK
               : lmdb_pages_fault(pages, number,
                                  "has the number of another one");
}

enum err
lmdb_pages_read(struct lmdb_pages *pages, size_t number, size_t level)
{
    return read_page(pages, number, pages->levels + level * pages->page_size,
                     pages->page_size);
}

enum err
lmdb_pages_read_value(struct lmdb_pages *pages, size_t first, size_t len,
                      size_t *count_out)
{
    unsigned char head[LMDB_PAGE_HEAD];
    struct lmdb_page page;
    enum err err = read_page(pages, first, head, sizeof(head));

    if (err != ERR_OK)
        return err;
    memcpy(&page, head, sizeof(page));
    if (page.flags != LMDB_OVERFLOW || page.pages == 0 ||
        page.pages - 1 > pages->last_page - first ||
        len > page.pages * pages->page_size - LMDB_PAGE_HEAD)
        return lmdb_pages_fault(pages, first,
                                "does not hold the value that it should");
    for (size_t i = 1; i < page.pages; i++)
        if (!lmdb_pages_reach(pages, first + i))
            return lmdb_pages_fault(pages, first + i, "is referred to twice");
    *count_out = page.pages;
    if (len > pages->file_size)
        return lmdb_pages_fault(pages, first,
                                "is missing: the file is too short");
    if (len > pages->value_size) {
        unsigned char *value = realloc(pages->value, len);

        if (value == NULL)
            return no_memory(pages);
        pages->value = value;
        pages->value_size = len;
    }
    return read_bytes(pages, first, LMDB_PAGE_HEAD, pages->value, len);
}
