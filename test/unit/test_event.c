#include "base/error.h"
#include "base/json.h"
#include "model/event.h"

#include <stdlib.h>
#include <string.h>

static void
assert_line(WorkEvent event, const char *expected)
{
    g_autofree char *line = work_event_to_line(&event);
    g_assert_cmpstr(line, ==, expected);
}

static void
read_line(const char *line, WorkEvent *event)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(work_event_from_line(line, event, &error));
    g_assert_no_error(error);
}

#define TEXT(literal) ((char[]){literal})

static void
test_says_what_the_header_says(void)
{
    assert_line(
        (WorkEvent){.kind = EVENT_STARTED, .worker = TEXT("vecferry-r-1")},
        "{\"event\":\"started\",\"worker\":\"vecferry-r-1\"}");
    assert_line(
        (WorkEvent){.kind = EVENT_SOURCE, .source = TEXT("a.pdf"), .chunks = 3},
        "{\"event\":\"source\",\"source\":\"a.pdf\",\"chunks\":3}");
    assert_line(
        (WorkEvent){
            .kind = EVENT_SOURCE_FAILED,
            .source = TEXT("a.pdf"),
            .code = TEXT("bad-input"),
            .reason = TEXT("no text"),
        },
        "{\"event\":\"source-failed\",\"source\":\"a.pdf\",\"code\":\"bad-input\","
        "\"reason\":\"no text\"}");
    assert_line(
        (WorkEvent){.kind = EVENT_PROGRESS, .chunks = 5, .reused = 2, .tokens = 70},
        "{\"event\":\"progress\",\"chunks\":5,\"reused\":2,\"tokens\":70}");
    assert_line(
        (WorkEvent){.kind = EVENT_THROTTLED, .wait_ms = 60000},
        "{\"event\":\"throttled\",\"wait_ms\":60000}");
    assert_line(
        (WorkEvent){.kind = EVENT_FINAL, .succeeded = true, .chunks = 5, .tokens = 70},
        "{\"event\":\"final\",\"state\":\"succeeded\",\"chunks\":5,\"reused\":0,\"tokens\":70}");
    assert_line(
        (WorkEvent){.kind = EVENT_FINAL, .code = TEXT("busy"), .reason = TEXT("later")},
        "{\"event\":\"final\",\"state\":\"failed\",\"code\":\"busy\",\"reason\":\"later\","
        "\"chunks\":0,\"reused\":0,\"tokens\":0}");
}

static void
test_every_event_comes_back_the_same(void)
{
    for (int kind = EVENT_STARTED; kind < EVENT_OTHER; kind++)
    {
        const WorkEvent sent = {
            .kind = (EventKind) kind,
            .succeeded = kind == EVENT_FINAL,
            .worker = TEXT("w"),
            .source = TEXT("a \"quoted\" é"),
            .code = TEXT("failed"),
            .reason = TEXT("first\nsecond\t\\"),
            .chunks = kind == EVENT_SOURCE || kind == EVENT_PROGRESS || kind == EVENT_FINAL
                          ? G_MAXINT64
                          : 0,
            .reused = kind == EVENT_PROGRESS || kind == EVENT_FINAL ? 2 : 0,
            .tokens = kind == EVENT_PROGRESS || kind == EVENT_FINAL ? 3 : 0,
            .wait_ms = kind == EVENT_THROTTLED ? 4 : 0,
        };
        g_autofree char *line = work_event_to_line(&sent);
        g_auto(WorkEvent) again = {0};

        g_assert_null(strchr(line, '\n'));
        read_line(line, &again);
        g_assert_cmpint((int) again.kind, ==, kind);
        g_assert_true(again.succeeded == sent.succeeded);
        g_assert_cmpstr(again.worker, ==, sent.worker);
        g_assert_cmpstr(again.source, ==, sent.source);
        g_assert_cmpstr(again.code, ==, sent.code);
        g_assert_cmpstr(again.reason, ==, sent.reason);
        g_assert_cmpint(again.chunks, ==, sent.chunks);
        g_assert_cmpint(again.reused, ==, sent.reused);
        g_assert_cmpint(again.tokens, ==, sent.tokens);
        g_assert_cmpint(again.wait_ms, ==, sent.wait_ms);
    }
}

static void
test_a_newer_worker_may_say_more(void)
{
    g_auto(WorkEvent) event = {0};
    g_auto(WorkEvent) other = {0};

    read_line("{\"event\":\"progress\",\"chunks\":1,\"mood\":{\"good\":[1,2]}}", &event);
    g_assert_cmpint((int) event.kind, ==, EVENT_PROGRESS);
    g_assert_cmpint(event.chunks, ==, 1);
    read_line("{\"event\":\"tea-break\",\"chunks\":4}", &other);
    g_assert_cmpint((int) other.kind, ==, EVENT_OTHER);
}

static void
test_what_is_no_event_is_bad_input(void)
{
    static const char *const LINES[] = {
        "",
        " ",
        "hello",
        "{",
        "[]",
        "null",
        "\"started\"",
        "{}",
        "{\"event\":1}",
        "{\"event\":null}",
        "{\"event\":\"started\"} and more",
        "{\"event\":\"started\",\"event\":\"final\"}",
        "{\"event\":\"started\xff\"}",
        "{\"event\":\"star\\u0000ted\"}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(LINES); i++)
    {
        WorkEvent event = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(work_event_from_line(LINES[i], &event, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
        g_assert_null(event.worker);
    }
}

static void
test_a_deep_line_is_bad_input(void)
{
    g_autofree char *open = g_strnfill(60000, '[');
    g_autofree char *line = g_strconcat("{\"event\":\"started\",\"x\":", open, NULL);
    WorkEvent event = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(work_event_from_line(line, &event, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpuint(strlen(error->message), <, 300);
}

static void
test_members_of_a_wrong_type_count_as_absent(void)
{
    g_auto(WorkEvent) event = {0};
    read_line(
        "{\"event\":\"final\",\"state\":true,\"reason\":[],\"chunks\":\"5\",\"reused\":-3,"
        "\"tokens\":1e99}",
        &event);
    g_assert_false(event.succeeded);
    g_assert_null(event.reason);
    g_assert_cmpint(event.chunks, ==, 0);
    g_assert_cmpint(event.reused, ==, 0);
    g_assert_cmpint(event.tokens, ==, 0);
}

static void
test_a_final_event_without_a_state_is_no_success(void)
{
    g_auto(WorkEvent) event = {0};
    read_line("{\"event\":\"final\"}", &event);
    g_assert_cmpint((int) event.kind, ==, EVENT_FINAL);
    g_assert_false(event.succeeded);
}

/* Servers and systems speak in the encoding they like. */
static void
test_a_reason_in_another_encoding_is_still_told(void)
{
    const WorkEvent event = {.kind = EVENT_FINAL, .reason = TEXT("r\xf4le \"me\" n'existe pas")};
    g_autofree char *line = work_event_to_line(&event);
    g_auto(WorkEvent) again = {0};

    read_line(line, &again);
    g_assert_cmpstr(again.reason, ==, "r\357\277\275le \"me\" n'existe pas");
}

static void
test_clearing_twice_is_harmless(void)
{
    WorkEvent event = {.kind = EVENT_FINAL, .reason = g_strdup("x")};
    work_event_clear(&event);
    work_event_clear(&event);
    g_assert_null(event.reason);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/event/" #name, test_##name)
    TEST(says_what_the_header_says);
    TEST(every_event_comes_back_the_same);
    TEST(a_newer_worker_may_say_more);
    TEST(what_is_no_event_is_bad_input);
    TEST(a_deep_line_is_bad_input);
    TEST(members_of_a_wrong_type_count_as_absent);
    TEST(a_final_event_without_a_state_is_no_success);
    TEST(a_reason_in_another_encoding_is_still_told);
    TEST(clearing_twice_is_harmless);
    return g_test_run();
}
