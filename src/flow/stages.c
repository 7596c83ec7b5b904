#include "flow/stages.h"

#include "base/error.h"
#include "embed/bedrock.h"
#include "embed/hashing.h"
#include "flow/stage_aws.h"
#include "flow/store_address.h"
#include "plan/prices.h"

#include <string.h>

#define MAX_KEY_BYTES 4096

/* --- catalogue and documents --------------------------------------------------------------- */

/* That of arn:aws:dynamodb:REGION:…, yours; NULL for a plain name. */
static char *
region_of_arn(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ":", -1);
    const bool is_arn = g_strv_length(parts) > 4 && g_str_equal(parts[0], "arn");
    return is_arn ? g_strdup(parts[3]) : NULL;
}

static Catalogue *
table_catalogue(const Settings *settings, const char *table, GError **error)
{
    if (*table == '\0')
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE,
            "--catalogue names no table after " CATALOGUE_DYNAMODB);
        vf_error_hint(error, "the stack's output ConversationTableName names it");
        return NULL;
    }
    g_autofree char *region = region_of_arn(table);
    AwsClient *client = stage_aws(settings, region, error);
    return client == NULL ? NULL : catalogue_dynamodb_new(client, table);
}

Catalogue *
stage_catalogue(const Settings *settings, GError **error)
{
    const char *place = settings_require(settings, SETTING_CATALOGUE, error);
    if (place == NULL)
        return NULL;
    if (g_str_has_prefix(place, CATALOGUE_DYNAMODB))
        return table_catalogue(settings, place + strlen(CATALOGUE_DYNAMODB), error);
    return catalogue_file_new(place, error);
}

static DocumentSource *
bucket_documents(const Settings *settings, const char *address, GError **error)
{
    g_auto(S3Place) place = {0};
    if (!s3_place_read(address, &place, error))
        return NULL;
    AwsClient *client = stage_aws(settings, NULL, error);
    if (client == NULL)
        return NULL;
    return s3_source_new(
        client, &place, settings_text(settings, SETTING_BUCKET),
        settings_count(settings, SETTING_MAX_DOCUMENT_BYTES));
}

static DocumentSource *
uploaded_documents(const Settings *settings, GError **error)
{
    const char *place = settings_require(settings, SETTING_DOCUMENTS, error);
    if (place == NULL)
        return NULL;
    if (g_str_has_prefix(place, S3_SCHEME))
        return bucket_documents(settings, place, error);
    return folder_source_new(
        place, settings_text(settings, SETTING_BUCKET),
        settings_count(settings, SETTING_MAX_DOCUMENT_BYTES), error);
}

DocumentSource *
stage_documents(const Settings *settings, GError **error)
{
    const WebOptions web = {
        .allow_private = settings_switch(settings, SETTING_ALLOW_PRIVATE),
        .max_bytes = settings_count(settings, SETTING_MAX_DOCUMENT_BYTES),
        .timeout_s = (int) MIN(settings_count(settings, SETTING_DOCUMENT_TIMEOUT), G_MAXINT),
        .ca_file = settings_text(settings, SETTING_CA_FILE),
    };
    DocumentSource *files = uploaded_documents(settings, error);
    return files == NULL ? NULL : document_source_combine(files, web_source_new(&web));
}

/* --- the embedder -------------------------------------------------------------------------- */

/* The provider's key: from a file, or from the environment.  NULL without error for none. */
static char *
read_key(const Settings *settings, GError **error)
{
    const char *path = settings_text(settings, SETTING_API_KEY_FILE);
    g_autofree char *key = NULL;
    g_autoptr(GError) cause = NULL;
    gsize length = 0;

    if (path == NULL)
    {
        const char *own = g_getenv("VECFERRY_API_KEY");
        return g_strdup(own != NULL ? own : g_getenv("OPENAI_API_KEY"));
    }
    if (!g_file_get_contents(path, &key, &length, &cause) || length > MAX_KEY_BYTES)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not read the key in \"%s\": %s", path,
            cause != NULL ? cause->message : "it is too long for a key");
        return NULL;
    }
    return g_strstrip(g_steal_pointer(&key));
}

static int
clamped(gint64 number)
{
    return (int) MIN(number, G_MAXINT);
}

static Embedder *
openai_embedder(const Settings *settings, int known_dimensions, GError **error)
{
    const char *model = settings_require(settings, SETTING_MODEL, error);
    g_autoptr(GError) problem = NULL;
    g_autofree char *key = model == NULL ? NULL : read_key(settings, &problem);

    if (model == NULL)
        return NULL;
    if (problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    const int wished = clamped(settings_count(settings, SETTING_DIMENSIONS));
    const OpenaiOptions options = {
        .base_url = settings_text(settings, SETTING_ENDPOINT),
        .model = model,
        .ca_file = settings_text(settings, SETTING_CA_FILE),
        .api_key = key,
        .dimensions = wished > 0 ? wished : known_dimensions,
        .ask_dimensions = wished > 0,
        .document_prefix = settings_text(settings, SETTING_DOCUMENT_PREFIX),
        .query_prefix = settings_text(settings, SETTING_QUERY_PREFIX),
        .max_texts = (size_t) settings_count(settings, SETTING_MAX_TEXTS),
        .max_characters = (size_t) settings_count(settings, SETTING_MAX_CHARACTERS),
    };
    return openai_embedder_new(&options, error);
}

/* Limits of the user's own for an embedder that knows none. */
static void
narrow(const Settings *settings, Embedder *embedder)
{
    const size_t texts = (size_t) settings_count(settings, SETTING_MAX_TEXTS);
    const size_t characters = (size_t) settings_count(settings, SETTING_MAX_CHARACTERS);
    if (texts > 0)
        embedder->info.max_texts = MIN(embedder->info.max_texts, texts);
    if (characters > 0)
        embedder->info.max_characters = characters;
}

/* A wider limit on characters than the model's would only be refused later. */
static Embedder *
bedrock_embedder(const Settings *settings, GError **error)
{
    const char *model = settings_require(settings, SETTING_MODEL, error);
    AwsClient *client =
        model == NULL ? NULL
                      : stage_aws(settings, settings_text(settings, SETTING_BEDROCK_REGION), error);
    if (client == NULL)
        return NULL;
    const BedrockOptions options = {
        .client = client,
        .model = model,
        .dimensions = clamped(settings_count(settings, SETTING_DIMENSIONS)),
    };
    Embedder *embedder = bedrock_embedder_new(&options, error);
    if (embedder == NULL)
        return NULL;
    const size_t most = embedder->info.max_characters;
    narrow(settings, embedder);
    if (most > 0)
        embedder->info.max_characters = MIN(embedder->info.max_characters, most);
    return embedder;
}

Embedder *
stage_embedder(const Settings *settings, int known_dimensions, GError **error)
{
    const char *kind = settings_require(settings, SETTING_EMBEDDER, error);

    if (kind == NULL)
        return NULL;
    if (g_str_equal(kind, "openai"))
        return openai_embedder(settings, known_dimensions, error);
    if (g_str_equal(kind, "bedrock"))
        return bedrock_embedder(settings, error);
    Embedder *embedder =
        hashing_embedder_new(clamped(settings_count(settings, SETTING_DIMENSIONS)));
    narrow(settings, embedder);
    return embedder;
}

bool
stage_probe(Embedder *embedder, Cancel *cancel, EmbedReply *reply, GError **error)
{
    static const char TOO_LITTLE[] = "could not learn the length of the model's vectors: ";

    if (embedder->info.dimensions > 0)
        return true;
    const bool known = openai_embedder_probe(embedder, cancel, reply, error);
    if (!known)
        g_prefix_error(error, TOO_LITTLE);
    return known;
}

/* --- who embeds ----------------------------------------------------------------------------- */

Launcher *
stage_launcher(GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    return program == NULL ? NULL : local_launcher_new(program);
}

/* --- the store ----------------------------------------------------------------------------- */

static Distance
distance_from_name(const char *name)
{
    if (g_str_equal(name, "cosine"))
        return DISTANCE_COSINE;
    return g_str_equal(name, "ip") ? DISTANCE_IP : DISTANCE_L2;
}

/* What the server takes, in milliseconds, at most. */
#define MAX_LOCK_S (G_MAXINT / 1000)

static Store *
open_store(
    const Settings *settings, const char *stage, const char *name, const StoreMap *map,
    const Notes *notes, Cancel *cancel, GError **error)
{
    const char *given = settings_require(settings, SETTING_NEW_STORE, error);
    g_auto(StoreAddress) address = {0};
    if (given == NULL || !store_address_find(&address, settings, given, stage, cancel, error))
        return NULL;
    const PgOptions options = {
        .url = address.url,
        .application_name = name,
        .password = store_address_password,
        .password_data = &address,
        .lock_timeout_s = (int) MIN(settings_count(settings, SETTING_LOCK_TIMEOUT), MAX_LOCK_S),
        .notes = notes,
    };
    return store_open(&options, map, cancel, error);
}

/* The server has the new password before it becomes the current one. */
static bool
may_be_rotating(const Settings *settings, const GError *problem)
{
    const char *given = settings_text(settings, SETTING_NEW_STORE);

    return given != NULL && store_address_is_secret(given) &&
           g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED) &&
           strstr(problem->message, "authentication failed") != NULL;
}

Store *
stage_new_store(
    const Settings *settings, const char *name, StoreMap *map, const Notes *notes, Cancel *cancel,
    GError **error)
{
    g_autoptr(GError) problem = NULL;

    *map = (StoreMap){
        .table = settings_text(settings, SETTING_TABLE),
        .id = settings_text(settings, SETTING_ID_COLUMN),
        .bot = settings_text(settings, SETTING_BOT_COLUMN),
        .source = settings_text(settings, SETTING_SOURCE_COLUMN),
        .text = settings_text(settings, SETTING_TEXT_COLUMN),
        .vector = settings_text(settings, SETTING_VECTOR_COLUMN),
        .distance = distance_from_name(settings_text(settings, SETTING_DISTANCE)),
    };
    Store *store = open_store(settings, NULL, name, map, notes, cancel, &problem);
    if (store == NULL && may_be_rotating(settings, problem))
        store = open_store(settings, "AWSPENDING", name, map, notes, cancel, NULL);
    if (store == NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    return store;
}

/* --- how texts are read and cut ------------------------------------------------------------ */

ExtractOptions
stage_extract_options(const Settings *settings)
{
    ExtractOptions options;
    extract_options_init(&options);
    options.max_input_bytes = settings_count(settings, SETTING_MAX_DOCUMENT_BYTES);
    options.max_text_bytes = settings_count(settings, SETTING_MAX_TEXT_BYTES);
    options.timeout_s = clamped(settings_count(settings, SETTING_EXTRACT_TIMEOUT));
    options.sandbox = settings_text(settings, SETTING_SANDBOX);
    return options;
}

static SplitVariant
splitter(const Settings *settings)
{
    SplitVariant variant = SPLIT_GUIDE;
    split_variant_from_name(settings_text(settings, SETTING_SPLITTER), &variant);
    return variant;
}

SplitOptions
stage_split_options(const Settings *settings, const Bot *bot, const EmbedderInfo *embedder)
{
    SplitOptions options = {splitter(settings), bot->chunk_size, bot->chunk_overlap};

    if (options.variant == SPLIT_CORRECTED && embedder->max_characters > 0)
        options.size = MIN(options.size, (int) MIN(embedder->max_characters, G_MAXINT));
    options.overlap = MIN(options.overlap, options.size);
    return options;
}

/* --- money and time ------------------------------------------------------------------------ */

double
stage_price(const Settings *settings, const EmbedderInfo *embedder, const char **origin)
{
    Price price = price_of_model(embedder->provider, embedder->model);
    if (settings_given(settings, SETTING_PRICE))
        price = (Price){settings_amount(settings, SETTING_PRICE), "given by --price"};
    if (origin != NULL)
        *origin = price.origin;
    return price.usd_per_million < 0 ? -1 : price.usd_per_million / 1e6;
}

bool
stage_meter_limits(
    const Settings *settings, const EmbedderInfo *embedder, MeterLimits *limits, GError **error)
{
    *limits = (MeterLimits){
        .usd_per_token = stage_price(settings, embedder, NULL),
        .max_usd = settings_given(settings, SETTING_MAX_USD)
                       ? settings_amount(settings, SETTING_MAX_USD)
                       : -1,
        .requests_per_minute = settings_count(settings, SETTING_REQUESTS_PER_MINUTE),
        .tokens_per_minute = settings_count(settings, SETTING_TOKENS_PER_MINUTE),
    };
    if (limits->max_usd < 0 || limits->usd_per_token >= 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE,
        "--max-usd needs a price, and none is known for model \"%s\"", embedder->model);
    vf_error_hint(error, "give --price, the dollars for a million tokens");
    return false;
}

/* Measured on two cores, idle and busy: a process of its own in the sandbox. */
static Estimate
document_seconds(const Settings *settings)
{
    const double told = settings_amount(settings, SETTING_DOCUMENT_SECONDS);

    return settings_given(settings, SETTING_DOCUMENT_SECONDS)
               ? (Estimate){0.9 * told, told, 1.1 * told}
               : (Estimate){0.001, 0.004, 0.02};
}

EstimateRules
stage_estimate_rules(const Settings *settings, const EmbedderInfo *embedder)
{
    const bool local = g_str_equal(embedder->provider, "hashing");
    return (EstimateRules){
        .usd_per_token = stage_price(settings, embedder, NULL),
        .characters_per_token = settings_amount(settings, SETTING_CHARACTERS_PER_TOKEN),
        .call_seconds = settings_given(settings, SETTING_CALL_SECONDS)
                            ? settings_amount(settings, SETTING_CALL_SECONDS)
                        : local ? 0.005
                                : 0.5,
        .document_seconds = document_seconds(settings),
        .overlap_growth = settings_amount(settings, SETTING_OVERLAP_GROWTH),
        .prefix_characters = (double) embedder->prefix_bytes,
        .characters_per_byte =
            {
                [FORM_TEXT] = settings_amount(settings, SETTING_TEXT_CHARACTERS),
                [FORM_HTML] = settings_amount(settings, SETTING_HTML_CHARACTERS),
                [FORM_PDF] = settings_amount(settings, SETTING_PDF_CHARACTERS),
                [FORM_DOCX] = settings_amount(settings, SETTING_DOCX_CHARACTERS),
            },
        .max_texts = (double) embedder->max_texts,
        .calls_in_flight = (double) settings_count(settings, SETTING_CALLS),
        .workers = (double) settings_count(settings, SETTING_WORKERS),
        .requests_per_minute = (double) settings_count(settings, SETTING_REQUESTS_PER_MINUTE),
        .tokens_per_minute = (double) settings_count(settings, SETTING_TOKENS_PER_MINUTE),
    };
}

Selection
stage_selection(const Settings *settings)
{
    /* The lists are read only; Selection's members lack const because GStrv does. */
    return (Selection){
        .bots = (char **) (gsize) settings_list(settings, SETTING_BOT),
        .users = (char **) (gsize) settings_list(settings, SETTING_USER),
        .excluded = (char **) (gsize) settings_list(settings, SETTING_EXCLUDE),
    };
}
