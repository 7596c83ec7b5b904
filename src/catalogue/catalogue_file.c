#include "base/error.h"
#include "catalogue/catalogue.h"
#include "catalogue/file_list.h"
#include "catalogue/listing.h"
#include "catalogue/quote.h"

#include <pthread.h>
#include <string.h>

typedef struct
{
    Catalogue base;
    char *path;
    char *name;

    pthread_mutex_t lock; /* of what follows */
    Listing *listing;     /* what the files held when they had the stamp; NULL at first */
    char *stamp;
} FileCatalogue;

static char *
current_stamp(const FileCatalogue *self, GPtrArray **files, GError **error)
{
    g_autoptr(GPtrArray) listed = file_list(self->path, error);
    g_autofree char *stamp = listed != NULL ? file_list_stamp(listed, error) : NULL;

    if (stamp != NULL && files != NULL)
        *files = g_steal_pointer(&listed);
    return g_steal_pointer(&stamp);
}

/* Reads the files anew.  They must be the same afterwards: a file that is being written is
 * half of one scan and half of another. */
static Listing *
read_steady(const FileCatalogue *self, char **stamp, Cancel *cancel, GError **error)
{
    g_autoptr(GPtrArray) files = NULL;
    g_autofree char *before = current_stamp(self, &files, error);
    if (before == NULL)
        return NULL;

    g_autoptr(Listing) listing = listing_read(self->name, files, cancel, error);
    if (listing == NULL)
        return NULL;

    g_autofree char *after = current_stamp(self, NULL, error);
    if (after == NULL)
        return NULL;
    if (strcmp(before, after) != 0)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_BUSY, "\"%s\" changed while it was read", self->name);
        return NULL;
    }
    *stamp = g_steal_pointer(&before);
    return g_steal_pointer(&listing);
}

/* Makes the listing that of the files as they are.  The lock is held. */
static bool
refresh(FileCatalogue *self, Cancel *cancel, GError **error)
{
    g_autofree char *now = current_stamp(self, NULL, error);
    if (now == NULL)
        return false;
    if (g_strcmp0(now, self->stamp) == 0)
        return true;

    g_autofree char *stamp = NULL;
    Listing *listing = read_steady(self, &stamp, cancel, error);
    if (listing == NULL)
        return false;
    listing_free(self->listing);
    self->listing = listing;
    g_free(self->stamp);
    self->stamp = g_steal_pointer(&stamp);
    return true;
}

static GPtrArray *
file_catalogue_list(Catalogue *base, Cancel *cancel, GError **error)
{
    FileCatalogue *self = (FileCatalogue *) base;

    pthread_mutex_lock(&self->lock);
    GPtrArray *bots = refresh(self, cancel, error) ? listing_bots(self->listing) : NULL;
    pthread_mutex_unlock(&self->lock);
    return bots;
}

static Bot *
file_catalogue_read(
    Catalogue *base, const char *user, const char *id, Cancel *cancel, GError **error)
{
    FileCatalogue *self = (FileCatalogue *) base;

    pthread_mutex_lock(&self->lock);
    const bool fresh = refresh(self, cancel, error);
    Bot *bot = fresh ? listing_find(self->listing, user, id) : NULL;
    pthread_mutex_unlock(&self->lock);

    if (fresh && bot == NULL)
    {
        g_autofree char *quoted_id = quote_text(id);
        g_autofree char *quoted_user = quote_text(user);
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "bot %s of user %s is not in \"%s\"", quoted_id,
            quoted_user, self->name);
    }
    return bot;
}

static void
file_catalogue_free(Catalogue *base)
{
    FileCatalogue *self = (FileCatalogue *) base;

    listing_free(self->listing);
    pthread_mutex_destroy(&self->lock);
    g_free(self->stamp);
    g_free(self->path);
    g_free(self->name);
    g_free(self);
}

Catalogue *
catalogue_file_new(const char *path, GError **error)
{
    g_autoptr(GPtrArray) files = file_list(path, error);
    if (files == NULL)
        return NULL;

    FileCatalogue *self = g_new0(FileCatalogue, 1);
    self->path = g_strdup(path);
    self->name = g_filename_display_name(path);
    self->base = (Catalogue){
        .list = file_catalogue_list,
        .read = file_catalogue_read,
        .name = self->name,
        .free = file_catalogue_free,
    };
    pthread_mutex_init(&self->lock, NULL);
    return &self->base;
}
