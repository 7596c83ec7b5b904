#include "plan/actions.h"
#include "planning.h"

#include <string.h>

/* Plans the first bot. */
static void
assert_decides(const World *world, Action action, const char *reason)
{
    const Bot *bot = world->bots->pdata[0];
    PlannedBot *planned = planned_bot_new(bot->user, bot->id, bot->title);

    decide_bot(planned, bot, world->looks->pdata[0], &world->input);
    g_assert_cmpstr(action_name(planned->action), ==, action_name(action));
    g_assert_cmpstr(planned->reason, ==, reason);
    planned_bot_free(planned);
}

static void
assert_source(const World *world, guint source, Action action, const char *reason)
{
    const Bot *bot = world->bots->pdata[0];
    PlannedBot *planned = planned_bot_new(bot->user, bot->id, bot->title);

    decide_bot(planned, bot, world->looks->pdata[0], &world->input);
    const PlannedSource *decided = planned->sources->pdata[source];
    g_assert_cmpstr(action_name(decided->action), ==, action_name(action));
    g_assert_cmpstr(decided->reason, ==, reason);
    planned_bot_free(planned);
}

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

#define TRUSTED "rows of every source are there (not ours: the space is taken on trust)"

/* --- none, and what is wrong with the item ------------------------------------------------- */

static void
test_without_knowledge_there_is_nothing_to_do(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", NULL);
    assert_decides(world, ACTION_NONE, "it has no knowledge");
}

static void
test_a_knowledge_base_is_left_alone(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL)->kind = BOT_KNOWLEDGE_BASE;
    assert_decides(world, ACTION_NONE, "its knowledge lives in a Bedrock Knowledge Base");
}

static void
test_a_ghost_is_left_alone(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", NULL)->kind = BOT_GHOST;
    assert_decides(world, ACTION_NONE, "a ghost: the item of a deleted bot");
}

static void
test_a_malformed_item_blocks(void)
{
    g_autoptr(World) world = world_new();
    Bot *bot = world_add(world, "ann", "bot", NULL);
    bot->kind = BOT_MALFORMED;
    set_text(&bot->problem, "Knowledge is a number");
    assert_decides(world, ACTION_BLOCKED, "its item is malformed: Knowledge is a number");
}

/* --- embed, and keep by rows --------------------------------------------------------------- */

static void
test_what_is_not_there_is_embedded(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    assert_decides(world, ACTION_EMBED, "no rows in the new store");
}

static void
test_an_overlap_like_the_size_is_warned_of(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    BotLook *look = world->looks->pdata[0];
    look->chunk_overlap = look->chunk_size = 1000;
    assert_decides(
        world, ACTION_EMBED,
        "no rows in the new store; its chunks of 1000 characters overlap by 1000: a text without "
        "spaces is embedded up to 1000 times");
    look->chunk_overlap = 900;
    assert_decides(
        world, ACTION_EMBED,
        "no rows in the new store; its chunks of 1000 characters overlap by 900: a text without "
        "spaces is embedded up to 10 times");
    look->chunk_overlap = 800;
    assert_decides(world, ACTION_EMBED, "no rows in the new store");

    /* What is not embedded is not repeated. */
    look->chunk_overlap = 1000;
    world_put_rows(world, "bot", "a.txt", 3);
    assert_decides(world, ACTION_KEEP, TRUSTED);
}

static void
test_the_first_of_several_reasons_is_told(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", "b.txt", "c.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_put_rows(world, "bot", "b.txt", 3)->bad_rows = 1;
    assert_decides(world, ACTION_EMBED, "2 of 3 sources: 1 rows without text or vector");
    assert_source(world, 0, ACTION_KEEP, NULL);
    assert_source(world, 1, ACTION_EMBED, "1 rows without text or vector");
    assert_source(world, 2, ACTION_EMBED, "no rows in the new store");
}

static void
test_rows_of_every_source_are_kept_on_trust(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", "b.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_put_rows(world, "bot", "b.txt", 1);
    assert_decides(world, ACTION_KEEP, TRUSTED);
}

static void
test_another_bots_rows_do_not_count(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "other", "a.txt", 3);
    assert_decides(world, ACTION_EMBED, "no rows in the new store");
}

static void
test_rows_without_text_or_vector_are_not_kept(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 30)->bad_rows = 2;
    assert_decides(world, ACTION_EMBED, "2 rows without text or vector");
}

static void
test_a_file_that_is_newer_than_its_rows_is_embedded(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_look(world, 0, 0)->facts.modified_ms = LOADED_MS + 1001;
    assert_decides(world, ACTION_EMBED, "the file changed after its rows were made");
    world_look(world, 0, 0)->facts.modified_ms = LOADED_MS + 1000; /* clocks differ a little */
    assert_decides(world, ACTION_KEEP, TRUSTED);
}

static void
test_without_both_times_rows_are_kept(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    SourceRows *rows = world_put_rows(world, "bot", "a.txt", 3);

    world_look(world, 0, 0)->facts.modified_ms = -1;
    assert_decides(world, ACTION_KEEP, TRUSTED);
    world_look(world, 0, 0)->facts.modified_ms = LOADED_MS + 5000;
    rows->oldest_ms = -1;
    assert_decides(world, ACTION_KEEP, TRUSTED);
}

static void
test_rows_of_strangers_are_not_kept(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_put_rows(world, "bot", "removed.txt", 1);
    assert_decides(world, ACTION_EMBED, "rows of sources that it no longer has");
}

/* A page and a sitemap can have the same address. */
static void
test_two_sources_of_one_label_are_no_strangers(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "https://x/", "https://x/", NULL);
    Bot *bot = world->bots->pdata[0];
    g_ptr_array_add(bot->sources, source_new(SOURCE_SITEMAP, "https://x/"));
    world_put_rows(world, "bot", "https://x/", 3);
    assert_decides(world, ACTION_KEEP, TRUSTED);
}

/* --- keep by mark -------------------------------------------------------------------------- */

static World *
marked_world(void)
{
    World *world = world_new();
    const Bot *bot = world_add(world, "ann", "bot", "a.txt", "b.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_put_rows(world, "bot", "b.txt", 1);
    world_mark(world, bot);
    return world;
}

static Mark *
mark_of(const World *world)
{
    return observation_find(world->store, "bot")->mark;
}

static void
test_a_mark_keeps_its_rows(void)
{
    g_autoptr(World) world = marked_world();
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

static void
test_an_edited_bot_is_embedded_again(void)
{
    g_autoptr(World) world = marked_world();
    set_text(&mark_of(world)->fingerprint, "0123");
    assert_decides(world, ACTION_EMBED, "its knowledge was edited after it was embedded");
}

static void
test_another_space_is_embedded_again(void)
{
    g_autoptr(World) world = marked_world();
    set_text(&mark_of(world)->space, "openai/m/1024");
    assert_decides(world, ACTION_EMBED, "its vectors are of another space, openai/m/1024");
}

static void
test_another_splitter_cuts_again(void)
{
    g_autoptr(World) world = marked_world();
    set_text(&mark_of(world)->splitter, "newlines");
    assert_decides(world, ACTION_EMBED, "it was cut by the splitter \"newlines\"");
}

/* One that says nothing of its sources cannot tell which are missing. */
static void
test_an_incomplete_mark_does_not_hold(void)
{
    g_autoptr(World) world = marked_world();
    mark_of(world)->complete = false;
    assert_decides(world, ACTION_EMBED, "it was loaded only in part");
}

/* The second source failed when the bot was loaded. */
static World *
partial_world(void)
{
    World *world = world_new();
    const Bot *bot = world_add(world, "ann", "bot", "a.txt", "gone.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    Mark *mark = world_mark(world, bot);
    mark->complete = false;
    mark_source(mark, "gone.txt")->failure = g_strdup("the file is missing");
    return world;
}

static void
test_a_source_that_failed_is_tried_again(void)
{
    g_autoptr(World) world = partial_world();
    assert_decides(
        world, ACTION_EMBED, "1 of 2 sources: it could not be loaded: the file is missing");
    assert_source(world, 0, ACTION_KEEP, NULL);
}

static void
test_a_source_that_still_fails_is_no_reason_to_embed(void)
{
    g_autoptr(World) world = partial_world();
    set_text(&world_look(world, 0, 1)->problem, "the file is missing");
    assert_decides(world, ACTION_BLOCKED, "gone.txt: the file is missing");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_BLOCKED, "gone.txt: the file is missing");
    assert_source(world, 0, ACTION_KEEP, NULL);
}

/* Rows that an earlier run made of it stayed. */
static void
test_rows_that_a_failed_source_left_break_nothing(void)
{
    g_autoptr(World) world = partial_world();
    world_put_rows(world, "bot", "gone.txt", 2);
    mark_of(world)->rows = 5;
    set_text(&world_look(world, 0, 1)->problem, "the file is missing");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_BLOCKED, "gone.txt: the file is missing");
}

static void
test_rows_that_came_or_went_break_the_mark(void)
{
    g_autoptr(World) world = marked_world();
    mark_of(world)->rows = 5;
    assert_decides(world, ACTION_EMBED, "5 rows were marked, 4 are there");
    mark_of(world)->rows = 3;
    assert_decides(world, ACTION_EMBED, "3 rows were marked, 4 are there");
}

/* The mark is written at the end; the file may have changed between its reading and that. */
static void
test_a_file_that_is_not_as_it_was_read_is_embedded(void)
{
    g_autoptr(World) world = marked_world();
    SourceLook *look = world_look(world, 0, 1);
    const char *changed = "1 of 2 sources: the file changed after its rows were made";

    look->facts.modified_ms++;
    assert_decides(world, ACTION_EMBED, changed);
    look->facts.modified_ms -= 2; /* an older one was put in its place */
    assert_decides(world, ACTION_EMBED, changed);
    look->facts.modified_ms++;
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
    look->facts.bytes++;
    assert_decides(world, ACTION_EMBED, changed);
}

static void
test_without_its_facts_a_source_is_compared_with_the_mark(void)
{
    g_autoptr(World) world = marked_world();
    mark_source(mark_of(world), "b.txt")->modified_ms = -1;
    world_look(world, 0, 1)->facts.modified_ms = MARKED_MS;
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
    world_look(world, 0, 1)->facts.modified_ms = MARKED_MS + 1001;
    assert_decides(
        world, ACTION_EMBED, "1 of 2 sources: the file changed after its rows were made");
}

/* Nobody looked at the web. */
static void
test_a_source_nobody_looked_at_is_kept(void)
{
    g_autoptr(World) world = marked_world();
    world_look(world, 0, 1)->facts = (DocumentFacts){.bytes = -1, .modified_ms = -1};
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

static void
test_a_pages_length_is_no_sign_of_change(void)
{
    g_autoptr(World) world = marked_world();
    Bot *bot = world->bots->pdata[0];
    ((Source *) bot->sources->pdata[1])->kind = SOURCE_URL;
    world_look(world, 0, 1)->facts.bytes = 17;
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

static void
test_a_source_that_lost_rows_to_another_is_embedded(void)
{
    g_autoptr(World) world = marked_world();
    mark_source(mark_of(world), "a.txt")->chunks = 2;
    mark_source(mark_of(world), "b.txt")->chunks = 2;
    assert_decides(world, ACTION_EMBED, "2 of 2 sources: 2 rows were loaded, 3 are there");
}

/* Another bucket gives every file another label. */
static void
test_a_mark_does_not_vouch_for_other_labels(void)
{
    g_autoptr(World) world = marked_world();
    set_text(&world_look(world, 0, 0)->label, "s3://another/a.txt");
    assert_source(world, 0, ACTION_EMBED, "no rows in the new store");
    assert_source(world, 1, ACTION_KEEP, NULL);
}

/* An empty page gives no rows; the mark says that it was loaded. */
static void
test_a_mark_vouches_for_a_source_without_rows(void)
{
    g_autoptr(World) world = world_new();
    const Bot *bot = world_add(world, "ann", "bot", "a.txt", "empty.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_mark(world, bot);
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

static void
test_a_mark_does_not_heal_bad_rows(void)
{
    g_autoptr(World) world = world_new();
    const Bot *bot = world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3)->bad_rows = 3;
    world_mark(world, bot);
    assert_decides(world, ACTION_EMBED, "3 rows without text or vector");
}

static void
test_a_mark_of_no_rows_is_one(void)
{
    g_autoptr(World) world = world_new();
    world_mark(world, world_add(world, "ann", "bot", "empty.txt", NULL));
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

/* --- blocked ------------------------------------------------------------------------------- */

static void
test_a_missing_source_blocks_the_bot(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", "gone.txt", NULL);
    set_text(&world_look(world, 0, 1)->problem, "there is no such file");
    assert_decides(world, ACTION_BLOCKED, "gone.txt: there is no such file");
    assert_source(world, 0, ACTION_EMBED, "no rows in the new store");
    assert_source(world, 1, ACTION_BLOCKED, "there is no such file");
}

static void
test_further_missing_sources_are_counted(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "one.txt", "two.txt", "three.txt", NULL);
    for (guint i = 0; i < 3; i++)
        set_text(&world_look(world, 0, i)->problem, "there is no such file");
    assert_decides(world, ACTION_BLOCKED, "one.txt: there is no such file (and 2 more)");
}

static void
test_a_partial_bot_is_embedded_when_allowed(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", "gone.txt", NULL);
    set_text(&world_look(world, 0, 1)->problem, "there is no such file");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_EMBED, "1 of 2 sources: no rows in the new store");
}

static void
test_a_bot_without_any_good_source_stays_blocked(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "gone.txt", NULL);
    set_text(&world_look(world, 0, 0)->problem, "there is no such file");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_BLOCKED, "gone.txt: there is no such file");
}

static void
test_an_edited_bot_without_any_good_source_stays_blocked(void)
{
    g_autoptr(World) world = marked_world();
    set_text(&mark_of(world)->fingerprint, "0123");
    for (guint i = 0; i < 2; i++)
        set_text(&world_look(world, 0, i)->problem, "there is no such file");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_BLOCKED, "a.txt: there is no such file (and 1 more)");
}

static void
test_a_partial_bot_whose_good_sources_are_there_is_blocked(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", "gone.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    set_text(&world_look(world, 0, 1)->problem, "there is no such file");
    world->input.allow_partial = true;
    assert_decides(world, ACTION_BLOCKED, "gone.txt: there is no such file");
}

static void
test_chunks_longer_than_the_model_takes_block(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world->input.max_characters = 1199;
    assert_decides(
        world, ACTION_BLOCKED,
        "its chunks may have 1200 characters, the model takes 1199; --splitter corrected keeps "
        "them below");
    world->input.max_characters = 1200;
    assert_decides(world, ACTION_EMBED, "no rows in the new store");
}

static void
test_long_chunks_that_are_there_already_are_kept(void)
{
    g_autoptr(World) world = marked_world();
    world->input.max_characters = 10;
    assert_decides(world, ACTION_KEEP, "loaded by run earlier");
}

/* --- a whole plan -------------------------------------------------------------------------- */

static const PlannedBot *
planned(const Plan *plan, guint index)
{
    return plan->bots->pdata[index];
}

static void
assert_costs_nothing(const PlannedBot *bot)
{
    g_assert_cmpfloat(bot->chunks.high, ==, 0);
    g_assert_cmpfloat(bot->tokens.high, ==, 0);
    g_assert_cmpfloat(bot->usd.high, ==, 0);
    g_assert_cmpfloat(bot->seconds.high, ==, 0);
}

static void
test_a_plan_has_every_bot_in_order(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "one", "a.txt", NULL);
    world_add(world, "ben", "two", NULL);
    world_put_rows(world, "one", "other.txt", 2);
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpuint(plan->bots->len, ==, 2);
    g_assert_cmpstr(planned(plan, 0)->id, ==, "one");
    g_assert_cmpint(planned(plan, 0)->rows, ==, 2);
    g_assert_cmpfloat(planned(plan, 0)->chunks.expected, >, 0);
    g_assert_cmpstr(planned(plan, 1)->user, ==, "ben");
    assert_costs_nothing(planned(plan, 1));
    g_assert_cmpuint(plan_count(plan, ACTION_EMBED), ==, 1);
    g_assert_cmpuint(plan_count(plan, ACTION_NONE), ==, 1);
    g_autoptr(GHashTable) index = plan_index(plan);
    g_assert_true(plan_find(index, "ben", "two") == planned(plan, 1));
    g_assert_null(plan_find(index, "ann", "two"));
    g_assert_cmpint(plan->created_ms, ==, 4000000);
}

static void
test_twins_cannot_be_told_apart(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_add(world, "ben", "other", "b.txt", NULL);
    world_add(world, "cat", "bot", "c.txt", NULL);
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpint((int) planned(plan, 0)->action, ==, ACTION_BLOCKED);
    g_assert_cmpstr(planned(plan, 0)->reason, ==, "user cat has a bot of the same id");
    g_assert_cmpint((int) planned(plan, 1)->action, ==, ACTION_EMBED);
    g_assert_cmpint((int) planned(plan, 2)->action, ==, ACTION_BLOCKED);
    g_assert_cmpstr(planned(plan, 2)->reason, ==, "user ann has a bot of the same id");
}

/* Whoever is loaded second would delete the rows of the first. */
static void
test_a_twin_that_is_not_selected_blocks_too(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_add(world, "cat", "bot", "c.txt", NULL);
    g_autoptr(GPtrArray) selected = g_ptr_array_new();
    g_autoptr(GPtrArray) looks = g_ptr_array_new();
    g_ptr_array_add(selected, world->bots->pdata[1]);
    g_ptr_array_add(looks, world->looks->pdata[1]);
    world->input.bots = selected;
    world->input.looks = looks;
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpuint(plan->bots->len, ==, 1);
    g_assert_cmpint((int) planned(plan, 0)->action, ==, ACTION_BLOCKED);
    g_assert_cmpstr(planned(plan, 0)->reason, ==, "user ann has a bot of the same id");
}

/* The first of two files was touched, and the mark knows the texts of those that are named. */
static Estimate
tokens_after_a_touch(bool first_known, bool second_known)
{
    g_autoptr(World) world = world_new();
    Bot *bot = world_add(world, "ann", "bot", "a.txt", "b.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 3);
    world_put_rows(world, "bot", "b.txt", 3);
    Mark *mark = world_mark(world, bot);
    mark_source(mark, "a.txt")->knows_text = first_known;
    mark_source(mark, "b.txt")->knows_text = second_known;
    world_look(world, 0, 0)->facts.modified_ms = 5000000;
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpint((int) planned(plan, 0)->action, ==, ACTION_EMBED);
    return planned(plan, 0)->tokens;
}

static void
test_a_source_that_may_read_the_same_may_cost_nothing(void)
{
    const Estimate all = tokens_after_a_touch(false, false);
    const Estimate one = tokens_after_a_touch(false, true);
    const Estimate perhaps = tokens_after_a_touch(true, true);

    g_assert_cmpfloat_with_epsilon(one.expected, all.expected / 2, 1e-9);
    g_assert_cmpfloat_with_epsilon(one.low, all.low / 2, 1e-9);
    g_assert_cmpfloat(perhaps.low, ==, 0);
    g_assert_cmpfloat_with_epsilon(perhaps.expected, one.expected, 1e-9);
}

static void
test_rows_of_a_bot_whose_knowledge_was_taken_away_go(void)
{
    static const BotKind KINDS[] = {BOT_VECTOR, BOT_GHOST, BOT_KNOWLEDGE_BASE};

    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
    {
        g_autoptr(World) world = world_new();
        Bot *bot = world_add(world, "ann", "bot", "a.txt", NULL);
        world_put_rows(world, "bot", "a.txt", 3);
        world_mark(world, bot);
        bot->kind = KINDS[i];
        g_ptr_array_set_size(bot->sources, 0);
        g_autoptr(Plan) plan = plan_make(&world->input);

        g_assert_cmpint((int) planned(plan, 0)->action, ==, ACTION_REMOVE);
        g_assert_true(
            g_str_has_suffix(planned(plan, 0)->reason, "; 3 rows that run earlier loaded go"));
        assert_costs_nothing(planned(plan, 0));
    }
}

/* Nobody knows which of them are whose. */
static void
test_rows_that_others_wrote_never_go(void)
{
    for (int strange = 0; strange < 4; strange++)
    {
        g_autoptr(World) world = world_new();
        Bot *bot = world_add(world, "ann", "bot", "a.txt", NULL);
        SourceRows *rows = world_put_rows(world, "bot", "a.txt", 3);
        Mark *mark = world_mark(world, bot);
        BotRows *there = observation_bot(world->store, "bot");
        if (strange == 0)
        {
            there->mark = NULL;
            mark_free(mark);
        }
        else if (strange == 1)
            mark->rows = 2;
        else if (strange == 2)
            rows->rows = 2;
        else
            mark_source(mark, "a.txt")->failure = g_strdup("gone");
        g_ptr_array_set_size(bot->sources, 0);
        g_autoptr(Plan) plan = plan_make(&world->input);

        g_assert_cmpint((int) planned(plan, 0)->action, ==, ACTION_NONE);
        g_assert_cmpstr(
            planned(plan, 0)->reason, ==,
            "it has no knowledge; 3 rows are there that vecferry did not load: they stay");
    }
}

static void
test_twins_cost_nothing(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_add(world, "cat", "bot", "c.txt", NULL);
    g_autoptr(Plan) plan = plan_make(&world->input);

    assert_costs_nothing(planned(plan, 0));
    assert_costs_nothing(planned(plan, 1));
    g_assert_cmpfloat(plan->usd.high, ==, 0);
}

static GHashTable *
known_ids(const World *world)
{
    GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < world->bots->len; i++)
        g_hash_table_add(known, ((const Bot *) world->bots->pdata[i])->id);
    return known;
}

static void
test_orphans_are_told_by_id(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "bot", "a.txt", 1);
    world_put_rows(world, "lost-b", "x", 4);
    world_put_rows(world, "lost-a", "x", 2);
    observation_bot(world->store, "marked-only");
    g_autoptr(GHashTable) known = known_ids(world);
    world->input.known = known;
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpuint(plan->bots->len, ==, 3);
    g_assert_cmpuint(plan_count(plan, ACTION_ORPHAN), ==, 2);
    g_assert_cmpstr(planned(plan, 1)->id, ==, "lost-a");
    g_assert_cmpstr(planned(plan, 1)->reason, ==, "2 rows of no bot in the catalogue");
    g_assert_cmpint(planned(plan, 1)->rows, ==, 2);
    g_assert_cmpstr(planned(plan, 2)->id, ==, "lost-b");
    assert_costs_nothing(planned(plan, 2));
}

static void
test_a_selection_finds_no_orphans(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    world_put_rows(world, "lost", "x", 4);
    g_autoptr(Plan) plan = plan_make(&world->input);
    g_assert_cmpuint(plan_count(plan, ACTION_ORPHAN), ==, 0);
}

static void
test_an_empty_catalogue_gives_an_empty_plan(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(Plan) plan = plan_make(&world->input);
    g_assert_cmpuint(plan->bots->len, ==, 0);
    g_assert_cmpfloat(plan->seconds.high, ==, 0);
}

static void
test_the_same_question_gets_the_same_id(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    g_autoptr(Plan) first = plan_make(&world->input);
    world->input.now_ms++;
    world_put_rows(world, "bot", "a.txt", 4);
    g_autoptr(Plan) second = plan_make(&world->input);
    world->input.space = "another";
    g_autoptr(Plan) third = plan_make(&world->input);

    g_assert_cmpstr(first->id, ==, second->id);
    g_assert_cmpstr(first->id, !=, third->id);
}

static void
test_what_is_blocked_costs_nothing_and_what_is_kept_comes_along(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "kept.txt", "new.txt", "gone.txt", NULL);
    world_put_rows(world, "bot", "kept.txt", 3);
    set_text(&world_look(world, 0, 2)->problem, "there is no such file");
    world->input.allow_partial = true;
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_autoptr(World) two = world_new();
    world_add(two, "ann", "bot", "kept.txt", "new.txt", NULL);
    g_autoptr(Plan) whole = plan_make(&two->input);
    g_assert_cmpfloat(plan->tokens.expected, ==, whole->tokens.expected);
}

static void
test_embedding_is_possible_and_recommended(void)
{
    g_autoptr(World) world = world_new();
    world_add(world, "ann", "bot", "a.txt", NULL);
    g_autoptr(Plan) plan = plan_make(&world->input);

    g_assert_cmpuint(plan->methods->len, ==, 3);
    for (guint i = 0; i < plan->methods->len; i++)
    {
        const Method *method = &g_array_index(plan->methods, Method, i);
        const bool embeds = strcmp(method->name, "embed") == 0;
        g_assert_true(method->possible == embeds);
        g_assert_true(method->recommended == embeds);
        g_assert_true((method->seconds.expected >= 0) == embeds);
        g_assert_nonnull(method->stop);
        g_assert_nonnull(method->risk);
        g_assert_nonnull(method->needs);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/actions/" #name, test_##name)
    TEST(without_knowledge_there_is_nothing_to_do);
    TEST(a_knowledge_base_is_left_alone);
    TEST(a_source_that_may_read_the_same_may_cost_nothing);
    TEST(rows_of_a_bot_whose_knowledge_was_taken_away_go);
    TEST(rows_that_others_wrote_never_go);
    TEST(a_ghost_is_left_alone);
    TEST(a_malformed_item_blocks);
    TEST(what_is_not_there_is_embedded);
    TEST(an_overlap_like_the_size_is_warned_of);
    TEST(the_first_of_several_reasons_is_told);
    TEST(rows_of_every_source_are_kept_on_trust);
    TEST(another_bots_rows_do_not_count);
    TEST(rows_without_text_or_vector_are_not_kept);
    TEST(a_file_that_is_newer_than_its_rows_is_embedded);
    TEST(without_both_times_rows_are_kept);
    TEST(rows_of_strangers_are_not_kept);
    TEST(two_sources_of_one_label_are_no_strangers);
    TEST(a_mark_keeps_its_rows);
    TEST(an_edited_bot_is_embedded_again);
    TEST(another_space_is_embedded_again);
    TEST(another_splitter_cuts_again);
    TEST(an_incomplete_mark_does_not_hold);
    TEST(a_source_that_failed_is_tried_again);
    TEST(a_source_that_still_fails_is_no_reason_to_embed);
    TEST(rows_that_a_failed_source_left_break_nothing);
    TEST(rows_that_came_or_went_break_the_mark);
    TEST(a_file_that_is_not_as_it_was_read_is_embedded);
    TEST(without_its_facts_a_source_is_compared_with_the_mark);
    TEST(a_source_nobody_looked_at_is_kept);
    TEST(a_pages_length_is_no_sign_of_change);
    TEST(a_source_that_lost_rows_to_another_is_embedded);
    TEST(a_mark_vouches_for_a_source_without_rows);
    TEST(a_mark_does_not_vouch_for_other_labels);
    TEST(a_mark_does_not_heal_bad_rows);
    TEST(a_mark_of_no_rows_is_one);
    TEST(a_missing_source_blocks_the_bot);
    TEST(further_missing_sources_are_counted);
    TEST(a_partial_bot_is_embedded_when_allowed);
    TEST(a_bot_without_any_good_source_stays_blocked);
    TEST(an_edited_bot_without_any_good_source_stays_blocked);
    TEST(a_partial_bot_whose_good_sources_are_there_is_blocked);
    TEST(chunks_longer_than_the_model_takes_block);
    TEST(long_chunks_that_are_there_already_are_kept);
    TEST(a_plan_has_every_bot_in_order);
    TEST(twins_cannot_be_told_apart);
    TEST(a_twin_that_is_not_selected_blocks_too);
    TEST(twins_cost_nothing);
    TEST(orphans_are_told_by_id);
    TEST(a_selection_finds_no_orphans);
    TEST(an_empty_catalogue_gives_an_empty_plan);
    TEST(the_same_question_gets_the_same_id);
    TEST(what_is_blocked_costs_nothing_and_what_is_kept_comes_along);
    TEST(embedding_is_possible_and_recommended);
    return g_test_run();
}
