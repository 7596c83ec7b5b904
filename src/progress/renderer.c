#include "progress/renderer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

Renderer *
renderer_new(int fd)
{
    const char *terminal = g_getenv("TERM");

    if (!isatty(fd) || terminal == NULL || *terminal == '\0' || g_str_equal(terminal, "dumb"))
        return lines_renderer_new(fd);
    return terminal_renderer_new(fd);
}

void
renderer_end(Renderer *renderer)
{
    if (renderer != NULL)
        renderer->end(renderer);
}

/* Some other program may have made the terminal non-blocking. */
static void
wait_until_writable(int fd)
{
    struct pollfd wish = {.fd = fd, .events = POLLOUT};
    poll(&wish, 1, -1);
}

void
renderer_write(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0)
    {
        const ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EAGAIN)
            wait_until_writable(fd);
        else if (written < 0 && errno != EINTR)
            return;
        if (written <= 0)
            continue;
        text += written;
        left -= (size_t) written;
    }
}
