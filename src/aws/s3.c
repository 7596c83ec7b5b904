#include "aws/s3.h"

#include "aws/client_state.h"
#include "aws/sign.h"
#include "base/error.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The first part of an object is short: what breaks off before its ETag is known begins anew. */
#define FIRST_PART_BYTES (1024 * 1024)

#define MAX_CODE 80

static void
set_foreign(const char *operation, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "s3 %s: the answer is not one of AWS", operation);
    vf_error_hint(error, "is a proxy in between, or the endpoint not AWS's?");
}

static void
tell_code(char *code, const AwsAnswer *answer)
{
    if (code != NULL)
        g_strlcpy(code, answer->code, MAX_CODE);
}

static char *
path_of(const char *key)
{
    g_autofree char *encoded = aws_encode(key, true);
    return g_strconcat("/", encoded, NULL);
}

/* --- lists ------------------------------------------------------------------------ */

static char *
list_query(const char *prefix, const char *token)
{
    GString *query = g_string_new("");
    g_autofree char *encoded = aws_encode(prefix, false);

    if (token != NULL)
    {
        g_autofree char *encoded_token = aws_encode(token, false);
        g_string_append_printf(query, "continuation-token=%s&", encoded_token);
    }
    g_string_append_printf(query, "encoding-type=url&list-type=2&prefix=%s", encoded);
    return g_string_free(query, FALSE);
}

/* A key as the list spells it, with %20 or + for a space; NULL when it is spelled wrong. */
static char *
decoded(const char *text)
{
    g_autofree char *spaced = g_strdelimit(g_strdup(text), "+", ' ');
    return g_uri_unescape_string(spaced, NULL);
}

static gint64
milliseconds(const char *time)
{
    g_autoptr(GDateTime) parsed = time != NULL ? g_date_time_new_from_iso8601(time, NULL) : NULL;
    return parsed != NULL ? g_date_time_to_unix(parsed) * 1000 : -1;
}

/* False when it is no object as S3 lists them. */
static bool
take_object(const AwsReply *contents, AwsObjectTaker take, void *data)
{
    const char *key = aws_reply_text(contents, "Key");
    const char *size = aws_reply_text(contents, "Size");
    AwsObject object = {.modified_ms = milliseconds(aws_reply_text(contents, "LastModified"))};
    guint64 bytes = 0;

    if (key == NULL || size == NULL ||
        !g_ascii_string_to_unsigned(size, 10, 0, G_MAXINT64, &bytes, NULL))
        return false;
    g_autofree char *plain = decoded(key);
    object.bytes = (gint64) bytes;
    if (plain != NULL) /* what cannot be spelled in C is nobody's file */
        take(data, plain, &object);
    return true;
}

static bool
take_page(const AwsReply *page, AwsObjectTaker take, void *data)
{
    for (const AwsReply *at = aws_reply_first(page); at != NULL; at = aws_reply_next(at))
        if (strcmp(aws_reply_name(at), "Contents") == 0 && !take_object(at, take, data))
            return false;
    return true;
}

/* One page; *token is its successor's, yours, NULL after the last. */
static bool
list_page(
    AwsClient *client, const char *bucket, const char *query, AwsObjectTaker take, void *data,
    char **token, char *code, Cancel *cancel, GError **error)
{
    const AwsCall call = {
        .service = AWS_S3,
        .operation = "ListObjectsV2",
        .method = "GET",
        .bucket = bucket,
        .query = query,
    };
    g_auto(AwsAnswer) answer = {0};
    const bool ok = aws_call(client, &call, &answer, cancel, error);

    tell_code(code, &answer);
    if (!ok)
        return false;
    const GString *body = answer.response->body;
    g_autoptr(AwsReply) page = aws_reply_parse(body->str, body->len, NULL);
    const bool continued = g_strcmp0(aws_reply_text(page, "IsTruncated"), "true") == 0;
    const char *next = aws_reply_text(page, "NextContinuationToken");
    if (page == NULL || strcmp(aws_reply_name(page), "ListBucketResult") != 0 ||
        (continued && next == NULL) || !take_page(page, take, data))
    {
        set_foreign(call.operation, error);
        return false;
    }
    *token = continued ? g_strdup(next) : NULL;
    return true;
}

bool
aws_list_objects(
    AwsClient *client, const char *bucket, const char *prefix, AwsObjectTaker take, void *data,
    char *code, Cancel *cancel, GError **error)
{
    g_autofree char *token = NULL;

    do
    {
        g_autofree char *query = list_query(prefix, token);
        g_clear_pointer(&token, g_free);
        if (!list_page(client, bucket, query, take, data, &token, code, cancel, error))
            return false;
    } while (token != NULL);
    return true;
}

/* --- facts ------------------------------------------------------------------------ */

static gint64
modified_ms(const HttpResponse *response)
{
    const char *text = http_header(response, "Last-Modified");
    const time_t date = text != NULL ? curl_getdate(text, NULL) : -1;
    return date == -1 ? -1 : (gint64) date * 1000;
}

/* A number at text, which ends at one of those characters or at the end; -1 for none. */
static gint64
number_at(const char *text)
{
    g_autofree char *digits = g_strndup(text, strspn(text, "0123456789"));
    guint64 number = 0;

    return g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &number, NULL) ? (gint64) number
                                                                                : -1;
}

/* What part of how much an answer holds: "bytes 0-99/1000". */
typedef struct
{
    gint64 first;
    gint64 last;
    gint64 total;
} Part;

static bool
read_part(const HttpResponse *response, Part *part)
{
    const char *text = http_header(response, "Content-Range");
    const char *minus = text != NULL ? strchr(text, '-') : NULL;
    const char *slash = minus != NULL ? strchr(minus, '/') : NULL;

    if (slash == NULL || !g_str_has_prefix(text, "bytes "))
        return false;
    *part = (Part){
        .first = number_at(text + strlen("bytes ")),
        .last = number_at(minus + 1),
        .total = number_at(slash + 1),
    };
    return part->first >= 0 && part->last >= part->first && part->total > part->last;
}

/* Whether it answered with a part of the object or with all of it. */
static AwsObject
object_of(const HttpResponse *response)
{
    const char *length = http_header(response, "Content-Length");
    AwsObject object = {.bytes = -1, .modified_ms = modified_ms(response)};
    Part part;

    if (read_part(response, &part))
        object.bytes = part.total;
    else if (length != NULL)
        object.bytes = number_at(length);
    return object;
}

static bool
ask_for_facts(
    AwsClient *client, const AwsCall *call, AwsObject *object, AwsAnswer *answer, Cancel *cancel,
    GError **error)
{
    if (!aws_call(client, call, answer, cancel, error))
        return false;
    *object = object_of(answer->response);
    if (object->bytes < 0)
        set_foreign(call->operation, error);
    return object->bytes >= 0;
}

/*
 * An answer to HEAD has no body, so it does not tell why: expired keys, a wrong clock and a
 * forbidden object look alike.  One byte of the object is asked for then, which tells.
 */
bool
aws_head_object(
    AwsClient *client, const char *bucket, const char *key, AwsObject *object, char *code,
    Cancel *cancel, GError **error)
{
    static const char *const ONE_BYTE[] = {"Range: bytes=0-0", NULL};
    g_autofree char *path = path_of(key);
    AwsCall call = {
        .service = AWS_S3,
        .operation = "HeadObject",
        .method = "HEAD",
        .bucket = bucket,
        .path = path,
    };
    g_auto(AwsAnswer) answer = {0};
    g_autoptr(GError) problem = NULL;
    bool ok = ask_for_facts(client, &call, object, &answer, cancel, &problem);

    if (!ok && (answer.status == 400 || answer.status == 403))
    {
        call.operation = "GetObject";
        call.method = "GET";
        call.headers = ONE_BYTE;
        g_clear_error(&problem);
        ok = ask_for_facts(client, &call, object, &answer, cancel, &problem);
    }
    tell_code(code, &answer);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&problem));
    return ok;
}

/* --- bytes ------------------------------------------------------------------------ */

typedef struct
{
    AwsClient *client;
    const char *bucket;
    char *path;
    int fd;
    gint64 max_bytes;
    AwsObject *object; /* bytes -1: not yet known */
    char *etag;        /* NULL: not yet known */
    char *code;
    Cancel *cancel;
} Load;

/* That of the part from there to `last`, or to the end when that is negative. */
static char *
range_header(gint64 first, gint64 last)
{
    return last < 0 ? g_strdup_printf("Range: bytes=%" G_GINT64_FORMAT "-", first)
                    : g_strdup_printf(
                          "Range: bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, first, last);
}

static bool
call_for_part(Load *load, const char *range, AwsAnswer *answer, GError **error)
{
    g_autofree char *match =
        load->etag != NULL ? g_strconcat("If-Match: ", load->etag, NULL) : NULL;
    const char *const headers[] = {
        range != NULL ? range : match, range != NULL ? match : NULL, NULL};
    const AwsCall call = {
        .service = AWS_S3,
        .operation = "GetObject",
        .method = "GET",
        .bucket = load->bucket,
        .path = load->path,
        .headers = headers,
        .fd = load->fd,
        .max_bytes = load->max_bytes > 0 ? load->max_bytes : G_MAXINT64,
    };
    const bool ok = aws_call(load->client, &call, answer, load->cancel, error);

    tell_code(load->code, answer);
    return ok;
}

/* What the first answer tells of the whole. */
static bool
learn(Load *load, const HttpResponse *response, GError **error)
{
    const char *etag = http_header(response, "ETag");

    *load->object = object_of(response);
    if (load->object->bytes < 0)
        load->object->bytes = response->bytes; /* all of it came, with no length before */
    g_free(load->etag);
    load->etag = g_strdup(etag);
    if (etag == NULL)
    {
        set_foreign("GetObject", error);
        return false;
    }
    if (load->max_bytes <= 0 || load->object->bytes <= load->max_bytes)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "the file has %" G_GINT64_FORMAT " bytes, more than the limit of %" G_GINT64_FORMAT,
        load->object->bytes, load->max_bytes);
    return false;
}

/* Whether what was written is the part that begins there, and not the whole or another one. */
static bool
check_part(const Load *load, const AwsAnswer *answer, gint64 first, GError **error)
{
    const gint64 end = lseek(load->fd, 0, SEEK_CUR);
    Part part = {.first = 0, .last = answer->response->bytes - 1, .total = load->object->bytes};

    if ((answer->status != 206 || read_part(answer->response, &part)) && part.first == first &&
        part.last + 1 == end && part.total == load->object->bytes)
        return true;
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_FAILED,
        "s3 GetObject: the answer is another part than asked for");
    return false;
}

static bool
empty_file(int fd, GError **error)
{
    if (lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not empty a temporary file: %s",
        g_strerror(errno));
    return false;
}

/* The beginning of the object, and all of a small one. */
static bool
load_beginning(Load *load, GError **error)
{
    g_autofree char *range = range_header(0, FIRST_PART_BYTES - 1);
    g_auto(AwsAnswer) answer = {0};
    g_autoptr(GError) problem = NULL;

    if (!empty_file(load->fd, error))
        return false;
    bool ok = call_for_part(load, range, &answer, &problem);
    if (!ok && strcmp(answer.code, "InvalidRange") == 0)
    {
        /* Nothing is at no place of an empty object. */
        g_clear_error(&problem);
        ok = call_for_part(load, NULL, &answer, &problem);
    }
    if (!ok)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return learn(load, answer.response, error) && check_part(load, &answer, 0, error);
}

static bool
load_rest(Load *load, GError **error)
{
    const gint64 first = lseek(load->fd, 0, SEEK_CUR);
    g_autofree char *range = range_header(first, -1);
    g_auto(AwsAnswer) answer = {0};

    return call_for_part(load, range, &answer, error) && check_part(load, &answer, first, error);
}

/* The next part, from where the file ends. */
static bool
load_part(Load *load, GError **error)
{
    return load->etag == NULL ? load_beginning(load, error) : load_rest(load, error);
}

static bool
is_whole(const Load *load)
{
    return load->object->bytes >= 0 && lseek(load->fd, 0, SEEK_CUR) == load->object->bytes;
}

/* True when a body broke off and another attempt may be made; where nothing came the client was
 * patient already. */
static bool
wait_for_another(const Load *load, AwsPatience *patience, gint64 came, const GError *problem)
{
    const AwsTiming *timing = load->client->timing;
    gint64 wait_ms = 0;

    if (came <= 0 || !g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT))
        return false;
    if (load->etag != NULL)
        patience->failures = 0; /* what came is kept */
    return aws_patience_again(patience, false, -1, &wait_ms) &&
           timing->wait(timing->data, wait_ms, load->cancel);
}

static bool
load_parts(Load *load, GError **error)
{
    AwsPatience patience = {
        .quota = load->client->quota,
        .timing = load->client->timing,
        .attempts = load->client->attempts,
    };

    while (!is_whole(load))
    {
        g_autoptr(GError) problem = NULL;
        const gint64 before = load->etag != NULL ? lseek(load->fd, 0, SEEK_CUR) : 0;
        if (load_part(load, &problem))
            continue;
        if (wait_for_another(load, &patience, lseek(load->fd, 0, SEEK_CUR) - before, problem))
            continue;
        if (!cancel_check(load->cancel, error))
            return false;
        if (strcmp(load->code, "PreconditionFailed") == 0)
            g_set_error_literal(
                error, VF_ERROR, VF_ERROR_BUSY, "the file changed while it was loaded");
        else
            g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

bool
aws_load_object(
    AwsClient *client, const char *bucket, const char *key, int fd, gint64 max_bytes,
    AwsObject *object, char *code, Cancel *cancel, GError **error)
{
    char own_code[MAX_CODE] = "";
    Load load = {
        .client = client,
        .bucket = bucket,
        .path = path_of(key),
        .fd = fd,
        .max_bytes = max_bytes,
        .object = object,
        .code = code != NULL ? code : own_code,
        .cancel = cancel,
    };

    *object = (AwsObject){.bytes = -1, .modified_ms = -1};
    const bool ok = load_parts(&load, error);
    g_free(load.path);
    g_free(load.etag);
    return ok;
}
