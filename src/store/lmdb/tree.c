// SPDX-License-Identifier: MIT
#include "store/lmdb/tree.h"

#include "base/util.h"
#include "store/lmdb/format.h"
#include "store/lmdb/pages.h"

#include <stdint.h>
#include <string.h>

#define NODE_HEAD sizeof(struct lmdb_node)
#define OFFSET_SIZE sizeof(uint16_t)

struct key {
    const unsigned char *bytes; /* NULL: none, there is no bound */
    size_t len;
};

/* A walk through a tree. */
struct walk {
    struct lmdb_pages *pages;
    const struct lmdb_tree *tree;
    bool is_numbers;
    struct lmdb_tree found; /* what it counted */
    lmdb_tree_fn *visit;
    void *ctx;
};

/* A page with nodes, of which each was found to lie within it. */
struct view {
    const unsigned char *bytes;
    size_t number, count;
    bool is_leaf;
};

/* A node of such a page. */
struct item {
    struct lmdb_node head;
    struct key key;
    const unsigned char *rest; /* what is behind the key */
};

static enum err
fault(const struct walk *walk, size_t number, const char *what)
{
    return lmdb_pages_fault(walk->pages, number, what);
}

static size_t
offset_of(const unsigned char *page, size_t i)
{
    uint16_t offset;

    memcpy(&offset, page + LMDB_PAGE_HEAD + i * OFFSET_SIZE, sizeof(offset));
    return offset;
}

/* Of a node whose head is within the page. */
static size_t
node_size(const struct lmdb_node *node, bool is_leaf)
{
    size_t size = NODE_HEAD + node->key_len;

    if (is_leaf)
        size += (node->flags & LMDB_NODE_OVERFLOW) != 0
                    ? sizeof(size_t)
                    : node->low | (size_t)node->high << 16;
    return size + (size & 1);
}

/* Marks the bytes of each node. False if two have the same, or one has bytes
 * that are none of a node. */
static bool
nodes_fit(const struct view *view, size_t upper, size_t page_size)
{
    unsigned char used[LMDB_PAGE_SIZE_MAX / 2] = {0};
    size_t sum = 0;

    for (size_t i = 0; i < view->count; i++) {
        size_t at = offset_of(view->bytes, i), size;
        struct lmdb_node node;

        if (at < upper || at % 2 != 0 || at + NODE_HEAD > page_size)
            return false;
        memcpy(&node, view->bytes + at, sizeof(node));
        size = node_size(&node, view->is_leaf);
        if (size > page_size - at || memchr(used + at / 2, 1, size / 2) != NULL)
            return false;
        memset(used + at / 2, 1, size / 2);
        sum += size;
    }
    return sum == page_size - upper;
}

/* Looks at a page of a tree that was read, and counts its nodes. */
static enum err
check_page(const struct walk *walk, struct view *view)
{
    size_t page_size = walk->pages->page_size, number = view->number;
    bool is_leaf = view->is_leaf;
    struct lmdb_page page;

    memcpy(&page, view->bytes, sizeof(page));
    if (page.flags != (is_leaf ? LMDB_LEAF : LMDB_BRANCH))
        return fault(walk, number, "is not of the kind that is needed here");
    if (page.lower < LMDB_PAGE_HEAD + OFFSET_SIZE ||
        page.lower % OFFSET_SIZE != 0 || page.lower > page.upper ||
        page.upper > page_size)
        return fault(walk, number, "has bounds that cannot be");
    view->count = (page.lower - LMDB_PAGE_HEAD) / OFFSET_SIZE;
    if (!is_leaf && !walk->is_numbers && view->count < 2)
        return fault(walk, number, "leads to fewer pages than it should");
    if (!nodes_fit(view, page.upper, page_size))
        return fault(walk, number, "has entries that are not within it");
    return ERR_OK;
}

static struct item
item_of(const struct view *view, size_t i)
{
    const unsigned char *at = view->bytes + offset_of(view->bytes, i);
    struct item item;

    memcpy(&item.head, at, sizeof(item.head));
    item.key = (struct key){at + NODE_HEAD, item.head.key_len};
    item.rest = item.key.bytes + item.key.len;
    return item;
}

/* True if a is below b, or one of them is no bound. */
static bool
is_below(const struct walk *walk, struct key a, struct key b)
{
    size_t numbers[2];
    int order;

    if (a.bytes == NULL || b.bytes == NULL)
        return true;
    if (walk->is_numbers) {
        memcpy(&numbers[0], a.bytes, sizeof(numbers[0]));
        memcpy(&numbers[1], b.bytes, sizeof(numbers[1]));
        return numbers[0] < numbers[1];
    }
    order = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
    return order < 0 || (order == 0 && a.len < b.len);
}

/* The keys of a page ascend, and are from the first bound up to below the
 * second. The first key of a branch page is not used. */
static enum err
check_keys(const struct walk *walk, const struct view *view, struct key from,
           struct key to)
{
    struct key last = {NULL, 0};

    for (size_t i = view->is_leaf ? 0 : 1; i < view->count; i++) {
        struct key key = item_of(view, i).key;

        if (key.len == 0 || key.len > LMDB_KEY_MAX ||
            (walk->is_numbers && key.len != sizeof(size_t)))
            return fault(walk, view->number,
                         "has a key of a length that cannot be");
        if (!is_below(walk, last, key) || !is_below(walk, key, to) ||
            (from.bytes != NULL && is_below(walk, key, from)))
            return fault(walk, view->number, "has keys that are not in order");
        last = key;
    }
    return ERR_OK;
}

static enum err
visit_item(struct walk *walk, const struct view *view, const struct item *item)
{
    struct lmdb_entry entry = {
        .key = item->key.bytes,
        .key_len = item->key.len,
        .value = item->rest,
        .value_len = item->head.low | (size_t)item->head.high << 16,
        .is_tree = item->head.flags == LMDB_NODE_TREE,
    };
    const char *what;

    if (item->head.flags == LMDB_NODE_OVERFLOW) {
        enum err err;
        size_t first, count;

        memcpy(&first, item->rest, sizeof(first));
        err =
            lmdb_pages_read_value(walk->pages, first, entry.value_len, &count);
        if (err != ERR_OK)
            return err;
        walk->found.overflow_pages += count;
        entry.value = walk->pages->value;
    } else if (item->head.flags != 0 && !entry.is_tree) {
        return fault(walk, view->number,
                     "has an entry of a kind that cannot be");
    }
    walk->found.entries++;
    what = walk->visit(walk->ctx, &entry);
    return what == NULL ? ERR_OK : fault(walk, view->number, what);
}

static size_t
child_of(const struct item *item)
{
    return item->head.low | (size_t)item->head.high << 16 |
           (size_t)item->head.flags << 32;
}

/* At level 0 is the root. Recursion is as deep as the tree, at most
 * LMDB_DEPTH_MAX. */
static enum err
walk_page(struct walk *walk, size_t number, size_t level, struct key from,
          struct key to)
{
    bool is_leaf = level + 1 == walk->tree->depth;
    struct view view = {
        .bytes = walk->pages->levels + level * walk->pages->page_size,
        .number = number,
        .is_leaf = is_leaf,
    };
    enum err err = lmdb_pages_read(walk->pages, number, level);

    if (err == ERR_OK)
        err = check_page(walk, &view);
    if (err == ERR_OK)
        err = check_keys(walk, &view, from, to);
    if (err != ERR_OK)
        return err;
    walk->found.leaf_pages += is_leaf;
    walk->found.branch_pages += !is_leaf;
    for (size_t i = 0; err == ERR_OK && i < view.count; i++) {
        struct item item = item_of(&view, i);

        if (is_leaf)
            err = visit_item(walk, &view, &item);
        else
            err = walk_page(
                walk, child_of(&item), level + 1, i > 0 ? item.key : from,
                i + 1 < view.count ? item_of(&view, i + 1).key : to);
    }
    return err;
}

enum err
lmdb_tree_walk(struct lmdb_pages *pages, const struct lmdb_tree *tree,
               bool is_numbers, lmdb_tree_fn *visit, void *ctx)
{
    static const struct key unbound = {NULL, 0};
    struct walk walk = {
        .pages = pages,
        .tree = tree,
        .is_numbers = is_numbers,
        .found = {.root = tree->root},
        .visit = visit,
        .ctx = ctx,
    };
    bool is_empty = tree->root == LMDB_NO_PAGE;
    enum err err = ERR_OK;

    if ((tree->flags & LMDB_TREE_FLAGS) !=
            (is_numbers ? LMDB_TREE_NUMBERS : 0) ||
        tree->depth > LMDB_DEPTH_MAX || (tree->depth == 0) != is_empty)
        return fault(&walk, is_empty ? 0 : tree->root,
                     "is the root of a tree of a kind that cannot be");
    if (!is_empty)
        err = walk_page(&walk, tree->root, 0, unbound, unbound);
    if (err != ERR_OK)
        return err;
    return walk.found.branch_pages == tree->branch_pages &&
                   walk.found.leaf_pages == tree->leaf_pages &&
                   walk.found.overflow_pages == tree->overflow_pages &&
                   walk.found.entries == tree->entries
               ? ERR_OK
               : fault(&walk, is_empty ? 0 : tree->root,
                       "is the root of a tree that is not as large as it "
                       "should be");
}
