#include "base/error.h"
#include "document/document_source.h"
#include "document/video.h"
#include "scripted_server.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

/* A folder with one good file, things that are no files, and ways out of it. */
typedef struct
{
    char *root;
    char *folder; /* what the source is told; root holds a secret beside it */
    DocumentSource *source;
    Bot *bot;
} Tree;

static void
write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
link_to(const char *target, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void
tree_up(Tree *tree, const void *data)
{
    (void) data;
    tree->root = g_dir_make_tmp("vecferry-folder-XXXXXX", NULL);
    tree->folder = g_build_filename(tree->root, "docs", NULL);
    tree->bot = bot_new("user", "bot");

    g_autofree char *documents = g_build_filename(tree->folder, "user/bot/documents", NULL);
    g_autofree char *other = g_build_filename(tree->folder, "user/other/documents", NULL);
    g_autofree char *inner = g_build_filename(documents, "folder", NULL);
    g_autofree char *fifo = g_build_filename(documents, "fifo", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inner, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(other, 0700), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    write_file(documents, "a.txt", "hello");
    write_file(documents, "empty", "");
    write_file(documents, "Überblick 日本.md", "# hi");
    write_file(other, "theirs", "other bot");
    write_file(tree->root, "secret", "top");
    link_to("../../../../secret", documents, "way-out");
    link_to("/etc/passwd", documents, "absolute");
    link_to("a.txt", documents, "alias");
    link_to("loop", documents, "loop");

    g_autoptr(GError) error = NULL;
    tree->source = folder_source_new(tree->folder, "bucket", 1000, &error);
    g_assert_no_error(error);
}

static void
tree_down(Tree *tree, const void *data)
{
    (void) data;
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", tree->root);
    document_source_free(tree->source);
    bot_unref(tree->bot);
    g_assert_cmpint(system(command), ==, 0);
    g_free(tree->root);
    g_free(tree->folder);
}

static char *
content_of(const Document *document)
{
    char buffer[4096] = "";
    g_assert_cmpint(read(document->fd, buffer, sizeof buffer - 1), >=, 0);
    return g_strdup(buffer);
}

static void
assert_file_refused(Tree *tree, const Bot *bot, const char *name, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Source) file = source_new(SOURCE_FILE, name);
    DocumentFacts facts;

    g_assert_null(tree->source->open(tree->source, bot, file, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, words));
    g_clear_error(&error);
    g_assert_false(tree->source->probe(tree->source, bot, file, NULL, &facts, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
}

static void
test_opens_a_file(Tree *tree, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Source) file = source_new(SOURCE_FILE, "a.txt");
    DocumentFacts facts = {0};
    (void) data;

    g_assert_true(tree->source->probe(tree->source, tree->bot, file, NULL, &facts, &error));
    g_assert_cmpint(facts.bytes, ==, 5);
    g_assert_cmpint(facts.modified_ms, >, G_GINT64_CONSTANT(1500000000000));

    g_autoptr(Document) document = tree->source->open(tree->source, tree->bot, file, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *text = content_of(document);
    g_assert_cmpstr(text, ==, "hello");
    g_assert_cmpstr(document->name, ==, "a.txt");
    g_assert_cmpint(document->facts.bytes, ==, 5);
    g_assert_cmpint(fcntl(document->fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
}

static void
test_any_language_names_a_file(Tree *tree, const void *data)
{
    const char *names[] = {"Überblick 日本.md", "empty", "alias"};
    (void) data;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(Source) file = source_new(SOURCE_FILE, names[i]);
        g_autoptr(Document) document =
            tree->source->open(tree->source, tree->bot, file, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(document->name, ==, names[i]);
    }
}

static void
test_labels_as_the_application_does(Tree *tree, const void *data)
{
    g_autoptr(Source) file = source_new(SOURCE_FILE, "a.txt");
    g_autoptr(DocumentSource) local = folder_source_new(tree->folder, NULL, 0, NULL);
    g_autofree char *with_bucket = tree->source->label(tree->source, tree->bot, file);
    g_autofree char *without = local->label(local, tree->bot, file);
    (void) data;

    g_assert_cmpstr(with_bucket, ==, "s3://bucket/user/bot/documents/a.txt");
    g_assert_cmpstr(without, ==, "user/bot/documents/a.txt");
}

static void
test_no_name_leads_out(Tree *tree, const void *data)
{
    const char *names[] = {
        "..",
        ".",
        "",
        "/etc/passwd",
        "../documents/a.txt",
        "folder/../a.txt",
        "../../other/documents/theirs",
        "../../../../secret"};
    const char *outs[] = {"way-out", "absolute", "loop"};
    g_autoptr(Bot) parent = bot_new("..", "bot");
    g_autoptr(Bot) nobody = bot_new("", "bot");
    g_autoptr(Bot) climber = bot_new("user", "../user/bot");
    (void) data;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_file_refused(tree, tree->bot, names[i], "a name that cannot be a file's");
    for (size_t i = 0; i < G_N_ELEMENTS(outs); i++)
        assert_file_refused(tree, tree->bot, outs[i], "leads out of the folder");
    assert_file_refused(tree, parent, "a.txt", "a name that cannot be");
    assert_file_refused(tree, nobody, "a.txt", "a name that cannot be");
    assert_file_refused(tree, climber, "a.txt", "a name that cannot be");
}

static void
test_only_regular_files_are_documents(Tree *tree, const void *data)
{
    (void) data;
    assert_file_refused(tree, tree->bot, "fifo", "not a regular file");
    assert_file_refused(tree, tree->bot, "folder", "not a regular file");
}

static void
test_says_that_a_file_is_missing(Tree *tree, const void *data)
{
    g_autofree char *endless = g_strnfill(5000, 'x');
    g_autoptr(Bot) stranger = bot_new("user", "unknown");
    (void) data;

    assert_file_refused(tree, tree->bot, "none.txt", "missing");
    assert_file_refused(tree, stranger, "a.txt", "missing");
    assert_file_refused(tree, tree->bot, endless, "cannot be read");
}

static void
test_a_large_file_is_refused(Tree *tree, const void *data)
{
    g_autoptr(DocumentSource) strict = folder_source_new(tree->folder, NULL, 4, NULL);
    g_autoptr(Source) file = source_new(SOURCE_FILE, "a.txt");
    g_autoptr(GError) error = NULL;
    (void) data;

    g_assert_null(strict->open(strict, tree->bot, file, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "5 bytes"));
}

static void
test_a_missing_folder_is_a_wrong_setting(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(folder_source_new("/nonexistent", NULL, 0, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

/* The site that web sources are tried on. */
static bool
be_a_site(int fd, const ServedRequest *request, void *data)
{
    const char *path = request->path;
    const bool is_head = strcmp(request->method, "HEAD") == 0;
    (void) data;

    if (g_str_has_prefix(path, "/page"))
        say_answer(
            fd, "200 OK",
            "Content-Type: Text/HTML; a=b; Charset=\"UTF-8\"\r\n"
            "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n",
            is_head ? "" : "<p>hello</p>");
    else if (strcmp(path, "/no-head.pdf") == 0)
        say(fd, is_head ? "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                          "Content-Type: application/pdf\r\n\r\nPDF");
    else if (g_str_has_prefix(path, "/status/"))
    {
        g_autofree char *status = g_strdup_printf("%s So", path + 8);
        say_answer(fd, status, "", "");
    }
    else if (strcmp(path, "/large") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    else if (strcmp(path, "/endless") == 0)
    {
        g_autofree char *block = g_strnfill(2000, 'x');
        say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        say(fd, block);
    }
    else if (strcmp(path, "/cut") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort");
    else if (strcmp(path, "/moved") == 0)
        say_answer(fd, "301 Moved Permanently", "Location: /page\r\n", "");
    else if (strcmp(path, "/bare") == 0)
        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    else
        say_answer(fd, "404 Not Found", "", "");
    return false;
}

static const WebOptions LOCAL = {.allow_private = true, .max_bytes = 1000, .timeout_s = 5};

static Document *
load(const WebOptions *options, Server *server, const char *path, GError **error)
{
    g_autoptr(DocumentSource) web = web_source_new(options);
    g_autofree char *url = server_url(server, path);
    g_autoptr(Source) source = source_new(SOURCE_URL, url);
    g_autoptr(Bot) bot = bot_new("user", "bot");
    return web->open(web, bot, source, NULL, error);
}

static bool
probe(
    const WebOptions *options, Server *server, const char *path, DocumentFacts *facts,
    GError **error)
{
    g_autoptr(DocumentSource) web = web_source_new(options);
    g_autofree char *url = server_url(server, path);
    g_autoptr(Source) source = source_new(SOURCE_URL, url);
    g_autoptr(Bot) bot = bot_new("user", "bot");
    return web->probe(web, bot, source, NULL, facts, error);
}

static void
assert_page_fails(const char *path, VfError code, const char *words)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Document) document = load(&LOCAL, server, path, &error);

    g_assert_null(document);
    g_assert_error(error, VF_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_loads_a_page(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Document) document = load(&LOCAL, server, "/page/a%20b.html?x=1#top", &error);

    g_assert_no_error(error);
    g_autofree char *text = content_of(document);
    g_assert_cmpstr(text, ==, "<p>hello</p>");
    g_assert_cmpstr(document->name, ==, "a b.html");
    g_assert_cmpstr(document->content_type, ==, "text/html");
    g_assert_cmpstr(document->charset, ==, "utf-8");
    g_assert_cmpint(document->facts.bytes, ==, 12);
    g_assert_cmpint(document->facts.modified_ms, ==, G_GINT64_CONSTANT(1000000000000));
    g_assert_cmpint(fcntl(document->fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
    g_assert_cmpstr(served(server, 0)->path, ==, "/page/a%20b.html?x=1");
    g_assert_nonnull(strstr(served(server, 0)->head, "User-Agent: vecferry/"));
}

static void
test_loads_addresses_as_people_write_them(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Document) document = load(&LOCAL, server, "/page/日 x.html?q=ä b ", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(document->name, ==, "日 x.html");
    g_assert_cmpstr(served(server, 0)->path, ==, "/page/%E6%97%A5%20x.html?q=%C3%A4%20b");
}

static void
test_a_page_may_say_nothing_of_itself(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Document) document = load(&LOCAL, server, "/bare", &error);

    g_assert_no_error(error);
    g_assert_null(document->content_type);
    g_assert_null(document->charset);
    g_assert_cmpint(document->facts.modified_ms, ==, -1);
    g_assert_cmpint(document->facts.bytes, ==, 0);
}

static void
test_follows_a_moved_page(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Document) document = load(&LOCAL, server, "/moved", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(document->content_type, ==, "text/html");
}

static void
test_statuses_say_what_to_do(void)
{
    const char *final[] = {"401", "403", "404", "410", "418", "304", "204"};
    const char *passing[] = {"408", "429", "500", "502", "503", "504"};

    for (size_t i = 0; i < G_N_ELEMENTS(final); i++)
    {
        g_autofree char *path = g_strconcat("/status/", final[i], NULL);
        assert_page_fails(path, VF_ERROR_BAD_INPUT, final[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(passing); i++)
    {
        g_autofree char *path = g_strconcat("/status/", passing[i], NULL);
        assert_page_fails(path, VF_ERROR_BUSY, passing[i]);
    }
}

static void
test_a_large_page_is_refused(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    DocumentFacts facts;

    assert_page_fails("/large", VF_ERROR_CONNECT, "cut short");
    assert_page_fails("/endless", VF_ERROR_BAD_INPUT, "larger than 1000 bytes");
    g_assert_false(probe(&LOCAL, server, "/large", &facts, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "5000 bytes"));
}

static void
test_a_cut_page_is_tried_again(void)
{
    assert_page_fails("/cut", VF_ERROR_CONNECT, "cut short");
}

static void
test_probes_without_loading(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    DocumentFacts facts = {0};

    g_assert_true(probe(&LOCAL, server, "/page", &facts, &error));
    g_assert_no_error(error);
    g_assert_cmpint(facts.bytes, ==, -1);
    g_assert_cmpint(facts.modified_ms, ==, G_GINT64_CONSTANT(1000000000000));
    g_assert_cmpstr(served(server, 0)->method, ==, "HEAD");

    g_assert_true(probe(&LOCAL, server, "/no-head.pdf", &facts, &error));
    g_assert_no_error(error);
    g_assert_cmpint(facts.bytes, ==, 3);
    g_assert_cmpstr(served(server, 2)->method, ==, "GET");
}

static void
test_a_probe_asks_a_tired_server_once(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    DocumentFacts facts;

    g_assert_false(probe(&LOCAL, server, "/status/429", &facts, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    g_assert_cmpuint(server->requests->len, ==, 1);
}

static void
test_private_pages_are_not_loaded(void)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(GError) error = NULL;
    const WebOptions options = {.timeout_s = 2};

    g_assert_null(load(&options, server, "/page", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "address 127.0.0.1 is not public"));
    g_assert_cmpint(atomic_load(&server->connections), ==, 0);
}

static void
assert_video(const char *address, const char *id)
{
    g_autofree char *found = video_id(address);
    g_assert_cmpstr(found, ==, id);
}

static void
test_knows_videos(void)
{
    assert_video("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "dQw4w9WgXcQ");
    assert_video("http://m.youtube.com/watch?list=x&v=dQw4w9WgXcQ&t=1", "dQw4w9WgXcQ");
    assert_video("https://youtu.be/dQw4w9WgXcQ?t=10", "dQw4w9WgXcQ");
    assert_video("https://YOUTUBE.com/embed/dQw4w9WgXcQ/", "dQw4w9WgXcQ");
    assert_video("https://www.youtube-nocookie.com/embed/a-_b5678901", "a-_b5678901");
    assert_video("https://www.youtube.com/watch?v=short", NULL);
    assert_video("https://www.youtube.com/watch", NULL);
    assert_video("https://www.youtube.com/", NULL);
    assert_video("https://example.com/watch?v=dQw4w9WgXcQ", NULL);
    assert_video("https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ", NULL);
    assert_video("not an address", NULL);
    assert_video("", NULL);
}

static void
test_videos_are_labelled_but_not_loaded(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DocumentSource) web = web_source_new(&LOCAL);
    g_autoptr(Bot) bot = bot_new("user", "bot");
    g_autoptr(Source) video = source_new(SOURCE_URL, "https://youtu.be/dQw4w9WgXcQ");
    g_autoptr(Source) page = source_new(SOURCE_URL, " https://example.com/ ");
    g_autofree char *video_label = web->label(web, bot, video);
    g_autofree char *page_label = web->label(web, bot, page);

    g_assert_cmpstr(video_label, ==, "dQw4w9WgXcQ");
    g_assert_cmpstr(page_label, ==, " https://example.com/ ");
    g_assert_null(web->open(web, bot, video, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, "transcripts of videos are not supported");
}

static void
test_each_kind_goes_to_its_own(Tree *tree, const void *data)
{
    g_autoptr(Server) server = server_start(be_a_site, NULL);
    g_autoptr(DocumentSource) both = document_source_combine(
        folder_source_new(tree->folder, NULL, 0, NULL), web_source_new(&LOCAL));
    g_autofree char *url = server_url(server, "/page");
    g_autoptr(Source) file = source_new(SOURCE_FILE, "a.txt");
    g_autoptr(Source) page = source_new(SOURCE_URL, url);
    g_autoptr(Source) sitemap = source_new(SOURCE_SITEMAP, url);
    g_autoptr(Source) prefix = source_new(SOURCE_S3_PREFIX, "s3://b/");
    g_autoptr(GError) error = NULL;
    (void) data;

    g_autoptr(Document) first = both->open(both, tree->bot, file, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(first->name, ==, "a.txt");
    g_autoptr(Document) second = both->open(both, tree->bot, page, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(second->content_type, ==, "text/html");
    g_autofree char *label = both->label(both, tree->bot, file);
    g_assert_cmpstr(label, ==, "user/bot/documents/a.txt");

    g_assert_null(both->open(both, tree->bot, sitemap, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, "sitemaps are not supported yet");
    g_clear_error(&error);
    g_assert_null(both->open(both, tree->bot, prefix, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
}

static void
test_a_missing_part_is_said(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DocumentSource) none = document_source_combine(NULL, NULL);
    g_autoptr(Bot) bot = bot_new("user", "bot");
    g_autoptr(Source) file = source_new(SOURCE_FILE, "a.txt");
    g_autofree char *label = none->label(none, bot, file);

    g_assert_cmpstr(label, ==, "a.txt");
    g_assert_null(none->open(none, bot, file, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
}

/* --- a bucket --------------------------------------------------------------------- */

static void
test_a_bucket_may_have_a_prefix(void)
{
    static const struct
    {
        const char *address;
        const char *bucket;
        const char *prefix;
    } CASES[] = {
        {"s3://docs", "docs", ""},     {"s3://docs/", "docs", ""},
        {"s3://docs/a", "docs", "a/"}, {"s3://docs/a/b/", "docs", "a/b/"},
        {"s3://docs//", "docs", "/"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(S3Place) place = {0};
        g_assert_true(s3_place_read(CASES[i].address, &place, NULL));
        g_assert_cmpstr(place.bucket, ==, CASES[i].bucket);
        g_assert_cmpstr(place.prefix, ==, CASES[i].prefix);
    }
}

static void
test_what_is_no_bucket_is_refused(void)
{
    static const char *const ADDRESSES[] = {"s3:/", "s3://", "s3:///a", "docs", "https://docs"};

    for (guint i = 0; i < G_N_ELEMENTS(ADDRESSES); i++)
    {
        g_autoptr(GError) error = NULL;
        g_auto(S3Place) place = {0};
        g_assert_false(s3_place_read(ADDRESSES[i], &place, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

#define ADD_TREE(name, test) g_test_add("/folder/" name, Tree, NULL, tree_up, test, tree_down)
    ADD_TREE("opens a file", test_opens_a_file);
    ADD_TREE("any language names a file", test_any_language_names_a_file);
    ADD_TREE("labels as the application does", test_labels_as_the_application_does);
    ADD_TREE("no name leads out", test_no_name_leads_out);
    ADD_TREE("only regular files are documents", test_only_regular_files_are_documents);
    ADD_TREE("says that a file is missing", test_says_that_a_file_is_missing);
    ADD_TREE("a large file is refused", test_a_large_file_is_refused);
    ADD_TREE("each kind goes to its own", test_each_kind_goes_to_its_own);
    g_test_add_func(
        "/folder/a missing folder is a wrong setting", test_a_missing_folder_is_a_wrong_setting);
    g_test_add_func("/folder/a missing part is said", test_a_missing_part_is_said);
    g_test_add_func("/web/loads a page", test_loads_a_page);
    g_test_add_func(
        "/web/loads addresses as people write them", test_loads_addresses_as_people_write_them);
    g_test_add_func("/web/a page may say nothing of itself", test_a_page_may_say_nothing_of_itself);
    g_test_add_func("/web/follows a moved page", test_follows_a_moved_page);
    g_test_add_func("/web/statuses say what to do", test_statuses_say_what_to_do);
    g_test_add_func("/web/a large page is refused", test_a_large_page_is_refused);
    g_test_add_func("/web/a cut page is tried again", test_a_cut_page_is_tried_again);
    g_test_add_func("/web/probes without loading", test_probes_without_loading);
    g_test_add_func("/web/a probe asks a tired server once", test_a_probe_asks_a_tired_server_once);
    g_test_add_func("/web/private pages are not loaded", test_private_pages_are_not_loaded);
    g_test_add_func("/web/knows videos", test_knows_videos);
    g_test_add_func(
        "/web/videos are labelled but not loaded", test_videos_are_labelled_but_not_loaded);
    g_test_add_func("/s3-source/a bucket may have a prefix", test_a_bucket_may_have_a_prefix);
    g_test_add_func("/s3-source/what is no bucket is refused", test_what_is_no_bucket_is_refused);
    return g_test_run();
}
