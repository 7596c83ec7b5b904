/*
 * Any bytes as the file of a catalogue: it is refused with a message that is UTF-8,
 * or every bot of it survives the way through our own JSON.
 */
#include "base/error.h"
#include "catalogue/file_list.h"
#include "catalogue/listing.h"
#include "model/bot_json.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t bytes);

static void
check_bot(const Bot *bot)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) json = bot_to_json(bot);
    g_autoptr(Bot) again = bot_from_json(json, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(again->fingerprint, ==, bot->fingerprint);
    g_assert_true((bot->kind == BOT_MALFORMED) == (bot->problem != NULL));
    g_assert_true(bot->problem == NULL || g_utf8_validate(bot->problem, -1, NULL));
}

static void
check_listing(const Listing *listing)
{
    g_autoptr(GPtrArray) bots = listing_bots(listing);

    for (guint i = 0; i < bots->len; i++)
    {
        const Bot *bot = bots->pdata[i];
        g_autoptr(Bot) found = listing_find(listing, bot->user, bot->id);
        g_assert_true(found == bot);
        check_bot(bot);
    }
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t bytes)
{
    const int fd = memfd_create("catalogue", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    if (fd >= 0 && write(fd, data, bytes) == (ssize_t) bytes)
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) files =
            g_ptr_array_new_with_free_func((GDestroyNotify) listed_file_free);
        g_ptr_array_add(files, listed_file_new(path, -1));
        g_autoptr(Listing) listing = listing_read("fuzz", files, NULL, &error);

        g_assert_true((listing == NULL) == (error != NULL));
        if (listing != NULL)
            check_listing(listing);
        else
            g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    if (fd >= 0)
        close(fd);
    return 0;
}
