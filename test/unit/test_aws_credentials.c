#include "aws/credentials.h"
#include "aws/renewal.h"
#include "base/error.h"
#include "scripted_server.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>

#define MINUTE_MS (60 * 1000)

typedef struct World World;

/* An answer to requests whose method and path begin so; the first that fits is given. */
typedef struct
{
    const char *request; /* "GET /path" */
    const char *status;
    const char *body;
    const char *headers;               /* NULL: none */
    int times;                         /* 0: always */
    void (*first)(const World *world); /* what happens before; NULL: nothing */
} Route;

/* A home folder, an environment and a server of the test's own. */
struct World
{
    char *home;
    Server *server;
    Route routes[8];
    pthread_mutex_t mutex;
    int given[8];
    int pause_ms; /* before each answer */
    AwsFiles *files;
    AwsCredentials *credentials;
};

static bool
answer_by_route(int fd, const ServedRequest *request, void *data)
{
    World *world = data;
    g_autofree char *line = g_strconcat(request->method, " ", request->path, NULL);
    const Route *found = NULL;

    g_usleep((gulong) world->pause_ms * 1000);
    pthread_mutex_lock(&world->mutex);
    for (size_t i = 0; i < G_N_ELEMENTS(world->routes); i++)
    {
        const Route *route = &world->routes[i];
        if (route->request == NULL || !g_str_has_prefix(line, route->request) ||
            (route->times > 0 && world->given[i] >= route->times))
            continue;
        world->given[i]++;
        found = route;
        break;
    }
    pthread_mutex_unlock(&world->mutex);
    if (found != NULL && found->first != NULL)
        found->first(world);
    if (found == NULL)
        say_answer(fd, "404 Not Found", "", "nothing here");
    else if (found->status == NULL)
        stay_silent(fd, 3000);
    else
        say_answer(fd, found->status, found->headers != NULL ? found->headers : "", found->body);
    return true;
}

static void
forget_environment(void)
{
    g_auto(GStrv) names = g_listenv();

    for (size_t i = 0; names[i] != NULL; i++)
        if (g_str_has_prefix(names[i], "AWS_"))
            g_unsetenv(names[i]);
    g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
}

static void
write_in_home(const World *world, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(world->home, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *
path_in_home(const World *world, const char *name)
{
    return g_build_filename(world->home, name, NULL);
}

static World *
world_new(const char *config, const char *credentials)
{
    World *world = g_new0(World, 1);

    forget_environment();
    world->home = g_dir_make_tmp("aws-home-XXXXXX", NULL);
    g_setenv("HOME", world->home, TRUE);
    write_in_home(world, ".aws/config", config != NULL ? config : "");
    write_in_home(world, ".aws/credentials", credentials != NULL ? credentials : "");
    pthread_mutex_init(&world->mutex, NULL);
    world->server = server_start(answer_by_route, world);
    g_autofree char *url = server_url(world->server, "");
    g_setenv("AWS_ENDPOINT_URL", url, TRUE);
    return world;
}

static void
remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_folder(child);
    }
    g_remove(path);
}

static void
world_free(World *world)
{
    aws_credentials_free(world->credentials);
    aws_files_free(world->files);
    server_stop(world->server);
    pthread_mutex_destroy(&world->mutex);
    remove_folder(world->home);
    g_free(world->home);
    g_free(world);
    forget_environment();
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* The world's credentials by that profile. */
static AwsCredentials *
credentials_of(World *world, const char *profile)
{
    g_autoptr(GError) error = NULL;

    if (world->credentials == NULL)
    {
        world->files = aws_files_read(&error);
        g_assert_no_error(error);
        world->credentials = aws_credentials_new(world->files, profile, NULL);
    }
    return world->credentials;
}

static void
assert_keys(World *world, const char *profile, const char *access_key, const char *origin)
{
    g_autoptr(GError) error = NULL;
    AwsCredentials *credentials = credentials_of(world, profile);
    g_autoptr(AwsKeys) keys = aws_credentials_get(credentials, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(keys->access_key, ==, access_key);
    g_autofree char *from = aws_credentials_origin(credentials);
    g_assert_nonnull(strstr(from, origin));
    g_assert_null(strstr(from, "S3CR3T"));
}

static void
assert_refused(World *world, const char *profile, VfError code, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsKeys) keys = aws_credentials_get(credentials_of(world, profile), NULL, &error);

    g_assert_null(keys);
    if (!g_error_matches(error, VF_ERROR, (int) code) || strstr(error->message, what) == NULL)
        g_error("not \"%s\" but %s: %s", what, vf_error_name(error), error->message);
    g_assert_null(strstr(error->message, "S3CR3T"));
    g_assert_null(aws_credentials_origin(world->credentials));
}

/* A time so far from now, as AWS writes it. */
static char *
time_in(gint64 ms)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) then = g_date_time_add(now, ms * 1000);
    g_autofree char *second = g_date_time_format(then, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", second, g_date_time_get_microsecond(then) / 1000);
}

static char *
sts_answer(const char *action, const char *access_key, gint64 lasts_ms)
{
    g_autofree char *expiration = time_in(lasts_ms);
    return g_strdup_printf(
        "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
        "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>S3CR3T/+=</SecretAccessKey>"
        "<SessionToken>TOKEN</SessionToken><Expiration>%s</Expiration></Credentials>"
        "</%sResult></%sResponse>",
        action, action, access_key, expiration, action, action);
}

static char *
sts_refusal(const char *code, const char *message)
{
    return g_strdup_printf(
        "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>"
        "</ErrorResponse>",
        code, message);
}

/* What container and instance say. */
static char *
json_answer(const char *access_key, gint64 lasts_ms)
{
    g_autofree char *expiration = time_in(lasts_ms);
    return g_strdup_printf(
        "{\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"S3CR3T\","
        "\"Token\":\"TOKEN\",\"Expiration\":\"%s\"}",
        access_key, expiration);
}

static void
assert_said(World *world, guint request, const char *what)
{
    const ServedRequest *said = served(world->server, request);
    if (strstr(said->body->str, what) == NULL && strcasestr(said->head, what) == NULL)
        g_error(
            "request %u does not say \"%s\":\n%s\n%s", request, what, said->head, said->body->str);
}

static guint
requests(World *world)
{
    pthread_mutex_lock(&world->server->mutex);
    const guint count = world->server->requests->len;
    pthread_mutex_unlock(&world->server->mutex);
    return count;
}

/* ------------------------------------------------------------------------------------------
 * Written down
 * ------------------------------------------------------------------------------------------ */

#define BASE "[base]\naws_access_key_id=AKBASE\naws_secret_access_key=S3CR3T\n"
#define DEFAULT "[default]\naws_access_key_id=AKFILE\naws_secret_access_key=S3CR3T\n"

static void
set_environment_keys(void)
{
    g_setenv("AWS_ACCESS_KEY_ID", "AKENV", TRUE);
    g_setenv("AWS_SECRET_ACCESS_KEY", "S3CR3T", TRUE);
    g_setenv("AWS_SESSION_TOKEN", "TOKEN", TRUE);
}

static void
test_the_environment_comes_first(void)
{
    g_autoptr(World) world = world_new(NULL, DEFAULT);

    set_environment_keys();
    g_setenv("AWS_PROFILE", "default", TRUE);
    assert_keys(world, NULL, "AKENV", "the environment");
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, NULL);
    g_assert_cmpstr(keys->session_token, ==, "TOKEN");
    g_assert_cmpint(keys->expires_ms, ==, G_MAXINT64);
}

static void
test_a_profile_that_was_named_comes_before_it(void)
{
    g_autoptr(World) world = world_new(NULL, DEFAULT);

    set_environment_keys();
    assert_keys(world, "default", "AKFILE", "profile \"default\" in ");
}

static void
test_half_a_pair_in_the_environment_is_told(void)
{
    g_autoptr(World) world = world_new(NULL, DEFAULT);

    g_setenv("AWS_SECRET_ACCESS_KEY", "S3CR3T", TRUE);
    assert_refused(
        world, NULL, VF_ERROR_USAGE, "sets AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID");
}

static void
test_expired_keys_are_refused(void)
{
    g_autoptr(World) world = world_new(NULL, NULL);

    set_environment_keys();
    g_setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-02T03:04:05Z", TRUE);
    assert_refused(world, NULL, VF_ERROR_DENIED, "the environment have expired");
}

static void
test_without_any_it_says_where_it_looked(void)
{
    g_autoptr(World) world = world_new(NULL, NULL);
    g_autofree char *path = path_in_home(world, ".aws/credentials");

    assert_refused(world, NULL, VF_ERROR_DENIED, path);
    assert_refused(world, NULL, VF_ERROR_DENIED, "not in the environment, profile \"default\"");
    assert_refused(world, NULL, VF_ERROR_DENIED, "metadata (switched off)");
    assert_refused(world, NULL, VF_ERROR_DENIED, "aws sso login");
}

static void
test_an_unknown_profile_is_told(void)
{
    g_autoptr(World) world = world_new(NULL, DEFAULT);

    g_setenv("AWS_PROFILE", "dve", TRUE);
    assert_refused(world, NULL, VF_ERROR_USAGE, "there is no profile \"dve\"");
}

/* ------------------------------------------------------------------------------------------
 * Roles
 * ------------------------------------------------------------------------------------------ */

#define ROLE                                                                                       \
    "[profile dev]\nrole_arn=arn:aws:iam::1:role/dev\nsource_profile=base\nregion=eu-west-1\n"     \
    "external_id=a b\nduration_seconds=900\nrole_session_name=me\n"

static void
test_a_profile_takes_its_role(void)
{
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(ROLE, BASE);

    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "dev", "AKROLE", "profile \"dev\" (role arn:aws:iam::1:role/dev)");
    assert_said(
        world, 0,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fdev&"
        "RoleSessionName=me&DurationSeconds=900&ExternalId=a%20b");
    assert_said(world, 0, "Credential=AKBASE/");
    assert_said(world, 0, "/eu-west-1/sts/aws4_request");
}

static void
test_roles_are_taken_one_by_another(void)
{
    g_autofree char *first = sts_answer("AssumeRole", "AKONE", 60 * MINUTE_MS);
    g_autofree char *second = sts_answer("AssumeRole", "AKTWO", 60 * MINUTE_MS);
    g_autoptr(World) world =
        world_new(ROLE "[profile top]\nrole_arn=arn:top\nsource_profile=dev\n", BASE);

    world->routes[0] = (Route){"POST /", "200 OK", first, NULL, 1, NULL};
    world->routes[1] = (Route){"POST /", "200 OK", second, NULL, 1, NULL};
    assert_keys(world, "top", "AKTWO", "role arn:top");
    assert_said(world, 0, "Credential=AKBASE/");
    assert_said(world, 1, "Credential=AKONE/");
    assert_said(world, 1, "X-Amz-Security-Token: TOKEN");
    assert_said(world, 1, "RoleArn=arn%3Atop");
}

static void
test_a_role_starts_from_the_environment(void)
{
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world =
        world_new("[profile dev]\nrole_arn=arn:x\ncredential_source=Environment\n", NULL);

    set_environment_keys();
    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "dev", "AKROLE", "role arn:x");
    assert_said(world, 0, "Credential=AKENV/");
}

static void
test_a_profile_may_name_itself_for_its_keys(void)
{
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world =
        world_new("[profile base]\nrole_arn=arn:x\nsource_profile=base\n", BASE);

    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "base", "AKROLE", "role arn:x");
    assert_said(world, 0, "Credential=AKBASE/");
}

static void
test_a_loop_of_profiles_is_told(void)
{
    g_autoptr(World) world = world_new(
        "[profile a]\nrole_arn=arn:a\nsource_profile=b\n"
        "[profile b]\nrole_arn=arn:b\nsource_profile=c\n"
        "[profile c]\nrole_arn=arn:c\nsource_profile=a\n",
        NULL);

    assert_refused(world, "a", VF_ERROR_USAGE, "the profiles from \"a\" on lead back to \"a\"");
}

static void
test_a_profile_that_only_names_itself_is_a_loop(void)
{
    g_autoptr(World) world = world_new("[profile a]\nrole_arn=arn:a\nsource_profile=a\n", NULL);
    assert_refused(world, "a", VF_ERROR_USAGE, "lead back to \"a\"");
}

static void
test_a_one_time_code_is_not_asked_for(void)
{
    g_autoptr(World) world = world_new(ROLE "mfa_serial=arn:aws:iam::1:mfa/me\n", BASE);
    assert_refused(world, "dev", VF_ERROR_USAGE, "one-time code (mfa_serial)");
}

static void
test_a_role_without_a_source_is_told(void)
{
    g_autoptr(World) world = world_new("[profile a]\nrole_arn=arn:a\n", BASE);
    assert_refused(world, "a", VF_ERROR_USAGE, "has role_arn without source_profile");
}

static void
test_a_source_that_is_no_profile_is_told(void)
{
    g_autoptr(World) world = world_new(ROLE, NULL);
    assert_refused(world, "dev", VF_ERROR_USAGE, "with \"base\", which is no profile");
}

/* STS quotes the request, token and all, when it finds its signature wrong. */
static void
test_a_refusal_is_told_without_secrets(void)
{
    g_autofree char *answer = sts_refusal(
        "SignatureDoesNotMatch", "The signature does not match.\n\nThe Canonical String is S3CR3T");
    g_autoptr(World) world = world_new(ROLE, BASE);

    world->routes[0] = (Route){"POST /", "403 Forbidden", answer, NULL, 0, NULL};
    assert_refused(
        world, "dev", VF_ERROR_DENIED,
        "could not take the role arn:aws:iam::1:role/dev: 127.0.0.1:");
    assert_refused(
        world, "dev", VF_ERROR_DENIED,
        "answered 403: SignatureDoesNotMatch: The signature does not match.");
    g_assert_cmpuint(requests(world), ==, 2);
}

static void
test_an_overloaded_sts_is_asked_again(void)
{
    g_autofree char *busy = sts_refusal("Throttling", "Rate exceeded");
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(ROLE, BASE);

    world->routes[0] = (Route){"POST /", "400 Bad Request", busy, NULL, 1, NULL};
    world->routes[1] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "dev", "AKROLE", "role");
}

static void
test_a_page_of_a_proxy_is_no_answer(void)
{
    g_autoptr(World) world = world_new(ROLE, BASE);

    world->routes[0] =
        (Route){"POST /", "200 OK", "<!DOCTYPE html><html>S3CR3T</html>", NULL, 0, NULL};
    assert_refused(world, "dev", VF_ERROR_FAILED, "did not answer as AWS does");
}

static void
test_a_wrong_clock_is_mended_once(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) later = g_date_time_add_hours(now, 3);
    g_autofree char *date = g_date_time_format(later, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n");
    g_autofree char *day = g_date_time_format(later, "X-Amz-Date: %Y%m%dT%H");
    g_autofree char *refusal = sts_refusal("SignatureDoesNotMatch", "Signature expired");
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 4 * 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(ROLE, BASE);
    const gint64 now_ms = g_get_real_time() / 1000;

    world->routes[0] = (Route){"POST /", "403 Forbidden", refusal, date, 1, NULL};
    world->routes[1] = (Route){"POST /", "200 OK", answer, date, 0, NULL};
    assert_keys(world, "dev", "AKROLE", "role");
    assert_said(world, 1, day);
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, NULL);
    g_assert_cmpint(ABS(keys->expires_ms - now_ms - 60 * MINUTE_MS), <, 30 * 1000);
}

static void
test_a_web_identity_signs_nothing(void)
{
    g_autofree char *answer = sts_answer("AssumeRoleWithWebIdentity", "AKWEB", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(NULL, DEFAULT);
    g_autofree char *path = path_in_home(world, "token");

    write_in_home(world, "token", "a.web+token\n");
    g_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, TRUE);
    g_setenv("AWS_ROLE_ARN", "arn:web", TRUE);
    g_setenv("AWS_ROLE_SESSION_NAME", "pod", TRUE);
    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, NULL, "AKWEB", "a web identity (role arn:web)");
    assert_said(world, 0, "Action=AssumeRoleWithWebIdentity&");
    assert_said(world, 0, "RoleSessionName=pod&WebIdentityToken=a.web%2Btoken");
    g_assert_null(strcasestr(served(world->server, 0)->head, "authorization"));
}

static void
test_a_profile_may_have_a_web_identity(void)
{
    g_autofree char *answer = sts_answer("AssumeRoleWithWebIdentity", "AKWEB", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(NULL, NULL);
    g_autofree char *path = path_in_home(world, "token");
    g_autofree char *config =
        g_strdup_printf("[profile web]\nrole_arn=arn:web\nweb_identity_token_file=%s\n", path);

    write_in_home(world, "token", "TOKEN");
    write_in_home(world, ".aws/config", config);
    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "web", "AKWEB", "arn:web");
}

static void
replace_token(const World *world)
{
    write_in_home(world, "token", "NEXT");
}

static void
test_a_web_identity_replaced_meanwhile_is_tried(void)
{
    g_autofree char *refusal = sts_refusal("ExpiredTokenException", "Token expired");
    g_autofree char *answer = sts_answer("AssumeRoleWithWebIdentity", "AKWEB", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(NULL, NULL);
    g_autofree char *path = path_in_home(world, "token");

    write_in_home(world, "token", "FIRST");
    g_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, TRUE);
    g_setenv("AWS_ROLE_ARN", "arn:web", TRUE);
    world->routes[0] = (Route){"POST /", "400 Bad Request", refusal, NULL, 1, replace_token};
    world->routes[1] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, NULL, "AKWEB", "arn:web");
    assert_said(world, 0, "WebIdentityToken=FIRST");
    assert_said(world, 1, "WebIdentityToken=NEXT");
}

static void
test_an_expired_web_identity_is_told(void)
{
    g_autofree char *refusal = sts_refusal("ExpiredTokenException", "Token expired");
    g_autoptr(World) world = world_new(NULL, NULL);
    g_autofree char *path = path_in_home(world, "token");

    write_in_home(world, "token", "S3CR3T");
    g_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, TRUE);
    g_setenv("AWS_ROLE_ARN", "arn:web", TRUE);
    world->routes[0] = (Route){"POST /", "400 Bad Request", refusal, NULL, 0, NULL};
    assert_refused(world, NULL, VF_ERROR_DENIED, "ExpiredTokenException: Token expired");
    g_assert_cmpuint(requests(world), ==, 1);
}

/* ------------------------------------------------------------------------------------------
 * SSO
 * ------------------------------------------------------------------------------------------ */

#define SSO                                                                                        \
    "[profile corp]\nsso_session=it\nsso_account_id=123\nsso_role_name=Admin Role\n"               \
    "[sso-session it]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n"

static char *
sso_cache_name(const char *key)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, key, -1);
    return g_strconcat(".aws/sso/cache/", sum, ".json", NULL);
}

static void
write_session(const World *world, gint64 lasts_ms)
{
    g_autofree char *name = sso_cache_name("it");
    g_autofree char *expires = time_in(lasts_ms);
    g_autofree char *later = time_in(24 * 60 * MINUTE_MS);
    g_autofree char *text = g_strdup_printf(
        "{\"startUrl\":\"https://corp.awsapps.com/start\",\"region\":\"eu-west-1\","
        "\"accessToken\":\"S3CR3T-OLD\",\"expiresAt\":\"%s\",\"clientId\":\"client\","
        "\"clientSecret\":\"S3CR3T-CLIENT\",\"refreshToken\":\"S3CR3T-REFRESH\","
        "\"registrationExpiresAt\":\"%s\"}",
        expires, later);
    write_in_home(world, name, text);
}

static char *
sso_answer(const char *access_key)
{
    return g_strdup_printf(
        "{\"roleCredentials\":{\"accessKeyId\":\"%s\",\"secretAccessKey\":\"S3CR3T\","
        "\"sessionToken\":\"TOKEN\",\"expiration\":%" G_GINT64_FORMAT "}}",
        access_key, g_get_real_time() / 1000 + 60 * MINUTE_MS);
}

static void
test_a_session_of_sso_gives_keys(void)
{
    g_autofree char *answer = sso_answer("AKSSO");
    g_autoptr(World) world = world_new(SSO, NULL);

    write_session(world, 60 * MINUTE_MS);
    world->routes[0] = (Route){
        "GET /federation/credentials?role_name=Admin%20Role&account_id=123",
        "200 OK",
        answer,
        NULL,
        0,
        NULL};
    assert_keys(world, "corp", "AKSSO", "profile \"corp\" (SSO role Admin Role)");
    assert_said(world, 0, "x-amz-sso_bearer_token: S3CR3T-OLD");
    g_assert_cmpuint(requests(world), ==, 1);
}

static void
test_an_old_session_is_renewed_and_kept(void)
{
    g_autofree char *answer = sso_answer("AKSSO");
    g_autoptr(World) world = world_new(SSO, NULL);
    g_autofree char *name = sso_cache_name("it");
    g_autofree char *path = path_in_home(world, name);
    g_autofree char *kept = NULL;
    struct stat status;

    write_session(world, -MINUTE_MS);
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    world->routes[0] = (Route){
        "POST /token",
        "200 OK",
        "{\"accessToken\":\"S3CR3T-NEW\",\"expiresIn\":28800,\"refreshToken\":\"S3CR3T-NEXT\"}",
        NULL,
        0,
        NULL};
    world->routes[1] = (Route){"GET /federation", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "corp", "AKSSO", "SSO");
    assert_said(world, 0, "\"grantType\":\"refresh_token\"");
    assert_said(world, 0, "S3CR3T-REFRESH");
    assert_said(world, 1, "x-amz-sso_bearer_token: S3CR3T-NEW");

    g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
    g_assert_nonnull(strstr(kept, "S3CR3T-NEW"));
    g_assert_nonnull(strstr(kept, "S3CR3T-NEXT"));
    g_assert_nonnull(strstr(kept, "S3CR3T-CLIENT"));
    g_assert_null(strstr(kept, "S3CR3T-OLD"));
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
}

static void
test_a_session_that_holds_survives_a_failed_renewal(void)
{
    g_autofree char *answer = sso_answer("AKSSO");
    g_autoptr(World) world = world_new(SSO, NULL);

    write_session(world, 5 * MINUTE_MS);
    world->routes[0] =
        (Route){"POST /token", "400 Bad Request", "{\"error\":\"invalid_grant\"}", NULL, 0, NULL};
    world->routes[1] = (Route){"GET /federation", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "corp", "AKSSO", "SSO");
    assert_said(world, 1, "S3CR3T-OLD");
}

static void
test_a_dead_session_wants_a_login(void)
{
    g_autoptr(World) world = world_new(SSO, NULL);

    assert_refused(world, "corp", VF_ERROR_DENIED, "run: aws sso login --profile corp");
    write_session(world, -MINUTE_MS);
    world->routes[0] =
        (Route){"POST /token", "400 Bad Request", "{\"error\":\"invalid_grant\"}", NULL, 0, NULL};
    assert_refused(world, "corp", VF_ERROR_DENIED, "could not be renewed: 400 invalid_grant");
    assert_refused(world, "corp", VF_ERROR_DENIED, "run: aws sso login --profile corp");
}

static void
test_a_session_that_the_portal_refuses_wants_a_login(void)
{
    g_autoptr(World) world = world_new(SSO, NULL);

    write_session(world, 60 * MINUTE_MS);
    world->routes[0] = (Route){"GET /federation",
                               "401 Unauthorized",
                               "{\"message\":\"Session token not found\"}",
                               NULL,
                               0,
                               NULL};
    assert_refused(world, "corp", VF_ERROR_DENIED, "401 Session token not found");
    assert_refused(world, "corp", VF_ERROR_DENIED, "run: aws sso login");
}

static void
renew_session_elsewhere(const World *world)
{
    g_autofree char *name = sso_cache_name("it");
    g_autofree char *expires = time_in(60 * MINUTE_MS);
    g_autofree char *text =
        g_strdup_printf("{\"accessToken\":\"OTHER\",\"expiresAt\":\"%s\"}", expires);
    write_in_home(world, name, text);
}

/* Two processes may renew at once; the token of the second is worth nothing then. */
static void
test_a_session_renewed_elsewhere_is_used(void)
{
    g_autofree char *answer = sso_answer("AKSSO");
    g_autoptr(World) world = world_new(SSO, NULL);

    write_session(world, -MINUTE_MS);
    world->routes[0] =
        (Route){"POST /token",          "400 Bad Request", "{\"error\":\"invalid_grant\"}", NULL, 0,
                renew_session_elsewhere};
    world->routes[1] = (Route){"GET /federation", "200 OK", answer, NULL, 0, NULL};
    assert_keys(world, "corp", "AKSSO", "SSO");
    assert_said(world, 1, "x-amz-sso_bearer_token: OTHER");
}

/* ------------------------------------------------------------------------------------------
 * A program
 * ------------------------------------------------------------------------------------------ */

static World *
world_with_process(const char *line)
{
    g_autofree char *config = g_strdup_printf("[default]\ncredential_process = %s\n", line);
    return world_new(config, NULL);
}

static void
test_a_program_prints_keys(void)
{
    g_autoptr(World) world = world_with_process(
        "printf '{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"S3CR3T\"}' "
        "\"AK $HOME;\"");

    assert_keys(world, NULL, "AK $HOME;", "profile \"default\" (credential_process)");
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, NULL);
    g_assert_cmpint(keys->expires_ms, ==, G_MAXINT64);
    g_assert_null(keys->session_token);
}

static void
assert_process_fails(const char *line, VfError code, const char *what)
{
    g_autoptr(World) world = world_with_process(line);
    assert_refused(world, NULL, code, what);
}

static void
test_what_is_wrong_with_a_program_is_told(void)
{
    assert_process_fails(
        "sh -c 'echo first >&2; echo \"log in first\" >&2; echo S3CR3T; exit 3'", VF_ERROR_DENIED,
        "profile \"default\": it ended with status 3: log in first");
    assert_process_fails("sh -c 'kill -9 $$'", VF_ERROR_DENIED, "it ended with signal 9");
    assert_process_fails("echo S3CR3T", VF_ERROR_FAILED, "it printed no JSON object");
    assert_process_fails("echo '{\"Version\":2}'", VF_ERROR_FAILED, "another version");
    assert_process_fails("echo '{\"Version\":1}'", VF_ERROR_FAILED, "holds no AccessKeyId");
    assert_process_fails(
        "echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S3CR3T\",\"Expiration\":"
        "\"soon\"}'",
        VF_ERROR_FAILED, "no time in ISO 8601");
    assert_process_fails("/no/such/program", VF_ERROR_USAGE, "there is no such program");
    assert_process_fails("echo 'open", VF_ERROR_USAGE, "a quote is open");
    assert_process_fails("cat /dev/zero", VF_ERROR_FAILED, "printed more than 65536 bytes");
}

static void *
cancel_soon(void *cancel)
{
    g_usleep(200 * 1000);
    cancel_request(cancel);
    return NULL;
}

static void
test_a_cancel_ends_the_program_and_its_children(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(World) world = world_with_process("sh -c 'echo $$ > \"$HOME/pid\"; sleep 60; true'");
    g_autofree char *path = path_in_home(world, "pid");
    g_autofree char *text = NULL;
    const gint64 begin = g_get_monotonic_time();
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, cancel_soon, cancel), ==, 0);
    g_assert_null(aws_credentials_get(credentials_of(world, NULL), cancel, &error));
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);

    /* Its group goes by its number. */
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (int i = 0; i < 100 && kill(-atoi(text), 0) == 0; i++)
        g_usleep(20 * 1000);
    g_assert_cmpint(kill(-atoi(text), 0), !=, 0);
}

/* ------------------------------------------------------------------------------------------
 * Beside a container
 * ------------------------------------------------------------------------------------------ */

static World *
world_with_container(const char *answer)
{
    World *world = world_new(NULL, NULL);
    g_autofree char *url = server_url(world->server, "/v2/credentials/x?a=b");

    g_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, TRUE);
    world->routes[0] = (Route){"GET /v2/credentials/x?a=b", "200 OK", answer, NULL, 0, NULL};
    return world;
}

static void
test_a_container_gets_keys(void)
{
    g_autofree char *answer = json_answer("AKTASK", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(answer);

    assert_keys(world, NULL, "AKTASK", "the container's endpoint 127.0.0.1:");
    assert_said(world, 0, "Accept: application/json");
    g_assert_null(strcasestr(served(world->server, 0)->head, "authorization"));
}

static void
test_the_containers_token_is_read_anew(void)
{
    g_autofree char *answer = json_answer("AKPOD", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(answer);
    g_autofree char *path = path_in_home(world, "token");

    write_in_home(world, "token", "FIRST\n");
    g_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, TRUE);
    g_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "OTHER", TRUE);
    assert_keys(world, NULL, "AKPOD", "container");
    assert_said(world, 0, "Authorization: FIRST\r\n");

    write_in_home(world, "token", "SECOND");
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, NULL);
    aws_credentials_refused(world->credentials, keys);
    assert_keys(world, NULL, "AKPOD", "container");
    assert_said(world, 1, "Authorization: SECOND\r\n");
}

static void
test_a_token_with_a_line_break_is_not_sent(void)
{
    g_autoptr(World) world = world_with_container("{}");

    g_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "S3CR3T\r\nX-Other: 1", TRUE);
    assert_refused(world, NULL, VF_ERROR_USAGE, "token has a line break");
    g_assert_cmpuint(requests(world), ==, 0);
}

static void
assert_address_refused(const char *url, const char *what)
{
    g_autoptr(World) world = world_new(NULL, NULL);

    g_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, TRUE);
    assert_refused(world, NULL, VF_ERROR_USAGE, what);
}

static void
test_keys_do_not_cross_a_network_in_the_clear(void)
{
    assert_address_refused("http://example.com/x", "names the host example.com");
    assert_address_refused("http://169.254.169.254/x", "names the host 169.254.169.254");
    assert_address_refused("http://127.example.com/x", "names the host 127.example.com");
    assert_address_refused("http://10.0.0.1/x", "plain http");
    assert_address_refused("file:///etc/passwd", "is no http address");
}

static void
test_a_containers_refusal_is_told(void)
{
    g_autoptr(World) world = world_with_container("{}");

    world->routes[0].status = "403 Forbidden";
    world->routes[0].body = "{\"code\":\"x\",\"message\":\"no role for this task\"}";
    assert_refused(world, NULL, VF_ERROR_DENIED, "answered 403: no role for this task");
    g_assert_cmpuint(requests(world), ==, 1);
}

static void
test_a_faltering_container_endpoint_is_asked_again(void)
{
    g_autofree char *answer = json_answer("AKTASK", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(answer);

    world->routes[1] = world->routes[0];
    world->routes[0] = (Route){"GET /", "500 Oops", "", NULL, 2, NULL};
    assert_keys(world, NULL, "AKTASK", "container");
}

/* ------------------------------------------------------------------------------------------
 * On an instance
 * ------------------------------------------------------------------------------------------ */

#define ROLES "GET /latest/meta-data/iam/security-credentials/"

static World *
world_with_instance(const char *answer)
{
    World *world = world_new(NULL, NULL);
    g_autofree char *url = server_url(world->server, "/");

    g_unsetenv("AWS_EC2_METADATA_DISABLED");
    g_setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, TRUE);
    world->routes[0] = (Route){"PUT /latest/api/token", "200 OK", "SESSION", NULL, 0, NULL};
    world->routes[1] = (Route){ROLES "my-role", "200 OK", answer, NULL, 0, NULL};
    world->routes[2] = (Route){ROLES, "200 OK", "my-role\n", NULL, 0, NULL};
    return world;
}

static void
test_an_instance_gets_keys(void)
{
    g_autofree char *answer = json_answer("AKEC2", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    assert_keys(world, NULL, "AKEC2", "the instance's role my-role");
    assert_said(world, 0, "x-aws-ec2-metadata-token-ttl-seconds: 21600");
    assert_said(world, 1, "x-aws-ec2-metadata-token: SESSION");
    assert_said(world, 2, "x-aws-ec2-metadata-token: SESSION");
}

static void
test_an_old_instance_has_no_sessions(void)
{
    g_autofree char *answer = json_answer("AKEC2", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    world->routes[0].status = "405 Not Allowed";
    assert_keys(world, NULL, "AKEC2", "my-role");
    g_assert_null(strcasestr(served(world->server, 1)->head, "x-aws-ec2-metadata-token"));
}

/* The answer with the session's token does not pass the hop to a container. */
static void
test_where_sessions_get_lost_there_are_none(void)
{
    g_autofree char *answer = json_answer("AKEC2", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    world->routes[0].status = NULL;
    assert_keys(world, NULL, "AKEC2", "my-role");
}

static void
test_without_sessions_only_if_that_is_allowed(void)
{
    g_autoptr(World) world = world_with_instance("{}");

    world->routes[0].status = "405 Not Allowed";
    g_setenv("AWS_EC2_METADATA_V1_DISABLED", "true", TRUE);
    assert_refused(world, NULL, VF_ERROR_DENIED, "the instance's metadata: it gave no session");
}

static void
test_an_instance_without_a_role_has_none(void)
{
    g_autoptr(World) world = world_with_instance("{}");

    world->routes[2].status = "404 Not Found";
    assert_refused(world, NULL, VF_ERROR_DENIED, "found no AWS credentials");
}

static void
test_no_metadata_is_no_instance(void)
{
    g_autoptr(World) world = world_new(NULL, NULL);
    g_autoptr(Server) other = server_start(answer_by_route, world);
    g_autofree char *url = server_url(other, "/");

    server_stop(g_steal_pointer(&other));
    g_unsetenv("AWS_EC2_METADATA_DISABLED");
    g_setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, TRUE);
    assert_refused(world, NULL, VF_ERROR_DENIED, "found no AWS credentials");
}

static void
test_old_keys_of_an_instance_are_used(void)
{
    g_autofree char *answer = json_answer("AKOLD", -MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    assert_keys(world, NULL, "AKOLD", "my-role");
}

static void
test_switched_off_nobody_is_asked(void)
{
    g_autofree char *answer = json_answer("AKEC2", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
    assert_refused(world, NULL, VF_ERROR_DENIED, "(switched off)");
    g_assert_cmpuint(requests(world), ==, 0);
}

/* A program whose keys went away for a while is not one that never had any. */
static void
test_a_lost_source_may_come_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = json_answer("AKEC2", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_instance(answer);

    assert_keys(world, NULL, "AKEC2", "my-role");
    world->routes[2].status = "404 Not Found";
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, NULL);
    aws_credentials_refused(world->credentials, keys);
    g_assert_null(aws_credentials_get(world->credentials, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
}

/* ------------------------------------------------------------------------------------------
 * Renewal
 * ------------------------------------------------------------------------------------------ */

static void
test_keys_age_and_expire(void)
{
    const gint64 hour = 60 * MINUTE_MS;

    g_assert_cmpint(aws_keys_state(0, G_MAXINT64, 100 * hour), ==, AWS_KEYS_HOLD);
    g_assert_cmpint(aws_keys_state(0, 6 * hour, 6 * hour - 15 * MINUTE_MS), ==, AWS_KEYS_HOLD);
    g_assert_cmpint(aws_keys_state(0, 6 * hour, 6 * hour - 15 * MINUTE_MS + 1), ==, AWS_KEYS_AGE);
    g_assert_cmpint(aws_keys_state(0, hour, 50 * MINUTE_MS), ==, AWS_KEYS_AGE);
    g_assert_cmpint(aws_keys_state(0, hour, 50 * MINUTE_MS + 1), ==, AWS_KEYS_EXPIRE);
    g_assert_cmpint(aws_keys_state(0, hour, 2 * hour), ==, AWS_KEYS_EXPIRE);

    /* Those of a quarter of an hour are not old from the beginning. */
    g_assert_cmpint(aws_keys_state(0, 15 * MINUTE_MS, MINUTE_MS), ==, AWS_KEYS_HOLD);
    g_assert_cmpint(aws_keys_state(0, 15 * MINUTE_MS, 12 * MINUTE_MS), ==, AWS_KEYS_AGE);
    g_assert_cmpint(aws_keys_state(0, 15 * MINUTE_MS, 13 * MINUTE_MS), ==, AWS_KEYS_EXPIRE);
}

static void
assert_key_now(World *world, const char *access_key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsKeys) keys = aws_credentials_get(world->credentials, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(keys->access_key, ==, access_key);
}

static void
test_keys_are_renewed_in_time(void)
{
    g_autofree char *first = json_answer("AKONE", 2000);
    g_autofree char *second = json_answer("AKTWO", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(first);

    world->routes[0].times = 1;
    world->routes[1] = (Route){"GET /", "200 OK", second, NULL, 0, NULL};
    assert_keys(world, NULL, "AKONE", "container");
    assert_key_now(world, "AKONE");
    g_assert_cmpuint(requests(world), ==, 1);
    g_usleep(1600 * 1000);
    assert_key_now(world, "AKTWO");
}

static void
test_aging_keys_survive_a_failed_renewal(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = json_answer("AKONE", 4000);
    g_autoptr(World) world = world_with_container(first);

    world->routes[0].times = 1;
    assert_keys(world, NULL, "AKONE", "container");
    g_usleep(3050 * 1000);
    assert_key_now(world, "AKONE");
    assert_key_now(world, "AKONE");
    g_assert_cmpuint(requests(world), ==, 2); /* it is not tried for every call */
    g_usleep(700 * 1000);
    g_assert_null(aws_credentials_get(world->credentials, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
}

static void
test_refused_keys_are_asked_for_again(void)
{
    g_autofree char *first = json_answer("AKONE", 60 * MINUTE_MS);
    g_autofree char *second = json_answer("AKTWO", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(first);

    world->routes[0].times = 1;
    world->routes[1] = (Route){"GET /", "200 OK", second, NULL, 0, NULL};
    assert_keys(world, NULL, "AKONE", "container");
    g_autoptr(AwsKeys) old = aws_credentials_get(world->credentials, NULL, NULL);
    aws_credentials_refused(world->credentials, old);
    assert_key_now(world, "AKTWO");

    /* A late complaint about the old ones is no news. */
    aws_credentials_refused(world->credentials, old);
    assert_key_now(world, "AKTWO");
    g_assert_cmpuint(requests(world), ==, 2);
}

#define THREADS 16

static void *
get_in_thread(void *data)
{
    GError *error = NULL;
    g_autoptr(AwsKeys) keys = aws_credentials_get(data, NULL, &error);
    g_assert_true((keys == NULL) == (error != NULL));
    return error;
}

/* How many of the threads got no keys. */
static int
get_in_threads(World *world)
{
    AwsCredentials *credentials = credentials_of(world, NULL);
    pthread_t threads[THREADS];
    int failures = 0;

    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, get_in_thread, credentials), ==, 0);
    for (int i = 0; i < THREADS; i++)
    {
        void *error;
        g_assert_cmpint(pthread_join(threads[i], &error), ==, 0);
        failures += error != NULL;
        g_clear_error((GError **) &error);
    }
    return failures;
}

static void
test_many_threads_ask_once(void)
{
    g_autofree char *answer = json_answer("AKTASK", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(answer);

    world->pause_ms = 300;
    g_assert_cmpint(get_in_threads(world), ==, 0);
    g_assert_cmpuint(requests(world), ==, 1);
}

static void
test_those_who_waited_share_the_failure(void)
{
    g_autoptr(World) world = world_with_container("{}");

    world->routes[0].status = "403 Forbidden";
    world->pause_ms = 500;
    g_assert_cmpint(get_in_threads(world), ==, THREADS);
    g_assert_cmpuint(requests(world), <, THREADS / 2);
}

static void
test_who_waits_can_be_cancelled(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Cancel) cancel = cancel_new();
    g_autofree char *answer = json_answer("AKTASK", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(answer);
    AwsCredentials *credentials = credentials_of(world, NULL);
    pthread_t renewing;
    void *failure;

    world->pause_ms = 1000;
    g_assert_cmpint(pthread_create(&renewing, NULL, get_in_thread, credentials), ==, 0);
    g_usleep(200 * 1000);
    cancel_request(cancel);
    const gint64 begin = g_get_monotonic_time();
    g_assert_null(aws_credentials_get(credentials, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 500 * 1000);
    g_assert_cmpint(pthread_join(renewing, &failure), ==, 0);
    g_assert_null(failure);
}

/* ------------------------------------------------------------------------------------------
 * A role taken with others' keys
 * ------------------------------------------------------------------------------------------ */

static void
test_a_role_is_narrowed_by_a_policy(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world = world_new(NULL, DEFAULT);

    world->routes[0] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    g_autoptr(AwsCredentials) narrowed = aws_credentials_of_role(
        credentials_of(world, NULL), "arn:table", "bot", "{\"Version\":\"2012-10-17\"}",
        "ap-northeast-1");
    g_autoptr(AwsKeys) keys = aws_credentials_get(narrowed, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(keys->access_key, ==, "AKROLE");
    assert_said(
        world, 0,
        "RoleArn=arn%3Atable&RoleSessionName=bot&Policy=%7B%22Version%22%3A%222012-10-17%22%7D");
    assert_said(world, 0, "Credential=AKFILE/");
    assert_said(world, 0, "/ap-northeast-1/sts/");
    g_autofree char *origin = aws_credentials_origin(narrowed);
    g_assert_cmpstr(origin, ==, "role arn:table");
}

static void
test_a_role_is_tried_again_with_new_keys(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = json_answer("AKONE", 60 * MINUTE_MS);
    g_autofree char *second = json_answer("AKTWO", 60 * MINUTE_MS);
    g_autofree char *refusal = sts_refusal("ExpiredToken", "The security token is expired");
    g_autofree char *answer = sts_answer("AssumeRole", "AKROLE", 60 * MINUTE_MS);
    g_autoptr(World) world = world_with_container(first);

    world->routes[0].times = 1;
    world->routes[1] = (Route){"GET /", "200 OK", second, NULL, 0, NULL};
    world->routes[2] = (Route){"POST /", "403 Forbidden", refusal, NULL, 1, NULL};
    world->routes[3] = (Route){"POST /", "200 OK", answer, NULL, 0, NULL};
    g_autoptr(AwsCredentials) role =
        aws_credentials_of_role(credentials_of(world, NULL), "arn:x", "me", NULL, NULL);
    g_autoptr(AwsKeys) keys = aws_credentials_get(role, NULL, &error);
    g_assert_no_error(error);
    assert_said(world, 1, "Credential=AKONE/");
    assert_said(world, 3, "Credential=AKTWO/");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/credentials/the environment comes first", test_the_environment_comes_first);
    g_test_add_func(
        "/credentials/a profile that was named comes before it",
        test_a_profile_that_was_named_comes_before_it);
    g_test_add_func(
        "/credentials/half a pair in the environment is told",
        test_half_a_pair_in_the_environment_is_told);
    g_test_add_func("/credentials/expired keys are refused", test_expired_keys_are_refused);
    g_test_add_func(
        "/credentials/without any it says where it looked",
        test_without_any_it_says_where_it_looked);
    g_test_add_func("/credentials/an unknown profile is told", test_an_unknown_profile_is_told);
    g_test_add_func("/credentials/a profile takes its role", test_a_profile_takes_its_role);
    g_test_add_func(
        "/credentials/roles are taken one by another", test_roles_are_taken_one_by_another);
    g_test_add_func(
        "/credentials/a role starts from the environment", test_a_role_starts_from_the_environment);
    g_test_add_func(
        "/credentials/a profile may name itself for its keys",
        test_a_profile_may_name_itself_for_its_keys);
    g_test_add_func("/credentials/a loop of profiles is told", test_a_loop_of_profiles_is_told);
    g_test_add_func(
        "/credentials/a profile that only names itself is a loop",
        test_a_profile_that_only_names_itself_is_a_loop);
    g_test_add_func(
        "/credentials/a one time code is not asked for", test_a_one_time_code_is_not_asked_for);
    g_test_add_func(
        "/credentials/a role without a source is told", test_a_role_without_a_source_is_told);
    g_test_add_func(
        "/credentials/a source that is no profile is told",
        test_a_source_that_is_no_profile_is_told);
    g_test_add_func(
        "/credentials/a refusal is told without secrets", test_a_refusal_is_told_without_secrets);
    g_test_add_func(
        "/credentials/an overloaded sts is asked again", test_an_overloaded_sts_is_asked_again);
    g_test_add_func(
        "/credentials/a page of a proxy is no answer", test_a_page_of_a_proxy_is_no_answer);
    g_test_add_func("/credentials/a wrong clock is mended once", test_a_wrong_clock_is_mended_once);
    g_test_add_func("/credentials/a web identity signs nothing", test_a_web_identity_signs_nothing);
    g_test_add_func(
        "/credentials/a profile may have a web identity", test_a_profile_may_have_a_web_identity);
    g_test_add_func(
        "/credentials/a web identity replaced meanwhile is tried",
        test_a_web_identity_replaced_meanwhile_is_tried);
    g_test_add_func(
        "/credentials/an expired web identity is told", test_an_expired_web_identity_is_told);
    g_test_add_func("/credentials/a session of sso gives keys", test_a_session_of_sso_gives_keys);
    g_test_add_func(
        "/credentials/an old session is renewed and kept", test_an_old_session_is_renewed_and_kept);
    g_test_add_func(
        "/credentials/a session that holds survives a failed renewal",
        test_a_session_that_holds_survives_a_failed_renewal);
    g_test_add_func("/credentials/a dead session wants a login", test_a_dead_session_wants_a_login);
    g_test_add_func(
        "/credentials/a session that the portal refuses wants a login",
        test_a_session_that_the_portal_refuses_wants_a_login);
    g_test_add_func(
        "/credentials/a session renewed elsewhere is used",
        test_a_session_renewed_elsewhere_is_used);
    g_test_add_func("/credentials/a program prints keys", test_a_program_prints_keys);
    g_test_add_func(
        "/credentials/what is wrong with a program is told",
        test_what_is_wrong_with_a_program_is_told);
    g_test_add_func(
        "/credentials/a cancel ends the program and its children",
        test_a_cancel_ends_the_program_and_its_children);
    g_test_add_func("/credentials/a container gets keys", test_a_container_gets_keys);
    g_test_add_func(
        "/credentials/the containers token is read anew", test_the_containers_token_is_read_anew);
    g_test_add_func(
        "/credentials/a token with a line break is not sent",
        test_a_token_with_a_line_break_is_not_sent);
    g_test_add_func(
        "/credentials/keys do not cross a network in the clear",
        test_keys_do_not_cross_a_network_in_the_clear);
    g_test_add_func("/credentials/a containers refusal is told", test_a_containers_refusal_is_told);
    g_test_add_func(
        "/credentials/a faltering container endpoint is asked again",
        test_a_faltering_container_endpoint_is_asked_again);
    g_test_add_func("/credentials/an instance gets keys", test_an_instance_gets_keys);
    g_test_add_func(
        "/credentials/an old instance has no sessions", test_an_old_instance_has_no_sessions);
    g_test_add_func(
        "/credentials/where sessions get lost there are none",
        test_where_sessions_get_lost_there_are_none);
    g_test_add_func(
        "/credentials/without sessions only if that is allowed",
        test_without_sessions_only_if_that_is_allowed);
    g_test_add_func(
        "/credentials/an instance without a role has none",
        test_an_instance_without_a_role_has_none);
    g_test_add_func("/credentials/no metadata is no instance", test_no_metadata_is_no_instance);
    g_test_add_func(
        "/credentials/old keys of an instance are used", test_old_keys_of_an_instance_are_used);
    g_test_add_func("/credentials/switched off nobody is asked", test_switched_off_nobody_is_asked);
    g_test_add_func("/credentials/a lost source may come back", test_a_lost_source_may_come_back);
    g_test_add_func("/credentials/keys age and expire", test_keys_age_and_expire);
    g_test_add_func("/credentials/keys are renewed in time", test_keys_are_renewed_in_time);
    g_test_add_func(
        "/credentials/aging keys survive a failed renewal",
        test_aging_keys_survive_a_failed_renewal);
    g_test_add_func(
        "/credentials/refused keys are asked for again", test_refused_keys_are_asked_for_again);
    g_test_add_func("/credentials/many threads ask once", test_many_threads_ask_once);
    g_test_add_func(
        "/credentials/those who waited share the failure", test_those_who_waited_share_the_failure);
    g_test_add_func("/credentials/who waits can be cancelled", test_who_waits_can_be_cancelled);
    g_test_add_func(
        "/credentials/a role is narrowed by a policy", test_a_role_is_narrowed_by_a_policy);
    g_test_add_func(
        "/credentials/a role is tried again with new keys",
        test_a_role_is_tried_again_with_new_keys);
    return g_test_run();
}
