"""
children.py - child processes that do not outlive the one who started them.

The kernel sends the death signal when the starting *thread* ends, so start children from
a thread that lives as long as they shall.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def dying_with_us(death_signal=signal.SIGKILL, *, before=None):
    """For Popen's preexec_fn: the child gets the signal when we are gone.

    before  what the child does first; changing its user, say, which clears the signal
    """
    parent = os.getpid()

    def prepare():
        if before is not None:
            before()
        libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
