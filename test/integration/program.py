"""
program.py - runs vecferry as a user would, in an environment that holds nothing else.

VECFERRY names the program (default: build/vecferry).  Under a sanitizer any report ends
the test: the program then exits with 99, and writes to VECFERRY_SANITIZER_LOGS.
"""

import os
import pathlib
import re
import signal
import subprocess
import typing

from children import dying_with_us

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER_STATUS = 99
KEPT_VARIABLES = (
    "PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "G_SLICE",
)  # fmt: skip


class Result(typing.NamedTuple):
    status: int  # negative: the signal that ended it
    stdout: str
    stderr: str


class SanitizerReport(AssertionError):
    """A sanitizer found something; the message is its report."""


def program_path():
    return pathlib.Path(os.environ.get("VECFERRY", PROJECT / "build/vecferry")).absolute()


def is_killed_while_checking(report):
    """Whether all it says is that the process was killed while its leaks were looked for."""
    lines = report.splitlines()
    return all(re.fullmatch(r"==\d+==Unable to get registers from thread \d+\.", line) for line in lines)


def take_sanitizer_reports(folder):
    """The reports written so far, which are forgotten.  folder: None if there is no sanitizer."""
    reports = []
    for log in sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file()) if folder else []:
        report = log.read_text(errors="replace")
        if not is_killed_while_checking(report):
            reports.append(report)
        log.unlink()
    return reports


def use_sanitizer_logs_of(worker):
    """Reports of one of several processes that share the tests go to a folder of its own."""
    folder = os.environ.get("VECFERRY_SANITIZER_LOGS")
    if not folder:
        return
    own = pathlib.Path(folder) / worker
    own.mkdir(exist_ok=True)
    own.chmod(0o1777)
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        os.environ[name] = os.environ.get(name, "").replace(f"{folder}/report", f"{own}/report")
    os.environ["VECFERRY_SANITIZER_LOGS"] = str(own)


def raise_sanitizer_reports():
    reports = take_sanitizer_reports(os.environ.get("VECFERRY_SANITIZER_LOGS"))
    if reports:
        raise SanitizerReport("\n".join(reports))


class Program:
    """vecferry with a private home, working folder and state folder."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.state = self.home / "state"
        self.home.mkdir(parents=True, exist_ok=True)
        self.state.mkdir(exist_ok=True)
        self.started = []

    def environment(self, more=None):
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.state),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "AWS_EC2_METADATA_DISABLED": "true",
            **(more or {}),
        }

    def __call__(self, *arguments, env=None, stdin=None, timeout=120):
        """Runs it to its end.  stdin: text for it; none is an empty one."""
        process = self.start(*arguments, env=env, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            kill_group(process)
            stdout, stderr = process.communicate()
            raise AssertionError(f"vecferry {arguments} took longer than {timeout} s\n{stdout}\n{stderr}") from None
        if process.returncode == SANITIZER_STATUS:
            raise_sanitizer_reports()
            raise SanitizerReport(stderr)
        return Result(process.returncode, stdout, stderr)

    def start(self, *arguments, env=None, stdin=subprocess.DEVNULL):
        """Starts it in a process group of its own and goes on; a Popen with text pipes."""
        process = subprocess.Popen(
            [program_path(), *(str(argument) for argument in arguments)],
            env=self.environment(env), cwd=self.home, preexec_fn=dying_with_us(), start_new_session=True,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self):
        """Kills what still runs."""
        for process in self.started:
            if process.poll() is None:
                kill_group(process)
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
