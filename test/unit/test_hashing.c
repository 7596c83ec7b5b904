#include "base/error.h"
#include "embed/hashing.h"

#include <math.h>
#include <string.h>

static float *
vector_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = hashing_embedder_new(0);
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, &text, 1, EMBED_DOCUMENT, NULL, &reply, &error));
    g_assert_no_error(error);
    return reply.vectors;
}

static double
likeness(const char *one, const char *other)
{
    g_autofree float *a = vector_of(one);
    g_autofree float *b = vector_of(other);
    double sum = 0;

    for (int i = 0; i < 1024; i++)
        sum += (double) a[i] * (double) b[i];
    return sum;
}

static void
test_describes_itself(void)
{
    g_autoptr(Embedder) usual = hashing_embedder_new(0);
    g_autoptr(Embedder) small = hashing_embedder_new(64);
    g_autofree char *space = embedder_space(small);

    g_assert_cmpint(usual->info.dimensions, ==, 1024);
    g_assert_cmpint(small->info.dimensions, ==, 64);
    g_assert_cmpstr(space, ==, "hashing/words-and-trigrams-1/64");
    g_assert_false(usual->info.costs_money);
    g_assert_cmpuint(usual->info.max_texts, >=, 1);
}

/* Other values mean that stored vectors and new ones no longer belong together. */
static void
test_vectors_never_change(void)
{
    static const struct
    {
        const char *text;
        int index[3];
        guint32 bits[3];
    } GOLDEN[] = {
        {"hello world", {79, 83, 226}, {0x3e3af4ba, 0x3e3af4ba, 0x3e3af4ba}},
        {"Größe 42", {191, 256, 318}, {0xbf4b72bb, 0x3e6aebf5, 0x3e6aebf5}},
        {"データベース", {24, 230, 456}, {0x3e48d2ab, 0x3ec8d2ab, 0x3e48d2ab}},
        {"", {0, 1, 2}, {0xbf800000, 0x00000000, 0x00000000}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(GOLDEN); i++)
    {
        g_autofree float *vector = vector_of(GOLDEN[i].text);
        for (int k = 0; k < 3; k++)
        {
            guint32 bits;
            memcpy(&bits, &vector[GOLDEN[i].index[k]], sizeof bits);
            g_assert_cmphex(bits, ==, GOLDEN[i].bits[k]);
        }
    }
}

static void
test_vectors_have_length_one(void)
{
    const char *texts[] = {
        "a", "hello world", "データベースの移行", "", " ", "...", "\n\t", "é", "👍", "0"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (fabs(likeness(texts[i], texts[i]) - 1) > 1e-5)
            g_error("the vector of \"%s\" has another length", texts[i]);
}

static void
test_spelling_variants_are_equal(void)
{
    g_assert_cmpfloat(likeness("Hello WORLD", "hello world"), >, 0.9999);
    g_assert_cmpfloat(likeness("hello, world!", "hello world"), >, 0.9999);
    g_assert_cmpfloat(likeness("CAFÉ", "cafe\xcc\x81"), >, 0.9999);
    g_assert_cmpfloat(likeness("ABC123", "abc123"), >, 0.9999);
    g_assert_cmpfloat(likeness("ＡＢＣＤ", "abcd"), >, 0.9999);
    g_assert_cmpfloat(likeness("ΣΊΣΥΦΟΣ", "σίσυφοσ"), >, 0.9999);
}

static void
test_a_question_finds_its_chunk(void)
{
    const char *chunks[] = {
        "To restore the cluster, create a snapshot of the old database and launch a new one.",
        "The password of the administrator can be changed in the settings page.",
        "Our holiday policy grants thirty days of paid leave in a year.",
        "移行には、スナップショットを作成し、新しい場所に復元します。",
        "有給休暇は年間三十日です。残った日数は翌年の三月まで繰り越せます。",
    };
    const char *questions[] = {
        "restoring a database snapshot", "How do I change my password?",
        "how many days of leave do I get per year?", "スナップショットから復元する方法",
        "有給休暇は何日ですか"};

    for (size_t q = 0; q < G_N_ELEMENTS(questions); q++)
        for (size_t c = 0; c < G_N_ELEMENTS(chunks); c++)
            if (c != q)
                g_assert_cmpfloat(
                    likeness(questions[q], chunks[q]), >, likeness(questions[q], chunks[c]) + 0.1);
}

static void
test_different_texts_differ(void)
{
    g_assert_cmpfloat(fabs(likeness("alpha", "omega")), <, 0.3);
    g_assert_cmpfloat(likeness("...", "!!!"), <, 0.9);
}

static void
test_a_batch_equals_its_texts(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = hashing_embedder_new(0);
    const char *texts[] = {"one", "", "three words here"};
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, texts, 3, EMBED_QUERY, NULL, &reply, &error));
    for (size_t i = 0; i < 3; i++)
    {
        g_autofree float *alone = vector_of(texts[i]);
        for (size_t k = 0; k < 1024; k++)
            g_assert_cmpfloat(reply.vectors[i * 1024 + k], ==, alone[k]);
    }
    g_assert_cmpint(reply.retry_after_ms, ==, -1);
    g_assert_cmpuint(reply.tokens, ==, 0);
    embed_reply_clear(&reply);
    g_assert_null(reply.vectors);
}

static void
test_nothing_becomes_nothing(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = hashing_embedder_new(0);
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, NULL, 0, EMBED_QUERY, NULL, &reply, &error));
    g_assert_no_error(error);
    embed_reply_clear(&reply);
}

static void
test_text_that_is_not_utf8_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = hashing_embedder_new(0);
    const char *texts[] = {"good", "bad \xff"};
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, texts, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, "text 2 is not valid UTF-8");
    g_assert_null(reply.vectors);
}

static void
test_a_cancel_is_heard(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = hashing_embedder_new(0);
    g_autoptr(Cancel) cancel = cancel_new();
    const char *texts[] = {"text"};
    EmbedReply reply = {0};

    cancel_request(cancel);
    g_assert_false(embedder->embed(embedder, texts, 1, EMBED_DOCUMENT, cancel, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
}

static void
test_a_word_may_be_endless(void)
{
    g_autofree char *word = g_strnfill(1000000, 'x');
    g_assert_cmpfloat(fabs(likeness(word, word) - 1), <, 1e-5);
}

static void
test_checks_of_vectors_find_what_is_wrong(void)
{
    g_autoptr(GError) error = NULL;
    const float good[] = {1, 0, 0, 1};
    const float zero[] = {1, 0, 0, 0};
    const float infinite[] = {1, 0, 0, INFINITY};

    g_assert_true(embed_check_vectors(good, 2, 2, &error));
    g_assert_no_error(error);
    g_assert_false(embed_check_vectors(zero, 2, 2, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, "the vector of text 2 is all zero");
    g_clear_error(&error);
    g_assert_false(embed_check_vectors(infinite, 2, 2, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hashing/describes itself", test_describes_itself);
    g_test_add_func("/hashing/vectors never change", test_vectors_never_change);
    g_test_add_func("/hashing/vectors have length one", test_vectors_have_length_one);
    g_test_add_func("/hashing/spelling variants are equal", test_spelling_variants_are_equal);
    g_test_add_func("/hashing/a question finds its chunk", test_a_question_finds_its_chunk);
    g_test_add_func("/hashing/different texts differ", test_different_texts_differ);
    g_test_add_func("/hashing/a batch equals its texts", test_a_batch_equals_its_texts);
    g_test_add_func("/hashing/nothing becomes nothing", test_nothing_becomes_nothing);
    g_test_add_func(
        "/hashing/text that is not UTF-8 is refused", test_text_that_is_not_utf8_is_refused);
    g_test_add_func("/hashing/a cancel is heard", test_a_cancel_is_heard);
    g_test_add_func("/hashing/a word may be endless", test_a_word_may_be_endless);
    g_test_add_func(
        "/embedder/checks of vectors find what is wrong",
        test_checks_of_vectors_find_what_is_wrong);
    return g_test_run();
}
