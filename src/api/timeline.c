// SPDX-License-Identifier: MIT
/* What has changed of a tenant, across its keys, page by page. */
#include "api/timeline.h"

#include "api/exchange.h"
#include "api/page.h"
#include "base/buf.h"
#include "base/timestamp.h"
#include "http/problem.h"
#include "json/messages.h"
#include "json/text.h"
#include "model/uri.h"
#include "setting/cursor.h"

#include <string.h>

/* So many versions are looked at for one page, whatever the filters let pass:
 * what a request costs is bounded, and the next page goes on. */
#define LOOKED_AT_MAX 1000

/* What is asked for. Texts are as in the query, "" where there is none. */
struct query {
    char before[CURSOR_SIZE];
    struct cursor cursor; /* before, read */
    char key[STORE_KEY_MAX + 1];
    char by[AUTH_SUBJECT_MAX + 1];
    int64_t since, until; /* seconds; since is included, until is not */
};

/* A Link has them all; a cursor and a key's name are of unreserved characters.
 */
_Static_assert(CURSOR_SIZE + STORE_KEY_MAX +
                       URI_ESCAPED_SIZE(AUTH_SUBJECT_MAX) +
                       2 * URI_ESCAPED_SIZE(TIMESTAMP_LEN) + 128 <=
                   RESPONSE_LINK_MAX,
               "it has room in a head");

/* A page on its way, and the version that it has come to. */
struct walk {
    struct page page;
    struct query query;
    unsigned int looked_at;
    char last[CURSOR_SIZE];
};

static enum err
add_rule(json_t *messages, const char *text)
{
    enum err err = messages_add(messages, "%s", text);

    return err == ERR_INVALID ? ERR_BADREQ : err;
}

/* Reads the parameters. ERR_BADREQ: messages grew, by every one that is
 * wrong. */
static enum err
read_query(const char *text, json_t *messages, struct query *query,
           uint64_t *limit_inout)
{
    enum err err = http_query_number(text, "limit", 1, PAGE_LIMIT_MAX, messages,
                                     limit_inout);

    err = err_first(err, http_query_text(text, "before", messages,
                                         query->before, sizeof(query->before)));
    if (*query->before != '\0' && !cursor_read(query->before, &query->cursor))
        err = err_first(err, add_rule(messages, "before: must be the one of a "
                                                "Link field"));
    err = err_first(err, http_query_text(text, "key", messages, query->key,
                                         sizeof(query->key)));
    if (*query->key != '\0' && config_key_find(query->key) == NULL)
        err = err_first(err, add_rule(messages, "key: must be a config key"));
    err = err_first(err, http_query_text(text, "by", messages, query->by,
                                         sizeof(query->by)));
    err =
        err_first(err, http_query_time(text, "since", messages, &query->since));
    return err_first(err,
                     http_query_time(text, "until", messages, &query->until));
}

/* In a store that was restored or moved, the place may be another version's. */
static enum err
check_cursor(struct store *store, const char *tenant, const struct query *query,
             json_t *messages)
{
    bool is_other = false;
    enum err err = ERR_OK;

    if (*query->before != '\0')
        err = cursor_find(store, tenant, &query->cursor, &is_other);
    if (err == ERR_NOTFOUND)
        err = is_other ? add_rule(messages, "before: is of another history; "
                                            "begin with the newest version")
                       : ERR_OK;
    return err;
}

static bool
is_wanted(const struct query *query, const char *key,
          const struct record *record)
{
    return (*query->key == '\0' || strcmp(query->key, key) == 0) &&
           (*query->by == '\0' || (record->author != NULL &&
                                   strcmp(query->by, record->author) == 0)) &&
           record->updated_at >= query->since &&
           record->updated_at < query->until;
}

static enum err
take(void *ctx, const char *name, const struct record *record,
     const struct record_origin *origin)
{
    struct walk *walk = ctx;
    const struct config_key *key = config_key_find(name);
    enum err err = ERR_OK;

    if (walk->looked_at++ == LOOKED_AT_MAX) {
        walk->page.has_next = true;
        return ERR_ENDED;
    }
    /* NULL: of a program that knows more keys. */
    if (key != NULL && is_wanted(&walk->query, name, record))
        err = page_add(&walk->page, key, record, origin);
    if (err == ERR_OK)
        cursor_text(name, record, walk->last);
    return err;
}

/* Adds a parameter of a query, unless it is empty. */
static bool
add_parameter(struct buf *link, const char *name, const char *value)
{
    char escaped[URI_ESCAPED_SIZE(AUTH_SUBJECT_MAX)];

    if (*value == '\0')
        return true;
    uri_escape(value, escaped);
    return json_text_add(link, "&") && json_text_add(link, name) &&
           json_text_add(link, "=") && json_text_add(link, escaped);
}

static bool
add_time(struct buf *link, const char *name, int64_t seconds, int64_t unset)
{
    char text[TIMESTAMP_LEN + 1] = "";

    if (seconds == unset)
        return true;
    timestamp_put(text, seconds);
    return add_parameter(link, name, text);
}

/* The page behind this one, with the same filters; NULL on no memory. */
static char *
make_link(const struct walk *walk)
{
    const struct query *query = &walk->query;
    struct buf link = {0};

    if (json_text_add(&link, "<?limit=") &&
        json_text_add_number(&link, walk->page.limit) &&
        add_parameter(&link, "before", walk->last) &&
        add_parameter(&link, "key", query->key) &&
        add_parameter(&link, "by", query->by) &&
        add_time(&link, "since", query->since, INT64_MIN) &&
        add_time(&link, "until", query->until, INT64_MAX) &&
        buf_add(&link, ">; rel=\"next\"", sizeof(">; rel=\"next\"")))
        return link.data;
    buf_clear(&link);
    return NULL;
}

static enum err
read_page(struct store *store, const char *tenant, struct walk *walk,
          char **link_out)
{
    const struct query *query = &walk->query;
    const struct store_place *from =
        *query->before != '\0' ? &query->cursor.place : NULL;
    enum err err = store_timeline(store, tenant, STORE_OLDER, from, take, walk);

    if (err != ERR_OK && err != ERR_ENDED)
        return err;
    if (!walk->page.has_next)
        return ERR_OK;
    *link_out = make_link(walk);
    return *link_out != NULL ? ERR_OK : ERR_NOMEM;
}

void
api_timeline(struct api *api, struct exchange *exchange)
{
    /* There may be a secret among the values. */
    struct walk walk = {
        .page = {.api = api,
                 .exchange = exchange,
                 .cache = "no-store",
                 .limit = PAGE_LIMIT,
                 .names_keys = true},
        .query = {.since = INT64_MIN, .until = INT64_MAX},
    };
    const char *tenant = exchange->principal.tenant;
    json_auto_t *messages = json_array();
    char *link = NULL;
    enum err err = read_query(exchange->request.query, messages, &walk.query,
                              &walk.page.limit);

    if (err == ERR_OK)
        err = check_cursor(api->store, tenant, &walk.query, messages);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, &exchange->request, err, messages);
        return;
    }
    err = read_page(api->store, tenant, &walk, &link);
    page_respond(&walk.page, err, link);
}
