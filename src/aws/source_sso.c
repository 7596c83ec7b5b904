/*
 * source_sso.c - keys of a role, with the session that `aws sso login` left in a cache.
 */
#include "aws/keys_json.h"
#include "aws/source.h"
#include "base/error.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_CACHE_BYTES (256 * 1024)
#define MAX_ANSWER_BYTES (64 * 1024)
#define CALL_TIMEOUT_MS 20000

/* A session is renewed when it has less left. */
#define SESSION_AGES_MS (15 * 60 * 1000)

static const RetryPolicy PATIENCE = {.attempts = 3, .first_ms = 500, .longest_ms = 5000};

/* What a profile says of it. */
typedef struct
{
    const AwsSearch *search;
    const char *session; /* NULL: the old form, whose cache goes by the start address */
    const char *start_url;
    const char *region;
    const char *account;
    const char *role;
    char *cache; /* path of the session's file */
} Sso;

static void
sso_clear(Sso *sso)
{
    g_free(sso->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sso, sso_clear)

static const char *
value_of(const AwsSearch *search, const char *name)
{
    return aws_profile_value(search->files, search->profile, name);
}

static char *
cache_path(const Sso *sso)
{
    const char *home = aws_variable("HOME");
    g_autofree char *name = g_compute_checksum_for_string(
        G_CHECKSUM_SHA1, sso->session != NULL ? sso->session : sso->start_url, -1);
    g_autofree char *file = g_strconcat(name, ".json", NULL);
    return g_build_filename(
        home != NULL ? home : g_get_home_dir(), ".aws", "sso", "cache", file, NULL);
}

/* False without an error when the profile is not one of SSO. */
static bool
read_settings(const AwsSearch *search, Sso *sso, GError **error)
{
    sso->search = search;
    sso->session = value_of(search, "sso_session");
    sso->account = value_of(search, "sso_account_id");
    sso->role = value_of(search, "sso_role_name");
    if (sso->session == NULL && value_of(search, "sso_start_url") == NULL)
        return false;
    if (sso->session != NULL)
    {
        sso->start_url =
            aws_section_value(search->files, "sso-session", sso->session, "sso_start_url");
        sso->region = aws_section_value(search->files, "sso-session", sso->session, "sso_region");
    }
    else
    {
        sso->start_url = value_of(search, "sso_start_url");
        sso->region = value_of(search, "sso_region");
    }

    const char *missing = sso->start_url == NULL ? "sso_start_url"
                          : sso->region == NULL  ? "sso_region"
                          : sso->account == NULL ? "sso_account_id"
                          : sso->role == NULL    ? "sso_role_name"
                                                 : NULL;
    if (missing != NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "profile \"%s\" wants SSO, but has no %s",
            search->profile, missing);
        return false;
    }
    sso->cache = cache_path(sso);
    return true;
}

/* ------------------------------------------------------------------------------------------
 * The session
 * ------------------------------------------------------------------------------------------ */

static void
hint_to_log_in(const Sso *sso, GError **error)
{
    vf_error_hint(error, "run: aws sso login --profile %s", sso->search->profile);
}

static SecretJson *
read_session(const Sso *sso, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    const bool read = g_file_get_contents(sso->cache, &bytes, &length, NULL);
    g_autoptr(SecretJson) session =
        read && length <= MAX_CACHE_BYTES ? secret_json_read(bytes, length) : NULL;

    if (read)
        explicit_bzero(bytes, length);
    if (session != NULL && json_text(session, "accessToken") != NULL &&
        aws_time_ms(json_text(session, "expiresAt")) >= 0)
        return g_steal_pointer(&session);
    g_set_error(error, VF_ERROR, VF_ERROR_DENIED, "there is no session in %s", sso->cache);
    hint_to_log_in(sso, error);
    return NULL;
}

static gint64
session_left_ms(const Json *session)
{
    return aws_time_ms(json_text(session, "expiresAt")) - g_get_real_time() / 1000;
}

/* Whether there is all that a new token is asked for with. */
static bool
is_renewable(const Sso *sso, const Json *session)
{
    return sso->session != NULL && json_text(session, "refreshToken") != NULL &&
           json_text(session, "clientId") != NULL && json_text(session, "clientSecret") != NULL &&
           aws_time_ms(json_text(session, "registrationExpiresAt")) > g_get_real_time() / 1000;
}

static AwsSecret *
renewal_request(const Json *session)
{
    static const char *const NAMES[] = {"clientId", "clientSecret", "refreshToken"};
    g_autoptr(SecretJson) request = json_object();

    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        json_object_set_new(request, NAMES[i], json_string(json_text(session, NAMES[i])));
    json_object_set_new(request, "grantType", json_string("refresh_token"));
    return json_dumps(request, JSON_COMPACT);
}

/* A new token, yours. */
static SecretJson *
ask_for_session(const Sso *sso, const Json *session, Cancel *cancel, GError **error)
{
    static const char *const HEADERS[] = {"Content-Type: application/json", NULL};
    g_autofree char *endpoint = aws_source_endpoint(
        sso->search->files, sso->search->profile, "SSO_OIDC", "oidc", sso->region, error);
    if (endpoint == NULL)
        return NULL;
    g_autofree char *url = g_strconcat(endpoint, "/token", NULL);
    g_autoptr(AwsSecret) body = renewal_request(session);
    const HttpRequest request = {
        .method = "POST",
        .url = url,
        .headers = HEADERS,
        .body = body,
        .body_bytes = strlen(body),
        .total_timeout_ms = CALL_TIMEOUT_MS,
        .max_bytes = MAX_ANSWER_BYTES,
    };
    g_autoptr(HttpClient) client = aws_open_client();
    g_autoptr(SecretResponse) response = aws_fetch(client, &request, cancel, error);
    if (response == NULL)
        return NULL;
    g_autoptr(SecretJson) answer = secret_json_read(response->body->str, response->body->len);
    if (response->status == 200 && answer != NULL && json_text(answer, "accessToken") != NULL)
        return g_steal_pointer(&answer);
    const char *told = json_text(answer, "error");
    g_autofree char *shown = aws_quote(told != NULL ? told : "no token");
    g_set_error(
        error, VF_ERROR, response->status >= 500 ? VF_ERROR_CONNECT : VF_ERROR_DENIED,
        "the session of SSO could not be renewed: %d %s", response->status, shown);
    hint_to_log_in(sso, error);
    return NULL;
}

static void
set_copy(Json *object, const char *key, const char *text)
{
    if (text == NULL)
        return;
    g_autoptr(SecretJson) old = json_incref(json_object_get(object, key));
    json_object_set_new(object, key, json_string(text));
}

/* Other tools use the same file: they see the old session or the new one, whole.  One that cannot
 * be written is no reason to stop: ours is good all the same. */
static void
keep_session(const Sso *sso, const Json *session)
{
    g_autoptr(AwsSecret) text = json_dumps(session, JSON_COMPACT);
    /* Newer GLib gives the new file the mode of the one that is there. */
    if (g_chmod(sso->cache, 0600) == 0)
        g_file_set_contents_full(sso->cache, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* The session with its new token. */
static void
renew_session(const Sso *sso, SecretJson *session, const Json *answer)
{
    const gint64 lasts_s = json_integer_value(json_object_get(answer, "expiresIn"));
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) end = g_date_time_add_seconds(now, (double) lasts_s);
    g_autofree char *expires = end != NULL ? g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    set_copy(session, "accessToken", json_text(answer, "accessToken"));
    set_copy(session, "refreshToken", json_text(answer, "refreshToken"));
    set_copy(session, "expiresAt", expires);
    keep_session(sso, session);
}

/* What another process of ours, or the command-line tool, left in the cache meanwhile; NULL when
 * nobody did. */
static SecretJson *
renewed_elsewhere(const Sso *sso)
{
    g_autoptr(SecretJson) session = read_session(sso, NULL);
    return session != NULL && session_left_ms(session) >= SESSION_AGES_MS
               ? g_steal_pointer(&session)
               : NULL;
}

/* A session that holds, yours. */
static SecretJson *
find_session(const Sso *sso, Cancel *cancel, GError **error)
{
    g_autoptr(SecretJson) session = read_session(sso, error);
    GError *problem = NULL;

    if (session == NULL)
        return NULL;
    const gint64 left_ms = session_left_ms(session);
    if (left_ms < SESSION_AGES_MS && is_renewable(sso, session))
    {
        g_autoptr(SecretJson) answer = ask_for_session(sso, session, cancel, &problem);
        if (answer != NULL)
        {
            renew_session(sso, session, answer);
            return g_steal_pointer(&session);
        }
        g_autoptr(SecretJson) other = renewed_elsewhere(sso);
        if (other != NULL)
        {
            g_error_free(problem);
            return g_steal_pointer(&other);
        }
    }
    if (left_ms > 0 && !g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
    {
        g_clear_error(&problem);
        return g_steal_pointer(&session);
    }
    if (problem == NULL)
    {
        g_set_error_literal(&problem, VF_ERROR, VF_ERROR_DENIED, "the session of SSO has expired");
        hint_to_log_in(sso, &problem);
    }
    g_propagate_error(error, problem);
    return NULL;
}

/* ------------------------------------------------------------------------------------------
 * The role's keys
 * ------------------------------------------------------------------------------------------ */

typedef struct
{
    const Sso *sso;
    HttpClient *client;
    const char *url;
    const char *header; /* with the session's token */
} Asking;

static AwsKeys *
keys_of_answer(const Json *answer, GError **error)
{
    const Json *keys = json_object_get(answer, "roleCredentials");
    const char *access_key = json_text(keys, "accessKeyId");
    const char *secret_key = json_text(keys, "secretAccessKey");
    const char *token = json_text(keys, "sessionToken");
    const gint64 expires_ms = json_integer_value(json_object_get(keys, "expiration"));

    if (access_key != NULL && secret_key != NULL && token != NULL && expires_ms > 0)
        return aws_keys_new(access_key, secret_key, token, expires_ms);
    g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, "the answer of SSO holds no keys");
    return NULL;
}

static AwsKeys *
ask(void *data, Cancel *cancel, GError **error)
{
    const Asking *asking = data;
    const char *headers[] = {asking->header, NULL};
    const HttpRequest request = {
        .url = asking->url,
        .headers = headers,
        .total_timeout_ms = CALL_TIMEOUT_MS,
        .max_bytes = MAX_ANSWER_BYTES,
    };
    g_autoptr(SecretResponse) response = aws_fetch(asking->client, &request, cancel, error);
    if (response == NULL)
        return NULL;
    g_autoptr(SecretJson) answer = secret_json_read(response->body->str, response->body->len);
    if (response->status == 200)
        return keys_of_answer(answer, error);

    const char *told = json_text(answer, "message");
    g_autofree char *message = aws_quote(told != NULL ? told : "");
    const bool passing = response->status >= 500 || response->status == 429;
    g_set_error(
        error, VF_ERROR, passing ? VF_ERROR_BUSY : VF_ERROR_DENIED,
        "SSO gives no keys for the role %s in account %s: %d%s%s", asking->sso->role,
        asking->sso->account, response->status, *message != '\0' ? " " : "", message);
    if (response->status == 401)
        hint_to_log_in(asking->sso, error);
    return NULL;
}

static AwsKeys *
role_keys(const Sso *sso, const Json *session, Cancel *cancel, GError **error)
{
    g_autofree char *endpoint = aws_source_endpoint(
        sso->search->files, sso->search->profile, "SSO", "portal.sso", sso->region, error);
    if (endpoint == NULL)
        return NULL;
    g_autofree char *role = g_uri_escape_string(sso->role, NULL, false);
    g_autofree char *account = g_uri_escape_string(sso->account, NULL, false);
    g_autofree char *url = g_strdup_printf(
        "%s/federation/credentials?role_name=%s&account_id=%s", endpoint, role, account);
    g_autoptr(AwsSecret) header =
        g_strconcat("x-amz-sso_bearer_token: ", json_text(session, "accessToken"), NULL);
    g_autoptr(HttpClient) client = aws_open_client();
    Asking asking = {sso, client, url, header};
    return aws_ask_patiently(&PATIENCE, ask, &asking, cancel, error);
}

AwsKeys *
aws_sso_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    g_auto(Sso) sso = {0};

    if (!read_settings(search, &sso, error))
        return NULL;
    g_autoptr(SecretJson) session = find_session(&sso, cancel, error);
    AwsKeys *keys = session != NULL ? role_keys(&sso, session, cancel, error) : NULL;
    if (keys == NULL)
        g_prefix_error(error, "profile \"%s\": ", search->profile);
    else
        *origin = g_strdup_printf("profile \"%s\" (SSO role %s)", search->profile, sso.role);
    return keys;
}
