/*
 * work_order.h - everything a worker must know to embed one bot.
 */
#pragma once

#include "model/bot.h"

typedef struct
{
    char *run;
    char *worker;         /* the intent's name: "vecferry-RUN-7" */
    char *store_identity; /* the worker refuses any other store */
    char *meter;          /* path of the run's meter; NULL: its own */
    char *settings;       /* a settings file's text */
    int dimensions;       /* of the model's vectors */
    gint64 marked_ms;     /* of the bot's mark when it was planned; -1 for none */
    Bot *bot;
} WorkOrder;

void work_order_clear(WorkOrder *order);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WorkOrder, work_order_clear)

/* As JSON, and back; VF_ERROR_BAD_INPUT when it is none. */
char *work_order_to_text(const WorkOrder *order);
gboolean work_order_from_text(const char *text, WorkOrder *order, GError **error);
