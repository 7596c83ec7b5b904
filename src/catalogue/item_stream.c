#include "catalogue/item_stream.h"

#include "catalogue/json_scan.h"

#include <string.h>

typedef enum
{
    BEFORE_FIRST_PAGE,
    BETWEEN_PAGES,
    IN_PAGE,  /* before a member's key */
    IN_ITEMS, /* before an item of a page's list */
} Place;

struct ItemStream
{
    JsonScan *scan;
    Place place;
    bool page_has_items; /* "Items" or "Item" was seen */
    bool page_continues;
    guint64 page_items; /* of the page's list, so far */
    guint64 page_count; /* by its own word; 0 while it said none */
    PageEnd page_end;   /* of the last page that had "Items" */

    const char *item; /* the one just read, or NULL */
    size_t item_bytes;
    guint64 item_line;
};

ItemStream *
item_stream_new(int fd, Cancel *cancel)
{
    ItemStream *stream = g_new0(ItemStream, 1);
    stream->scan = json_scan_new(fd, cancel);
    return stream;
}

void
item_stream_free(ItemStream *stream)
{
    if (stream == NULL)
        return;
    json_scan_free(stream->scan);
    g_free(stream);
}

guint64
item_stream_line(const ItemStream *stream)
{
    return stream->item_line;
}

PageEnd
item_stream_page_end(const ItemStream *stream)
{
    return stream->page_end;
}

static bool
begin_page(ItemStream *stream)
{
    if (json_scan_peek(stream->scan) != '{')
        return json_scan_unexpected(stream->scan, "an object with \"Items\" or \"Item\"");
    stream->page_has_items = stream->page_continues = false;
    stream->page_items = stream->page_count = 0;
    stream->place = IN_PAGE;
    return json_scan_first(stream->scan, '}') ||
           json_scan_fail(stream->scan, "an empty object, without \"Items\"");
}

/*
 * "Count" is the number of items that DynamoDB returned ("ScannedCount" that of those it looked at,
 * which a filter makes larger).  Of a page that says that it goes on, the aws program may have kept
 * fewer for a later page; and it counts none of those that it kept before.
 */
static bool
is_whole(ItemStream *stream)
{
    return stream->page_continues || stream->page_count <= stream->page_items ||
           json_scan_fail(
               stream->scan,
               "the end of a page whose \"Count\" says %" G_GUINT64_FORMAT
               " items, and %" G_GUINT64_FORMAT " are there",
               stream->page_count, stream->page_items);
}

static bool
end_page(ItemStream *stream)
{
    stream->place = BETWEEN_PAGES;
    if (stream->page_has_items && !is_whole(stream))
        return false;
    if (stream->page_continues)
        stream->page_end = PAGE_CONTINUED;
    return stream->page_has_items ||
           json_scan_fail(stream->scan, "an object with neither \"Items\" nor \"Item\"");
}

/* After a member of a page. */
static bool
next_key(ItemStream *stream)
{
    stream->place = IN_PAGE;
    return json_scan_another(stream->scan, '}') ||
           (json_scan_error(stream->scan) == NULL && end_page(stream));
}

static bool
begin_items(ItemStream *stream)
{
    if (json_scan_peek(stream->scan) != '[')
        return json_scan_unexpected(stream->scan, "the list of \"Items\"");
    stream->page_has_items = true;
    stream->page_end = PAGE_LAST; /* unless another member says more */
    stream->place = IN_ITEMS;
    return json_scan_first(stream->scan, ']') || next_key(stream);
}

static bool
read_item(ItemStream *stream)
{
    if (json_scan_peek(stream->scan) != '{')
        return json_scan_unexpected(stream->scan, "an item");
    stream->item_line = json_scan_line(stream->scan);
    stream->item = json_scan_text(stream->scan, &stream->item_bytes);
    return stream->item != NULL;
}

/* `"LastEvaluatedKey": {…}` or `"NextToken": "…"`, unless it is as good as absent. */
static bool
note_continuation(ItemStream *stream)
{
    static const char *const nothing[] = {"null", "{}", "\"\"", NULL};
    const char *value = json_scan_text(stream->scan, NULL);

    if (value == NULL)
        return false;
    if (!g_strv_contains(nothing, value))
        stream->page_continues = true;
    return next_key(stream);
}

/* Anything but a number says nothing. */
static bool
note_count(ItemStream *stream)
{
    const char *value = json_scan_text(stream->scan, NULL);

    if (value == NULL)
        return false;
    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &stream->page_count, NULL))
        stream->page_count = 0;
    return next_key(stream);
}

/* Reads a member's key and goes on with what it announces. */
static bool
enter_member(ItemStream *stream)
{
    const char *key = json_scan_key(stream->scan);

    if (key == NULL)
        return false;
    if (strcmp(key, "\"Items\"") == 0)
        return begin_items(stream);
    if (strcmp(key, "\"LastEvaluatedKey\"") == 0 || strcmp(key, "\"NextToken\"") == 0)
        return note_continuation(stream);
    if (strcmp(key, "\"Count\"") == 0)
        return note_count(stream);
    if (strcmp(key, "\"Item\"") == 0)
    {
        stream->page_has_items = true;
        return read_item(stream) && next_key(stream);
    }
    return json_scan_value(stream->scan) && next_key(stream);
}

static bool
enter_item(ItemStream *stream)
{
    if (!read_item(stream))
        return false;
    stream->page_items++;
    return json_scan_another(stream->scan, ']') ||
           (json_scan_error(stream->scan) == NULL && next_key(stream));
}

/* One step through the file; false at its end and after a failure. */
static bool
step(ItemStream *stream)
{
    switch (stream->place)
    {
    case BEFORE_FIRST_PAGE:
        stream->place = BETWEEN_PAGES;
        return json_scan_mark(stream->scan);
    case BETWEEN_PAGES:
        json_scan_space(stream->scan);
        return json_scan_peek(stream->scan) != JSON_SCAN_END && begin_page(stream);
    case IN_PAGE:
        return enter_member(stream);
    case IN_ITEMS:
        return enter_item(stream);
    }
    g_assert_not_reached();
}

const char *
item_stream_next(ItemStream *stream, size_t *bytes, GError **error)
{
    stream->item = NULL;
    while (stream->item == NULL && json_scan_error(stream->scan) == NULL && step(stream))
        continue;

    const GError *failure = json_scan_error(stream->scan);
    if (failure != NULL)
    {
        g_propagate_error(error, g_error_copy(failure));
        return NULL;
    }
    *bytes = stream->item_bytes;
    return stream->item;
}
