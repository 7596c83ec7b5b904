#include "base/cancel.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Cancel
{
    atomic_bool requested;
    int fd;
};

Cancel *
cancel_new(void)
{
    Cancel *cancel = g_new0(Cancel, 1);
    atomic_init(&cancel->requested, false);
    cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel->fd < 0)
        g_error("could not create an eventfd: %s", g_strerror(errno));
    return cancel;
}

void
cancel_free(Cancel *cancel)
{
    if (cancel == NULL)
        return;
    close(cancel->fd);
    g_free(cancel);
}

void
cancel_request(Cancel *cancel)
{
    const int saved = errno;
    atomic_store(&cancel->requested, true);
    if (eventfd_write(cancel->fd, 1) != 0)
    {
        /* The counter is full, so the descriptor is readable already. */
    }
    errno = saved;
}

bool
cancel_requested(const Cancel *cancel)
{
    return cancel != NULL && atomic_load(&cancel->requested);
}

int
cancel_fd(const Cancel *cancel)
{
    return cancel == NULL ? -1 : cancel->fd;
}

bool
cancel_sleep(Cancel *cancel, gint64 ms)
{
    const gint64 end = g_get_monotonic_time() + ms * 1000;
    while (!cancel_requested(cancel))
    {
        const gint64 left_ms = (end - g_get_monotonic_time() + 999) / 1000;
        if (left_ms <= 0)
            return true;
        struct pollfd wish = {.fd = cancel_fd(cancel), .events = POLLIN};
        poll(&wish, 1, (int) MIN(left_ms, 60000));
    }
    return false;
}

bool
cancel_check(const Cancel *cancel, GError **error)
{
    if (!cancel_requested(cancel))
        return true;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_CANCELLED, "interrupted");
    return false;
}
