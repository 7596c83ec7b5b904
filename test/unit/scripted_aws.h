/*
 * scripted_aws.h - a client of AWS whose server, clock and chance are the test's.
 *
 *     static const Step STEPS[] = {{"200 OK", NULL, "{}", false}};
 *     g_auto(Stage) stage;
 *     OPEN(stage, STEPS);
 */
#pragma once

#include "aws/client.h"
#include "base/error.h"
#include "scripted_server.h"

#define TOKEN "TOK/en+with==sign"
#define SECRET "s3cr3t/s3cr3t"

/* What the server says to one request after the other; the last is said again and again. */
typedef struct
{
    const char *status; /* NULL: hangs up */
    const char *headers;
    const char *body;
    bool cut; /* hangs up in the middle of the body */
} Step;

typedef struct
{
    const Step *steps;
    guint count;
    atomic_uint served;
    atomic_uint keys; /* how often credentials were fetched from /creds */
} Play;

static inline void
give_keys(int fd, Play *play)
{
    g_autofree char *body = g_strdup_printf(
        "{\"AccessKeyId\":\"AKID%u\",\"SecretAccessKey\":\"" SECRET "\",\"Token\":\"" TOKEN "\","
        "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
        atomic_fetch_add(&play->keys, 1) + 1);
    say_answer(fd, "200 OK", "", body);
}

static inline bool
act(int fd, const ServedRequest *request, void *data)
{
    Play *play = data;
    if (strcmp(request->path, "/creds") == 0)
    {
        give_keys(fd, play);
        return true;
    }
    const guint i = atomic_fetch_add(&play->served, 1);
    const Step *step = &play->steps[MIN(i, play->count - 1)];
    const char *headers = step->headers != NULL ? step->headers : "";

    if (step->status == NULL)
        return false;
    if (step->cut)
    {
        g_autofree char *text = g_strdup_printf(
            "HTTP/1.1 %s\r\nContent-Length: 1000\r\n%s\r\n%s", step->status, headers, step->body);
        say(fd, text);
        return false;
    }
    say_answer(fd, step->status, headers, step->body != NULL ? step->body : "");
    return true;
}

/* Waits take no time, and are remembered; every look at the clock is a second later. */
typedef struct
{
    pthread_mutex_t mutex;
    GArray *waits; /* of gint64 */
    gint64 now_s;
    Cancel *cancel_at_wait;
} Time;

static inline gint64
next_second(void *data)
{
    Time *time = data;
    pthread_mutex_lock(&time->mutex);
    const gint64 now_s = time->now_s++;
    pthread_mutex_unlock(&time->mutex);
    return now_s;
}

static inline double
half(void *data)
{
    (void) data;
    return 0.5;
}

static inline bool
remember_wait(void *data, gint64 ms, Cancel *cancel)
{
    Time *time = data;
    pthread_mutex_lock(&time->mutex);
    g_array_append_val(time->waits, ms);
    pthread_mutex_unlock(&time->mutex);
    if (time->cancel_at_wait != NULL)
        cancel_request(time->cancel_at_wait);
    return !cancel_requested(cancel);
}

/* A server, a client of it, and their time. */
typedef struct
{
    Play play;
    Time time;
    AwsTiming timing;
    Server *server;
    AwsClient *client;
} Stage;

#define NOW_S 1790000000 /* 2026-09-21T14:13:20Z */
#define NOW_DATE "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"

static inline void
stage_clear(Stage *stage)
{
    aws_client_free(stage->client);
    server_stop(stage->server);
    g_array_unref(stage->time.waits);
    pthread_mutex_destroy(&stage->time.mutex);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static inline void
stage_open_with(Stage *stage, Script script, const Step *steps, guint count)
{
    g_autoptr(GError) error = NULL;

    *stage = (Stage){.play = {.steps = steps, .count = count}, .time = {.now_s = NOW_S}};
    stage->timing = (AwsTiming){next_second, half, remember_wait, &stage->time};
    pthread_mutex_init(&stage->time.mutex, NULL);
    stage->time.waits = g_array_new(FALSE, FALSE, sizeof(gint64));
    stage->server = server_start(script, &stage->play);

    g_autofree char *url = server_url(stage->server, "");
    const AwsClientOptions options = {
        .region = "eu-central-1", .endpoint = url, .timing = &stage->timing};
    stage->client = aws_client_new(&options, NULL, &error);
    g_assert_no_error(error);
}

static inline void
stage_open(Stage *stage, const Step *steps, guint count)
{
    stage_open_with(stage, act, steps, count);
}

#define OPEN(stage, steps) stage_open(&(stage), steps, G_N_ELEMENTS(steps))

static inline guint
served_count(Stage *stage)
{
    return atomic_load(&stage->play.served);
}

static inline gint64
wait_number(const Stage *stage, guint i)
{
    g_assert_cmpuint(i, <, stage->time.waits->len);
    return g_array_index(stage->time.waits, gint64, i);
}

static inline bool
says(const ServedRequest *request, const char *line)
{
    g_autofree char *whole = g_strconcat("\r\n", line, NULL);
    return strcasestr(request->head, whole) != NULL;
}

static inline void
set_keys(bool own)
{
    if (own)
    {
        g_setenv("AWS_ACCESS_KEY_ID", "AKID", TRUE);
        g_setenv("AWS_SECRET_ACCESS_KEY", SECRET, TRUE);
        g_setenv("AWS_SESSION_TOKEN", TOKEN, TRUE);
        g_unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        return;
    }
    g_unsetenv("AWS_ACCESS_KEY_ID");
    g_unsetenv("AWS_SECRET_ACCESS_KEY");
    g_unsetenv("AWS_SESSION_TOKEN");
}

/* Nothing of the machine's own configuration must reach a test. */
static inline void
forget_the_machine(void)
{
    g_auto(GStrv) variables = g_listenv();

    for (size_t i = 0; variables[i] != NULL; i++)
        if (g_str_has_prefix(variables[i], "AWS_"))
            g_unsetenv(variables[i]);
    g_setenv("AWS_CONFIG_FILE", "/nonexistent", TRUE);
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", TRUE);
    g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
    set_keys(true);
}
