/*
 * The counts are whole numbers, and what follows them are square roots and divisions,
 * which IEEE 754 defines to the last bit: no machine, compiler or order of additions
 * changes a result.  Changing a constant here changes every vector: give the model
 * another name then.
 */
#include "embed/hashing.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define MODEL "words-and-trigrams-1"
#define DEFAULT_DIMENSIONS 1024
#define MAX_WORD 64 /* characters; longer runs are cut into words of this length */

typedef struct
{
    Embedder base;
} HashingEmbedder;

/* The buckets of one text. */
typedef struct
{
    gint64 *counts;
    guint32 dimensions;
} Buckets;

/* Spreads every bit of a number over all others (the finaliser of MurmurHash3). */
static guint64
mix(guint64 x)
{
    x ^= x >> 33;
    x *= G_GUINT64_CONSTANT(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= G_GUINT64_CONSTANT(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return x;
}

/* A second hash bit decides the sign, so that features that meet in a bucket cancel
 * out on average instead of adding up. */
static void
count_feature(Buckets *buckets, guint64 feature, int weight)
{
    const guint64 hash = mix(feature);
    const guint64 bucket = ((hash >> 32) * buckets->dimensions) >> 32;

    buckets->counts[bucket] += (hash & 1) != 0 ? weight : -weight;
}

/* Scripts written without spaces: a run of them is no word, each character says much. */
static bool
is_dense(gunichar c)
{
    return (c >= 0x0e00 && c <= 0x0fff) || /* Thai, Lao, Tibetan */
           (c >= 0x1000 && c <= 0x109f) || /* Myanmar */
           (c >= 0x1780 && c <= 0x17ff) || /* Khmer */
           (c >= 0x3040 && c <= 0x30ff) || /* Kana */
           (c >= 0x3400 && c <= 0x9fff) || /* Han */
           (c >= 0xac00 && c <= 0xd7a3) || /* Hangul */
           (c >= 0xf900 && c <= 0xfaff) || /* Han, compatibility */
           (c >= 0x20000 && c <= 0x3ffff); /* Han, rarer */
}

/* Short words are mostly grammar and occur everywhere; long ones carry the topic. */
static int
word_weight(size_t length)
{
    if (length <= 3)
        return length <= 2 ? 1 : 2;
    return (int) MIN(length, 10) * 2;
}

static guint64
trigram(guint64 a, guint64 b, guint64 c)
{
    return G_GUINT64_CONSTANT(1) << 63 | a << 42 | b << 21 | c;
}

static void
count_dense_word(Buckets *buckets, const gunichar *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
    {
        count_feature(buckets, trigram(0, 0, word[i]), 1);
        if (i > 0)
            count_feature(buckets, trigram(0, word[i - 1], word[i]), 4);
    }
}

/* The word as a whole, and its trigrams with a mark at either end, by which it stays
 * near its inflections. */
static void
count_word(Buckets *buckets, const gunichar *word, size_t length)
{
    guint64 whole = length;
    bool dense = false;

    for (size_t i = 0; i < length; i++)
    {
        whole = (whole ^ word[i]) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        whole ^= whole >> 29;
        dense |= is_dense(word[i]);
    }
    if (dense)
    {
        count_dense_word(buckets, word, length);
        return;
    }
    count_feature(buckets, whole & ~(G_GUINT64_CONSTANT(1) << 63), word_weight(length));
    if (length <= 3)
        return;
    for (size_t i = 0; i < length; i++)
    {
        const gunichar before = i > 0 ? word[i - 1] : 1;
        const gunichar after = i + 1 < length ? word[i + 1] : 1;
        count_feature(buckets, trigram(before, word[i], after), 1);
    }
}

/* The largest byte tells what the text is made of: below 0x80 ASCII, below 0xcc Latin
 * letters, which come composed unless combining marks (above) say otherwise. */
static guchar
largest_byte(const char *text)
{
    guchar largest = 0;

    for (; *text != '\0'; text++)
        largest = MAX(largest, (guchar) *text);
    return largest;
}

/* Upper and lower case, full and half width, composed and decomposed: all one.  The
 * slow steps are left out where they would change nothing. */
static char *
folded(const char *text)
{
    const guchar largest = largest_byte(text);

    if (largest < 0x80)
        return g_ascii_strdown(text, -1);
    if (largest < 0xcc)
        return g_utf8_casefold(text, -1);
    g_autofree char *normal = g_utf8_normalize(text, -1, G_NORMALIZE_NFKC);
    return g_utf8_casefold(normal != NULL ? normal : text, -1);
}

static bool
is_word_character(gunichar c)
{
    if (c < 0x80)
        return g_ascii_isalnum((char) c);
    return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

static void
count_text(Buckets *buckets, const char *text)
{
    g_autofree char *plain = folded(text);
    gunichar word[MAX_WORD];
    size_t length = 0;

    for (char *at = plain; *at != '\0'; at = g_utf8_next_char(at))
    {
        const gunichar c = g_utf8_get_char(at);
        const bool belongs = is_word_character(c);
        if (belongs)
            word[length++] = c;
        if (length > 0 && (!belongs || length == MAX_WORD))
        {
            count_word(buckets, word, length);
            length = 0;
        }
    }
    if (length > 0)
        count_word(buckets, word, length);
}

/* For a text without words, or one whose words cancel out, which must have a direction
 * too: its bytes. */
static void
count_bytes(Buckets *buckets, const char *text)
{
    guint64 hash = 0;

    for (; *text != '\0'; text++)
        hash = mix(hash ^ (guchar) *text) + 1;
    memset(buckets->counts, 0, buckets->dimensions * sizeof *buckets->counts);
    count_feature(buckets, hash, 1);
}

/* The sum of all absolute counts. */
static guint64
total(const Buckets *buckets)
{
    guint64 sum = 0;

    for (guint32 i = 0; i < buckets->dimensions; i++)
        sum += (guint64) ABS(buckets->counts[i]);
    return sum;
}

/* A root of every count, so that the tenth occurrence of a word says less than the
 * first; with it the total of the counts is the square of the vector's length. */
static void
write_vector(const Buckets *buckets, float *vector)
{
    const double sum = (double) total(buckets);

    for (guint32 i = 0; i < buckets->dimensions; i++)
    {
        const double root = sqrt((double) ABS(buckets->counts[i]) / sum);
        vector[i] = (float) (buckets->counts[i] < 0 ? -root : root);
    }
}

static void
embed_text(Buckets *buckets, const char *text, float *vector)
{
    memset(buckets->counts, 0, buckets->dimensions * sizeof *buckets->counts);
    count_text(buckets, text);
    if (total(buckets) == 0)
        count_bytes(buckets, text);
    write_vector(buckets, vector);
}

static bool
hashing_embed(
    Embedder *self, const char *const *texts, size_t count, EmbedInput input, Cancel *cancel,
    EmbedReply *reply, GError **error)
{
    const size_t dimensions = (size_t) self->info.dimensions;
    g_autofree gint64 *counts = g_new(gint64, dimensions);
    Buckets buckets = {counts, (guint32) dimensions};
    (void) input;

    g_assert(count <= self->info.max_texts);
    embed_reply_begin(reply);
    if (!embed_check_texts(texts, count, error))
        return false;

    g_autofree float *vectors = g_new(float, count *dimensions);
    for (size_t i = 0; i < count; i++)
    {
        if (!cancel_check(cancel, error))
            return false;
        embed_text(&buckets, texts[i], vectors + i * dimensions);
    }
    reply->vectors = g_steal_pointer(&vectors);
    return true;
}

static void
hashing_free(Embedder *self)
{
    g_free(self);
}

Embedder *
hashing_embedder_new(int dimensions)
{
    HashingEmbedder *self = g_new0(HashingEmbedder, 1);

    self->base.info = (EmbedderInfo){
        .provider = "hashing",
        .model = MODEL,
        .dimensions = dimensions > 0 ? dimensions : DEFAULT_DIMENSIONS,
        .max_texts = 256,
    };
    self->base.embed = hashing_embed;
    self->base.free = hashing_free;
    return &self->base;
}
