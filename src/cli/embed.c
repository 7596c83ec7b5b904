/*
 * embed.c - `vecferry embed`: the worker.
 */
#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "flow/embed_bot.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_ORDER_BYTES (16 * 1024 * 1024)

#define LARGE_BLOCK_BYTES (1024 * 1024)

/*
 * Texts of documents go back to the system as soon as they are freed.  By itself glibc learns from
 * the first one that such sizes are common, and keeps the room of all further ones.
 */
static void
return_large_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
#endif
}

static char *
read_order(int fd, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char bytes[8192];
    ssize_t got = 0;

    while ((got = read(fd, bytes, sizeof bytes)) > 0 && text->len < MAX_ORDER_BYTES)
        g_string_append_len(text, bytes, got);
    close(fd);
    if (got == 0 && text->len > 0)
        return g_strdup(text->str);
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "could not read the order on descriptor %d", fd);
    return NULL;
}

/* One write for each line, so that lines of several threads never mix. */
static void
print_event(void *data, const WorkEvent *event)
{
    (void) data;
    g_autofree char *line = work_event_to_line(event);
    printf("%s\n", line);
    fflush(stdout);
}

bool
command_embed(const Invocation *invocation, ExitStatus *status, GError **error)
{
    int fd = -1;
    const GOptionEntry own[] = {
        {.long_name = "order-fd",
         .arg = G_OPTION_ARG_INT,
         .arg_data = &fd,
         .description = "the descriptor on which the order comes",
         .arg_description = "N"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Embeds one bot and says one JSON object a line on stdout.  `vecferry apply` "
                   "starts it.",
        .own = own,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL)
        return false;
    if (fd < 0)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "--order-fd is missing");
        vf_error_hint(error, "to embed one bot by hand: vecferry apply --bot ID");
        return false;
    }

    return_large_blocks();
    g_autofree char *text = read_order(fd, error);
    g_auto(WorkOrder) order = {0};
    const WorkListener listener = {print_event, NULL};
    *status = STATUS_DONE;
    return text != NULL && work_order_from_text(text, &order, error) &&
           flow_embed_bot(&order, &listener, invocation->cancel, error);
}
