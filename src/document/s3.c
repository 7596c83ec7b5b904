/*
 * Whether a bot's files are there is read from the list of its prefix, once for all of them.  Lists
 * of the last bots are kept; who looks at sources asks for one bot after the other.
 *
 * Without the right to list the bucket each file is asked for.  S3 then says "forbidden" of a file
 * that is missing, and so do we.
 */
#include "aws/s3.h"

#include "base/error.h"
#include "document/document_source.h"
#include "document/unnamed_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MAX_CODE 80
#define MAX_LISTS 64

typedef struct
{
    DocumentSource base;
    AwsClient *client;
    char *bucket;
    char *prefix; /* "" or ends with a slash */
    char *label_bucket;
    gint64 max_bytes;

    atomic_bool may_not_list;
    pthread_mutex_t lock; /* of what follows */
    GHashTable *lists;    /* bot's prefix → set of DocumentFacts by file name */
    GQueue order;         /* the prefixes, oldest first; borrowed from the table */
} BucketSource;

/* --- names ------------------------------------------------------------------------ */

static char *
prefix_of(const BucketSource *self, const Bot *bot)
{
    return g_strdup_printf("%s%s/%s/documents/", self->prefix, bot->user, bot->id);
}

static char *
key_of(const BucketSource *self, const Bot *bot, const Source *source)
{
    g_autofree char *prefix = prefix_of(self, bot);
    return g_strconcat(prefix, source->name, NULL);
}

static bool
check_kind(const Source *source, GError **error)
{
    if (source->kind != SOURCE_FILE)
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "a bucket holds no source of the kind %s",
            source_kind_name(source->kind));
    else if (source->name[0] == '\0')
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "the file has a name that cannot be a file's");
    else
        return true;
    return false;
}

/* --- what is wrong ---------------------------------------------------------------- */

static void
refuse_file(GError **error, const GError *problem, const char *reason)
{
    const char *hint = strchr(problem->message, '\n');
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "%s%s", reason, hint != NULL ? hint : "");
}

/* Tells what is wrong with one file from what is wrong with all of them.  Takes the problem. */
static void
set_problem(const BucketSource *self, GError *problem, const char *code, GError **error)
{
    g_autoptr(GError) owned = problem;

    if (strcmp(code, "NoSuchBucket") == 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "there is no bucket \"%s\": %s", self->bucket,
            problem->message);
        vf_error_hint(error, "the stack's output DocumentBucketName names it");
    }
    else if (g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH))
        refuse_file(error, problem, "the file is missing");
    else if (strcmp(code, "AccessDenied") == 0 && atomic_load(&self->may_not_list))
        refuse_file(
            error, problem,
            "the file is missing, or may not be read (without s3:ListBucket this cannot be told)");
    else if (strcmp(code, "AccessDenied") == 0)
        refuse_file(error, problem, "the file may not be read (s3:GetObject is denied)");
    else if (strcmp(code, "InvalidObjectState") == 0)
        refuse_file(error, problem, "the file is archived and must be restored first");
    else
        g_propagate_error(error, g_steal_pointer(&owned));
}

static bool
check_size(const BucketSource *self, gint64 bytes, GError **error)
{
    if (self->max_bytes <= 0 || bytes <= self->max_bytes)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "the file has %" G_GINT64_FORMAT " bytes, more than the limit of %" G_GINT64_FORMAT, bytes,
        self->max_bytes);
    return false;
}

/* --- a look from outside ---------------------------------------------------------- */

typedef struct
{
    GHashTable *files;
    size_t prefix_bytes;
} Listing;

static void
take_object(void *data, const char *key, const AwsObject *object)
{
    const Listing *listing = data;
    DocumentFacts *facts = g_new(DocumentFacts, 1);

    *facts = (DocumentFacts){.bytes = object->bytes, .modified_ms = object->modified_ms};
    if (strlen(key) > listing->prefix_bytes)
        g_hash_table_replace(listing->files, g_strdup(key + listing->prefix_bytes), facts);
    else
        g_free(facts);
}

/* The files below the prefix, yours; NULL with the error set. */
static GHashTable *
read_list(const BucketSource *self, const char *prefix, char *code, Cancel *cancel, GError **error)
{
    g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Listing listing = {.files = files, .prefix_bytes = strlen(prefix)};

    if (!aws_list_objects(
            self->client, self->bucket, prefix, take_object, &listing, code, cancel, error))
        return NULL;
    return g_steal_pointer(&files);
}

static GHashTable *
known_list(BucketSource *self, const char *prefix)
{
    pthread_mutex_lock(&self->lock);
    GHashTable *files = g_hash_table_lookup(self->lists, prefix);
    if (files != NULL)
        g_hash_table_ref(files);
    pthread_mutex_unlock(&self->lock);
    return files;
}

static void
keep_list(BucketSource *self, const char *prefix, GHashTable *files)
{
    pthread_mutex_lock(&self->lock);
    if (!g_hash_table_contains(self->lists, prefix))
    {
        char *key = g_strdup(prefix);
        g_hash_table_insert(self->lists, key, g_hash_table_ref(files));
        g_queue_push_tail(&self->order, key);
    }
    if (g_queue_get_length(&self->order) > MAX_LISTS)
        g_hash_table_remove(self->lists, g_queue_pop_head(&self->order));
    pthread_mutex_unlock(&self->lock);
}

/* NULL without error when listing is forbidden. */
static GHashTable *
list_of(BucketSource *self, const Bot *bot, Cancel *cancel, GError **error)
{
    g_autofree char *prefix = prefix_of(self, bot);
    g_autoptr(GError) problem = NULL;
    char code[MAX_CODE] = "";

    GHashTable *files = known_list(self, prefix);
    if (files != NULL)
        return files;
    files = read_list(self, prefix, code, cancel, &problem);
    if (files != NULL)
        keep_list(self, prefix, files);
    else if (strcmp(code, "AccessDenied") == 0)
        atomic_store(&self->may_not_list, true);
    else
        set_problem(self, g_steal_pointer(&problem), code, error);
    return files;
}

static bool
probe_in_list(GHashTable *files, const Source *source, DocumentFacts *facts, GError **error)
{
    const DocumentFacts *found = g_hash_table_lookup(files, source->name);

    if (found != NULL)
        *facts = *found;
    else
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the file is missing");
    return found != NULL;
}

static bool
probe_alone(
    const BucketSource *self, const Bot *bot, const Source *source, Cancel *cancel,
    DocumentFacts *facts, GError **error)
{
    g_autofree char *key = key_of(self, bot, source);
    char code[MAX_CODE] = "";
    AwsObject object;
    GError *problem = NULL;

    if (!aws_head_object(self->client, self->bucket, key, &object, code, cancel, &problem))
    {
        set_problem(self, problem, code, error);
        return false;
    }
    *facts = (DocumentFacts){.bytes = object.bytes, .modified_ms = object.modified_ms};
    return true;
}

static bool
look(
    BucketSource *self, const Bot *bot, const Source *source, Cancel *cancel, DocumentFacts *facts,
    GError **error)
{
    g_autoptr(GHashTable) files = NULL;
    g_autoptr(GError) problem = NULL;

    if (!atomic_load(&self->may_not_list))
    {
        files = list_of(self, bot, cancel, &problem);
        if (problem != NULL)
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
    }
    return files != NULL ? probe_in_list(files, source, facts, error)
                         : probe_alone(self, bot, source, cancel, facts, error);
}

static bool
bucket_probe(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel,
    DocumentFacts *facts, GError **error)
{
    BucketSource *self = (BucketSource *) base;

    return cancel_check(cancel, error) && check_kind(source, error) &&
           look(self, bot, source, cancel, facts, error) && check_size(self, facts->bytes, error);
}

/* --- the bytes -------------------------------------------------------------------- */

/* Whether the bucket may be listed decides what "forbidden" means. */
static void
learn_to_list(BucketSource *self, const Bot *bot, Cancel *cancel)
{
    GHashTable *files = list_of(self, bot, cancel, NULL);
    if (files != NULL)
        g_hash_table_unref(files);
}

static Document *
bucket_open(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel, GError **error)
{
    BucketSource *self = (BucketSource *) base;
    char code[MAX_CODE] = "";
    AwsObject object;
    GError *problem = NULL;

    if (!cancel_check(cancel, error) || !check_kind(source, error))
        return NULL;
    const int fd = unnamed_file_new(error);
    if (fd < 0)
        return NULL;
    g_autofree char *key = key_of(self, bot, source);
    if (!aws_load_object(
            self->client, self->bucket, key, fd, self->max_bytes, &object, code, cancel, &problem))
    {
        close(fd);
        if (strcmp(code, "AccessDenied") == 0)
            learn_to_list(self, bot, cancel);
        set_problem(self, problem, code, error);
        return NULL;
    }

    const char *slash = strrchr(source->name, '/');
    Document *document =
        document_new(unnamed_file_finish(fd), slash != NULL ? slash + 1 : source->name);
    document->facts = (DocumentFacts){.bytes = object.bytes, .modified_ms = object.modified_ms};
    return document;
}

static char *
bucket_label(DocumentSource *base, const Bot *bot, const Source *source)
{
    const BucketSource *self = (const BucketSource *) base;
    g_autofree char *key = key_of(self, bot, source);

    return source->kind == SOURCE_FILE ? g_strdup_printf("s3://%s/%s", self->label_bucket, key)
                                       : g_strdup(source->name);
}

static void
bucket_free(DocumentSource *base)
{
    BucketSource *self = (BucketSource *) base;

    g_queue_clear(&self->order);
    g_hash_table_unref(self->lists);
    pthread_mutex_destroy(&self->lock);
    aws_client_free(self->client);
    g_free(self->bucket);
    g_free(self->prefix);
    g_free(self->label_bucket);
    g_free(self);
}

DocumentSource *
s3_source_new(AwsClient *client, const S3Place *place, const char *label_bucket, gint64 max_bytes)
{
    BucketSource *self = g_new0(BucketSource, 1);

    self->base = (DocumentSource){
        .probe = bucket_probe,
        .open = bucket_open,
        .label = bucket_label,
        .free = bucket_free,
        .distant = true,
    };
    self->client = client;
    self->bucket = g_strdup(place->bucket);
    self->prefix = g_strdup(place->prefix);
    self->label_bucket = g_strdup(label_bucket != NULL ? label_bucket : place->bucket);
    self->max_bytes = max_bytes;
    self->lists =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
    g_queue_init(&self->order);
    pthread_mutex_init(&self->lock, NULL);
    return &self->base;
}

/* --- addresses -------------------------------------------------------------------- */

bool
s3_place_read(const char *address, S3Place *place, GError **error)
{
    const bool has_scheme = g_str_has_prefix(address, S3_SCHEME);
    const char *bucket = has_scheme ? address + strlen(S3_SCHEME) : "";
    const size_t length = strcspn(bucket, "/");

    *place = (S3Place){0};
    if (length == 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not an address like s3://BUCKET/PREFIX",
            address);
        return false;
    }
    const char *prefix = bucket[length] == '/' ? bucket + length + 1 : "";
    const bool is_open = *prefix != '\0' && !g_str_has_suffix(prefix, "/");
    place->bucket = g_strndup(bucket, length);
    place->prefix = g_strconcat(prefix, is_open ? "/" : NULL, NULL);
    return true;
}

void
s3_place_clear(S3Place *place)
{
    g_free(place->bucket);
    g_free(place->prefix);
    *place = (S3Place){0};
}
