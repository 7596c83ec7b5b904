#include "base/error.h"
#include "catalogue/catalogue.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define KEYS(user, id)                                                                             \
    "\"PK\":{\"S\":\"" user "\"},\"SK\":{\"S\":\"" user "#BOT#" id "\"},\"Title\":{\"S\":\"\"}"
#define BOT(user, id) "{" KEYS(user, id) "}"
#define BOT_USED(user, id, ms) "{" KEYS(user, id) ",\"LastBotUsed\":{\"N\":\"" ms "\"}}"
#define CONVERSATION "{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#CONV#c\"}}"
#define PAGE(items) "{\"Items\":[" items "]}"

/* A folder for one test, removed afterwards. */
typedef struct
{
    char *path;
} Folder;

static void
remove_tree(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
    {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        {
            g_autofree char *inner = g_build_filename(path, name, NULL);
            remove_tree(inner);
        }
    }
    g_remove(path);
}

static void
set_up(Folder *folder, const void *unused)
{
    (void) unused;
    folder->path = g_dir_make_tmp("catalogue-XXXXXX", NULL);
    g_assert_nonnull(folder->path);
}

static void
tear_down(Folder *folder, const void *unused)
{
    (void) unused;
    remove_tree(folder->path);
    g_free(folder->path);
}

static char *
path_in(const Folder *folder, const char *name)
{
    return g_build_filename(folder->path, name, NULL);
}

static char *
write_file(const Folder *folder, const char *name, const char *text)
{
    char *path = path_in(folder, name);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void
add_file(const Folder *folder, const char *name, const char *text)
{
    g_free(write_file(folder, name, text));
}

static void
add_packed_file(const Folder *folder, const char *name, const char *text)
{
    add_file(folder, name, "");
    g_autofree char *path = path_in(folder, name);
    gzFile file = gzopen(path, "wb");

    g_assert_cmpint(gzputs(file, text), ==, (int) strlen(text));
    g_assert_cmpint(gzclose(file), ==, Z_OK);
}

/* The bots as `user/id` with a blank after each, or NULL with the error. */
static char *
listed(const char *path, GError **error)
{
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, error);
    if (catalogue == NULL)
        return NULL;
    g_autoptr(GPtrArray) bots = catalogue->list(catalogue, NULL, error);
    if (bots == NULL)
        return NULL;

    GString *text = g_string_new(NULL);
    for (guint i = 0; i < bots->len; i++)
    {
        const Bot *bot = bots->pdata[i];
        g_string_append_printf(text, "%s/%s ", bot->user, bot->id);
    }
    return g_string_free(text, FALSE);
}

static void
assert_listed(const char *path, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bots = listed(path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(bots, ==, expected);
}

static void
assert_refused(const char *path, VfError code, const char *reason, const char *remedy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bots = listed(path, &error);

    g_assert_null(bots);
    g_assert_error(error, VF_ERROR, (gint) code);
    const char *hint = strchr(error->message, '\n');
    if (strstr(error->message, reason) == NULL)
        g_error("\"%s\" does not say \"%s\"", error->message, reason);
    if (remedy != NULL && (hint == NULL || strstr(hint, remedy) == NULL))
        g_error("\"%s\" does not advise \"%s\"", error->message, remedy);
}

static void
assert_text_refused(const Folder *folder, const char *text, const char *reason, const char *remedy)
{
    g_autofree char *path = write_file(folder, "bots.json", text);

    assert_refused(path, VF_ERROR_BAD_INPUT, reason, remedy);
}

static void
test_lists_bots_and_leaves_out_all_else(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(
        folder, "bots.json",
        PAGE(CONVERSATION "," BOT("u", "a") ",{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT_ALIAS#"
                                            "x\"}}," BOT("u", "b") "," CONVERSATION));
    assert_listed(path, "u/a u/b ");
}

static void
test_sorts_by_use_then_user_then_id(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(
        folder, "bots.json",
        PAGE(BOT("v", "b") "," BOT("v", "a") "," BOT("u", "c") "," BOT_USED(
            "z", "old", "5") "," BOT_USED("z", "new", "6")));
    assert_listed(path, "z/new z/old u/c v/a v/b ");
}

static void
test_finds_a_bot_whose_key_is_escaped(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(
        folder, "bots.json",
        PAGE(CONVERSATION ",{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u\\u0023BOT\\u0023a\"}},"
                          "{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#\\u0042O\\u0054#b\"}},"
                          "{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#B\\u004FT#c\"}}"));
    assert_listed(path, "u/a u/b u/c ");
}

static void
test_a_table_without_bots_is_an_empty_list(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "bots.json", PAGE(CONVERSATION));
    assert_listed(path, "");
}

static void
test_a_malformed_bot_spoils_no_other(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(
        folder, "bots.json",
        PAGE("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#a\"},\"Title\":{\"S\":\"\\ud800\"}},"
             "{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#b\"},\"Title\":{\"N\":\"1\"}}," BOT(
                 "u", "c")));
    g_autoptr(GError) error = NULL;
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, &error);
    g_autoptr(GPtrArray) bots = catalogue->list(catalogue, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(bots->len, ==, 3);
    g_assert_cmpint(((const Bot *) bots->pdata[0])->kind, ==, BOT_MALFORMED);
    g_assert_cmpstr(((const Bot *) bots->pdata[1])->problem, ==, "Title is a number, not a text");
    g_assert_cmpint(((const Bot *) bots->pdata[2])->kind, ==, BOT_VECTOR);
}

static void
test_a_folder_stands_for_its_files(Folder *folder, const void *unused)
{
    (void) unused;
    add_file(folder, "1.json", PAGE(BOT("u", "a")));
    add_packed_file(folder, "2.json.gz", "{\"Item\":" BOT("u", "b") "}\n");
    add_file(folder, "notes.txt", "not read");
    add_file(folder, ".hidden.json", "not read");
    assert_listed(folder->path, "u/a u/b ");
}

static void
test_a_folder_of_an_export_stands_for_its_data(Folder *folder, const void *unused)
{
    (void) unused;
    add_packed_file(folder, "data/x.json.gz", "{\"Item\":" BOT("u", "a") "}\n");
    assert_listed(folder->path, "u/a ");
    add_file(folder, "manifest-summary.json", "{\"itemCount\":1}");
    assert_listed(folder->path, "u/a ");
}

static void
test_an_export_must_be_what_its_manifest_says(Folder *folder, const void *unused)
{
    (void) unused;
    add_packed_file(folder, "data/x.json.gz", "{\"Item\":" BOT("u", "a") "}\n");
    add_file(
        folder, "manifest-files.json",
        "{\"itemCount\":1,\"dataFileS3Key\":\"p/AWSDynamoDB/1-2/data/x.json.gz\"}\n");
    assert_listed(folder->path, "u/a ");

    add_file(
        folder, "manifest-files.json",
        "{\"itemCount\":2,\"dataFileS3Key\":\"p/AWSDynamoDB/1-2/data/x.json.gz\"}\n");
    assert_refused(
        folder->path, VF_ERROR_BAD_INPUT, "it holds 1 items, the export's manifest says 2",
        "copy the whole export");

    add_file(
        folder, "manifest-files.json",
        "{\"itemCount\":1,\"dataFileS3Key\":\"p/AWSDynamoDB/1-2/data/x.json.gz\"}\n"
        "{\"itemCount\":1,\"dataFileS3Key\":\"p/AWSDynamoDB/1-2/data/y.json.gz\"}\n");
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, "y.json.gz\", which is not there", "copy");

    add_file(folder, "manifest-files.json", "{\"itemCount\":1,\"dataFileS3Key\":\"data/..\"}");
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, "manifest", NULL);
    add_file(folder, "manifest-files.json", "x");
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, "line 1: no \"itemCount\"", NULL);
}

#define CONTINUED(items) "{\"Items\":[" items "],\"LastEvaluatedKey\":{\"PK\":{\"S\":\"u\"}}}"

static void
test_a_scan_must_be_complete(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "page9.json", CONTINUED(BOT("u", "a")));

    assert_refused(path, VF_ERROR_BAD_INPUT, "the scan is not complete", "--max-items");
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, "the scan is not complete", "--max-items");
    add_file(folder, "page10.json", PAGE(BOT("u", "b")));
    assert_listed(folder->path, "u/a u/b ");
    add_file(folder, "page10.json", CONTINUED(""));
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, "the scan is not complete", "--max-items");
}

static void
test_the_same_bot_twice_is_an_error_that_names_both_places(Folder *folder, const void *unused)
{
    (void) unused;
    add_file(folder, "export.json", "\n{\"Item\":" BOT("u", "a") "}\n");
    add_file(folder, "scan.json", PAGE(BOT("v", "a") ",\n\n" BOT("u", "a")));
    g_autofree char *first = g_strconcat(folder->path, "/export.json\" line 2 and ", NULL);
    g_autofree char *second = g_strconcat(folder->path, "/scan.json\" line 3", NULL);

    assert_refused(folder->path, VF_ERROR_BAD_INPUT, first, "different times");
    assert_refused(folder->path, VF_ERROR_BAD_INPUT, second, "keep the newest");
}

static void
test_says_what_to_do_about_a_wrong_file(Folder *folder, const void *unused)
{
    (void) unused;
    assert_text_refused(folder, "", "not a single item", "ConversationTableName");
    assert_text_refused(folder, PAGE(""), "not a single item", "ConversationTableName");
    assert_text_refused(
        folder, PAGE("{\"id\":{\"S\":\"x\"}}"), "no item has the keys PK and SK",
        "ConversationTableName");
    assert_text_refused(
        folder, PAGE("{\"PK\":\"u\",\"SK\":\"u#BOT#b\"}"), "line 1",
        "this looks like plain JSON; use the unchanged output of `aws dynamodb scan`");
    assert_text_refused(
        folder, "[{\"PK\":\"u\"}]", "found '['", "use the unchanged output of `aws dynamodb scan");
    assert_text_refused(folder, "PK,SK\n", "line 1 (byte 0)", "--output json");
    assert_text_refused(folder, "{\"Items\":[{", "the file ends", "cut off");
    assert_text_refused(
        folder, PAGE(CONVERSATION ",{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"BOT#b\"}}"), "version 3",
        "versions 0.4 to 2");
}

static void
test_only_files_that_can_be_read_again_will_do(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *pipe = path_in(folder, "pipe.json");
    g_autofree char *missing = path_in(folder, "missing.json");

    assert_refused(folder->path, VF_ERROR_USAGE, "holds no .json or .json.gz file", NULL);
    assert_refused(missing, VF_ERROR_USAGE, "No such file", NULL);
    assert_refused("/dev/null", VF_ERROR_USAGE, "not a regular file", "to a file first");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    assert_refused(pipe, VF_ERROR_USAGE, "not a regular file", "to a file first");
    assert_refused(folder->path, VF_ERROR_USAGE, "not a regular file", "to a file first");
}

static void
assert_read(Catalogue *catalogue, const char *user, const char *id, gint64 last_used_ms)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Bot) bot = catalogue->read(catalogue, user, id, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(bot->id, ==, id);
    g_assert_cmpint(bot->last_used_ms, ==, last_used_ms);
}

static void
assert_gone(Catalogue *catalogue, const char *user, const char *id)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(catalogue->read(catalogue, user, id, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
}

static void
test_reads_a_bot_as_it_is_now(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a") "," BOT("v", "b")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);

    assert_read(catalogue, "u", "a", 0);
    assert_read(catalogue, "v", "b", 0);
    assert_gone(catalogue, "u", "b");

    add_file(folder, "b.json", PAGE(BOT_USED("u", "a", "7")));
    assert_read(catalogue, "u", "a", 7);
    assert_gone(catalogue, "v", "b");
}

static void
test_an_unchanged_file_is_not_read_again(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);
    g_autoptr(Bot) first = catalogue->read(catalogue, "u", "a", NULL, NULL);
    g_autoptr(Bot) second = catalogue->read(catalogue, "u", "a", NULL, NULL);

    g_assert_true(first == second);
}

typedef struct
{
    const char *path;
    atomic_long touches;
    atomic_bool enough;
} Toucher;

static void *
touch_often(void *data)
{
    Toucher *toucher = data;

    while (!atomic_load(&toucher->enough))
    {
        const long number = atomic_fetch_add(&toucher->touches, 1);
        const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = number}};
        g_assert_cmpint(utimensat(AT_FDCWD, toucher->path, times, 0), ==, 0);
    }
    return NULL;
}

static void
test_a_file_that_changes_while_it_is_read_is_busy(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *space = g_strnfill(32 * 1024 * 1024, ' ');
    g_autofree char *text = g_strconcat(space, PAGE(BOT("u", "a")), NULL);
    g_autofree char *path = write_file(folder, "b.json", text);
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);
    g_autoptr(GError) error = NULL;
    Toucher toucher = {.path = path};
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, touch_often, &toucher), ==, 0);
    while (atomic_load(&toucher.touches) < 2)
        sched_yield();
    g_autoptr(GPtrArray) bots = catalogue->list(catalogue, NULL, &error);
    atomic_store(&toucher.enough, true);
    pthread_join(thread, NULL);

    g_assert_null(bots);
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    assert_read(catalogue, "u", "a", 0);
}

static void
test_a_file_that_broke_meanwhile_is_an_error_until_it_is_mended(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);
    assert_read(catalogue, "u", "a", 0);

    add_file(folder, "b.json", "{\"Items\":[");
    for (int i = 0; i < 2; i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(catalogue->read(catalogue, "u", "a", NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    }

    add_file(folder, "b.json", PAGE(BOT_USED("u", "a", "8")));
    assert_read(catalogue, "u", "a", 8);

    g_autoptr(GError) error = NULL;
    g_remove(path);
    g_assert_null(catalogue->list(catalogue, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_a_new_file_in_the_folder_is_seen(Folder *folder, const void *unused)
{
    (void) unused;
    add_file(folder, "1.json", PAGE(BOT("u", "a")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(folder->path, NULL);
    assert_gone(catalogue, "u", "b");
    add_file(folder, "2.json", PAGE(BOT("u", "b")));
    assert_read(catalogue, "u", "b", 0);
}

static void
test_a_list_outlives_what_follows(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a")));
    Catalogue *catalogue = catalogue_file_new(path, NULL);
    g_autoptr(GPtrArray) bots = catalogue->list(catalogue, NULL, NULL);

    g_assert_cmpstr(catalogue->name, ==, path);
    add_file(folder, "b.json", PAGE(BOT("u", "b")));
    assert_read(catalogue, "u", "b", 0);
    catalogue_free(catalogue);
    catalogue_free(NULL);
    g_assert_cmpstr(((const Bot *) bots->pdata[0])->id, ==, "a");
}

static void
test_stops_when_asked(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;

    cancel_request(cancel);
    g_assert_null(catalogue->list(catalogue, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_null(catalogue->list(catalogue, cancel, NULL));
}

static void *
read_often(void *data)
{
    Catalogue *catalogue = data;

    for (int i = 0; i < 200; i++)
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(Bot) bot = catalogue->read(catalogue, "u", "a", NULL, &error);
        g_autoptr(GPtrArray) bots = bot != NULL ? catalogue->list(catalogue, NULL, &error) : NULL;
        if (bots != NULL)
            g_assert_cmpuint(bots->len, ==, 1);
        else
            g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    }
    return NULL;
}

static void
test_several_threads_may_read_while_the_file_changes(Folder *folder, const void *unused)
{
    (void) unused;
    g_autofree char *path = write_file(folder, "b.json", PAGE(BOT("u", "a")));
    g_autoptr(Catalogue) catalogue = catalogue_file_new(path, NULL);
    pthread_t threads[4];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, read_often, catalogue), ==, 0);
    for (int i = 0; i < 50; i++)
        add_file(folder, "b.json", i % 2 ? PAGE(BOT("u", "a")) : PAGE(BOT_USED("u", "a", "9")));
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add("/catalogue/" #name, Folder, NULL, set_up, test_##name, tear_down)
    TEST(lists_bots_and_leaves_out_all_else);
    TEST(sorts_by_use_then_user_then_id);
    TEST(finds_a_bot_whose_key_is_escaped);
    TEST(a_table_without_bots_is_an_empty_list);
    TEST(a_malformed_bot_spoils_no_other);
    TEST(a_folder_stands_for_its_files);
    TEST(a_folder_of_an_export_stands_for_its_data);
    TEST(an_export_must_be_what_its_manifest_says);
    TEST(a_scan_must_be_complete);
    TEST(the_same_bot_twice_is_an_error_that_names_both_places);
    TEST(says_what_to_do_about_a_wrong_file);
    TEST(only_files_that_can_be_read_again_will_do);
    TEST(reads_a_bot_as_it_is_now);
    TEST(an_unchanged_file_is_not_read_again);
    TEST(a_file_that_changes_while_it_is_read_is_busy);
    TEST(a_file_that_broke_meanwhile_is_an_error_until_it_is_mended);
    TEST(a_new_file_in_the_folder_is_seen);
    TEST(a_list_outlives_what_follows);
    TEST(stops_when_asked);
    TEST(several_threads_may_read_while_the_file_changes);
    return g_test_run();
}
