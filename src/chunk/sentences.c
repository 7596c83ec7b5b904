/*
 * A sentence that stands alone differs from the same sentence in its text in one
 * word: the last.  There its final mark has nothing behind it and is no candidate
 * any more, so that the candidate before it in the same word becomes the last one
 * and gets its say: "no!!! I" is cut behind "!!!", but "no!!!" before the third "!".
 * What is cut off gets a third look, and so on: candidate by candidate from the
 * right, until what remains fits or a candidate ends no sentence.
 *
 * The same happens from the left when a sentence begins with a candidate: Punkt
 * lets the one in the very first place have its say although others follow it in
 * the same word.
 *
 * Doing that literally takes the square of a text of exclamation marks.  Here the
 * place where the cutting stops is looked for first, going from candidate to
 * candidate without reading anything twice; the parts follow in their order.
 */
#include "chunk/sentences.h"

#include "chunk/chars.h"
#include "chunk/marks.h"

#include <glib.h>

/* What the repeated cutting has left over. */
typedef struct
{
    const char *start;
    const char *end;
    const char *mark; /* the one that ends it; NULL when none does, or it has done its part */
    const char *word; /* where the word of that mark begins, inside or before it */
    const char *sure; /* candidates from here on end a sentence; NULL when unknown */
    const char *fits; /* the farthest end with which it would fit */
} Rest;

/* The last candidate before the mark, in the same word and in the rest. */
static const char *
candidate_before(const Rest *rest)
{
    for (const char *p = rest->mark; p > rest->word; p--)
        if (punkt_is_candidate(p - 1, rest->end))
            return p - 1;
    return NULL;
}

static bool
ends_sentence(Rest *rest, const char *mark)
{
    if (rest->sure != NULL && mark >= rest->sure)
        return true;
    return punkt_ends_sentence(rest->word, mark, rest->end, &rest->sure);
}

/* What a candidate in the first place cuts off; NULL when it cuts off nothing. */
static const char *
cut_front(const Rest *rest)
{
    const char *sure;

    if (!punkt_is_candidate(rest->start, rest->end) ||
        !punkt_ends_sentence(rest->start, rest->start, rest->end, &sure))
        return NULL;

    const char *next = punkt_next_start(rest->start, rest->end);
    return next < rest->end ? next : NULL;
}

/*
 * The candidate that cuts something off at the end; NULL when none does.  Then none
 * ever will: cutting at the front only makes its context shorter, and when that turns
 * a run of three dots into two, the first of them is cut off at the front.
 */
static const char *
cut_back(Rest *rest)
{
    /* With something behind it the mark is a candidate still, and cuts off nothing. */
    if (rest->mark == NULL || chars_skip_spaces(rest->mark + 1, rest->end) < rest->end)
        return NULL;

    if (rest->word < rest->start)
    {
        rest->word = rest->start;
        rest->sure = NULL;
    }
    const char *mark = candidate_before(rest);
    return mark != NULL && ends_sentence(rest, mark) ? mark : NULL;
}

/* Looks at the rest once more as if it were a text; false when that cuts off nothing. */
static bool
cut_once(Rest *rest)
{
    const char *front = cut_front(rest);

    rest->mark = cut_back(rest);
    if (rest->mark == rest->start && front != NULL)
        rest->mark = NULL;
    if (rest->mark != NULL)
        rest->end = punkt_next_start(rest->mark, rest->end);
    if (front != NULL)
    {
        rest->fits =
            chars_forward(rest->fits, MAX(rest->fits, rest->end), chars_count(rest->start, front));
        rest->start = front;
    }
    return front != NULL || rest->mark != NULL;
}

/* Finds the core of the sentence that begins here and ends as told. */
static void
look_again(Sentences *sentences, const SentenceEnd *found)
{
    Rest rest = {
        .start = sentences->at,
        .end = sentences->sentence_end,
        .mark = found->mark,
        .word = found->word,
        .sure = found->sure,
        .fits = chars_forward(sentences->at, sentences->sentence_end, sentences->size),
    };

    while (rest.end > rest.fits && cut_once(&rest))
        continue;
    sentences->core = rest.start;
    sentences->core_end = rest.end;
}

/* Takes the next sentence under way. */
static void
begin_sentence(Sentences *sentences)
{
    SentenceEnd found;
    bool is_ended = punkt_next(&sentences->punkt, &found);

    sentences->sentence_end = is_ended ? found.next : sentences->end;
    sentences->core = sentences->at;
    sentences->core_end = sentences->sentence_end;
    if (!sentences->corrected)
        look_again(sentences, &found);
}

bool
sentences_begin(
    Sentences *sentences, const char *start, const char *end, size_t size, bool corrected)
{
    *sentences = (Sentences){.at = start, .end = end, .size = size, .corrected = corrected};
    punkt_begin(&sentences->punkt, start, end);
    begin_sentence(sentences);
    if (corrected)
        sentences->next_mark = marks_next_start(start, end);
    return sentences->sentence_end < end || sentences->next_mark != NULL;
}

/* The parts around the core go from candidate to candidate. */
static const char *
next_around_core(const Sentences *sentences)
{
    const char *mark = sentences->at;
    while (!punkt_is_candidate(mark, sentences->end))
        mark++;
    return punkt_next_start(mark, sentences->end);
}

static const char *
next_corrected(Sentences *sentences)
{
    const char *next = sentences->sentence_end;

    if (sentences->next_mark != NULL && sentences->next_mark <= sentences->at)
        sentences->next_mark = marks_next_start(sentences->at, sentences->end);
    if (sentences->next_mark != NULL && sentences->next_mark < next)
        next = sentences->next_mark;
    return chars_skip_joined(next, sentences->end);
}

const char *
sentences_next(Sentences *sentences)
{
    if (sentences->at == sentences->end)
        return NULL;
    if (sentences->at >= sentences->sentence_end)
        begin_sentence(sentences);

    if (sentences->corrected)
        sentences->at = next_corrected(sentences);
    else if (sentences->at == sentences->core)
        sentences->at = sentences->core_end;
    else
        sentences->at = next_around_core(sentences);
    return sentences->at;
}
