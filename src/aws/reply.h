/*
 * reply.h - an XML answer as a tree, to be asked by path.
 *
 *     g_autoptr(AwsReply) reply = aws_reply_parse(text, length, error);
 *     const AwsReply *stacks = aws_reply_at(reply, "DescribeStacksResult/Stacks");
 *     for (const AwsReply *stack = aws_reply_first(stacks); stack; stack = aws_reply_next(stack))
 *         use(aws_reply_text(stack, "StackName"));
 *
 * A path begins below the element it is asked of, and takes the first of each name.  The names
 * of a list's elements differ between services, so one goes over all that is in the list.  All
 * but the root is borrowed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct AwsReply AwsReply;

/* VF_ERROR_BAD_INPUT when it is not well-formed or too large. */
AwsReply *aws_reply_parse(const char *text, size_t length, GError **error);
void aws_reply_free(AwsReply *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsReply, aws_reply_free)

const char *aws_reply_name(const AwsReply *reply);

/* The element there, or NULL.  A NULL reply has nothing, here and below. */
const AwsReply *aws_reply_at(const AwsReply *reply, const char *path);

/* Its text, "" when it is empty or has elements in it; NULL when it is absent.  path NULL: the
 * reply's own. */
const char *aws_reply_text(const AwsReply *reply, const char *path);

/* The first element in this one, and the one after it; NULL at the end. */
const AwsReply *aws_reply_first(const AwsReply *reply);
const AwsReply *aws_reply_next(const AwsReply *reply);
