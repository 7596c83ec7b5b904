"""
terminal.py - a terminal that a program can be given, and whose screen a test can read.

    with TerminalProgram(vecferry, "apply", "--yes", columns=80, rows=24) as program:
        program.wait_for("running")
        program.resize(40, 24)
        assert program.end() == 0
        print(program.screen.text())

The screen knows the few control sequences that vecferry may use.  Any other one, and any other
control character, is an error: it came out of a document or a title.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from children import dying_with_us
from program import kill_group, program_path

SEQUENCE = re.compile(r"\x1b\[(\?|)([0-9;]*)([A-Za-z])")


class UnknownSequence(AssertionError):
    """The program sent what nobody expects of it."""


def width(character):
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Row:
    """Cells; a wide character has an empty one behind it.  goes_on: its text goes on in the next row."""

    def __init__(self, cells=(), goes_on=False):
        self.cells = list(cells)
        self.goes_on = goes_on

    def text(self):
        return "".join(self.cells).rstrip()


class Screen:
    """What a terminal shows, and what scrolled out of it."""

    def __init__(self, columns, rows, wraps_again=True):
        self.columns, self.rows, self.wraps_again = columns, rows, wraps_again
        self.lines = [Row()]
        self.top = self.x = self.y = 0
        self.modes = {"25": True, "7": True, "2026": False}  # cursor, wrapping, held back
        self.style = ""
        self.styles = set()
        self.rest = ""

    # --- what a test asks ---

    def shown(self):
        return [row.text() for row in self.lines[self.top :]]

    def text(self):
        return "\n".join(self.shown())

    def everything(self):
        return "\n".join(row.text() for row in self.lines)

    def is_as_usual(self):
        return self.modes == {"25": True, "7": True, "2026": False} and self.style == ""

    # --- what the program writes ---

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            match = SEQUENCE.match(text, at)
            if match is None:
                if len(text) - at < 12:
                    self.rest = text[at:]  # its end is still to come
                    return
                raise UnknownSequence(repr(text[at : at + 12]))
            self.obey(*match.groups())
            at = match.end()

    def obey(self, private, numbers, letter):
        if private and letter in "hl" and numbers in self.modes:
            self.modes[numbers] = letter == "h"
        elif letter == "A":
            self.y = max(self.top, self.y - int(numbers or 1))
        elif letter == "K" and not numbers:
            del self.line().cells[self.x :]
        elif letter == "J" and not numbers:
            del self.line().cells[self.x :]
            del self.lines[self.y + 1 :]
        elif letter == "m":
            self.style = "" if numbers in ("", "0") else numbers
            self.styles.add(numbers)
        else:
            raise UnknownSequence(f"CSI {private}{numbers}{letter}")

    def line(self):
        while len(self.lines) <= self.y:
            self.lines.append(Row())
        return self.lines[self.y]

    def put(self, character):
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.y += 1
            self.line()
            self.top = max(self.top, self.y - self.rows + 1)
        elif unicodedata.category(character) == "Cc":
            raise UnknownSequence(repr(character))
        else:
            self.write(character)

    def write(self, character):
        cells = [character] + [""] * (width(character) - 1)
        if self.x + len(cells) > self.columns:
            if not self.modes["7"]:
                return
            self.line().goes_on = True
            self.x = 0
            self.put("\n")
        row = self.line().cells
        row.extend(" " * (self.x - len(row)))
        row[self.x : self.x + len(cells)] = cells
        self.x += len(cells)

    # --- what the person does ---

    def resize(self, columns, rows):
        if self.wraps_again:
            self.wrap_again(columns)
        elif columns < self.columns:
            for row in self.lines:
                del row.cells[columns:]
        self.columns, self.rows = columns, rows
        self.top = max(self.top, self.y - rows + 1)

    def wrap_again(self, columns):
        """Cuts the lines anew, as most terminals do; the cursor stays at its text."""
        top, x, y = self.top, self.x, self.y
        wrapped, line, at_cursor = [], [], None
        for number, row in enumerate(self.lines):
            if number == top:
                self.top = len(wrapped)
            if number == y:
                at_cursor = len(line) + x
            line += row.cells
            if row.goes_on:
                continue
            parts = [line[start : start + columns] for start in range(0, len(line), columns)] or [[]]
            if at_cursor is not None:
                self.y, self.x = len(wrapped) + min(at_cursor // columns, len(parts) - 1), at_cursor % columns
                at_cursor = None
            wrapped += [Row(part, goes_on=part is not parts[-1]) for part in parts]
            line = []
        self.lines = wrapped


class TerminalProgram:
    """vecferry on a terminal of its own, whose keyboard and window the test has."""

    def __init__(self, program, *arguments, columns=80, rows=24, wraps_again=True, env=None):
        self.screen = Screen(columns, rows, wraps_again)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.raw = ""
        self.master, terminal = pty.openpty()
        self.set_size(columns, rows)
        environment = program.environment({"TERM": "xterm-256color" if wraps_again else "linux", **(env or {})})
        prepare = dying_with_us()

        def take_terminal():
            prepare()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [program_path(), *(str(argument) for argument in arguments)], env=environment, cwd=program.home,
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, preexec_fn=take_terminal,
        )  # fmt: skip
        os.close(terminal)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            kill_group(self.process)
            self.process.wait()
        os.close(self.master)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """As when somebody drags the window; what was written for the old size arrives first."""
        self.look(0)
        self.screen.resize(columns, rows)
        self.set_size(columns, rows)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def look(self, seconds):
        """Reads what the program writes in that time; False when nothing more will come."""
        end = time.monotonic() + seconds
        while select.select([self.master], [], [], max(end - time.monotonic(), 0))[0]:
            try:
                text = self.decoder.decode(os.read(self.master, 65536))
            except OSError:  # how Linux tells that nobody has the other side any more
                return False
            self.raw += text
            self.screen.feed(text)
        return True

    def wait_for(self, what, seconds=30):
        """Until the screen shows the text, or a function of the screen says so."""
        found = what if callable(what) else lambda screen: what in screen.text()
        end = time.monotonic() + seconds
        while not found(self.screen):
            if not self.look(0.05) or time.monotonic() > end:
                if found(self.screen):
                    return
                raise AssertionError(f"waited in vain for {what!r}:\n{self.screen.text()}")

    def end(self, seconds=60):
        """Reads to the end; the exit status."""
        end = time.monotonic() + seconds
        while self.look(0.1) and time.monotonic() < end:
            continue
        return self.process.wait(max(end - time.monotonic(), 1))
