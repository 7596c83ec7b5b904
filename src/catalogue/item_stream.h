/*
 * item_stream.h - cuts a scan or an export of a DynamoDB table into its items.
 *
 * Understood are pages as `aws dynamodb scan` prints them, `{"Items": […], …}`, and
 * an export's `{"Item": {…}}`, any number of them after one another.  All of the
 * file is checked for JSON's grammar, but only the text of one item is in memory:
 * at most 8 MB, nested at most 72 deep (DynamoDB's own 32 levels are 66 here).
 * A page that counts more items than it has is damaged, too.
 */
#pragma once

#include "base/cancel.h"

typedef struct ItemStream ItemStream;

typedef enum
{
    PAGE_NONE,      /* no page ended yet */
    PAGE_LAST,      /* the page that ended last is the table's last */
    PAGE_CONTINUED, /* it says that another one follows */
} PageEnd;

/* Takes the descriptor over, which stands at the file's beginning. */
ItemStream *item_stream_new(int fd, Cancel *cancel);

/*
 * The text of the next item: one JSON object without space between its tokens,
 * NUL-terminated, borrowed until the next call.  What its strings hold was not checked for UTF-8
 * and surrogate pairs.  NULL after the last item, and with an error: VF_ERROR_BAD_INPUT with line,
 * byte and reason when the bytes are not such a file.
 */
const char *item_stream_next(ItemStream *stream, size_t *bytes, GError **error);

/* The line on which that item begins, from 1. */
guint64 item_stream_line(const ItemStream *stream);

/* How the last page ended.  Of use after the last item. */
PageEnd item_stream_page_end(const ItemStream *stream);

void item_stream_free(ItemStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ItemStream, item_stream_free)
