"""
ground.py - what a measurement stands on: a server, a provider, texts, and a watched program.

A provider runs as a process of its own: in this one it would share Python's lock with
what measures it.
"""

import contextlib
import dataclasses
import json
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
INTEGRATION = PROJECT / "test/integration"
sys.path[:0] = [str(INTEGRATION), str(INTEGRATION / "servers")]

from children import dying_with_us  # noqa: E402
from knowledge import Knowledge  # noqa: E402
from postgres import Postgres, children_of  # noqa: E402
from program import Program  # noqa: E402

MODEL = "text-embedding-3-small"
DIMENSIONS = 1024

WORDS = """
the of and a to in is was he for it with as his on be at by had not are but from or have an they which one you
were her all she there would their we him been has when who will more no if out so said what up its about into than
them can only other new some could time these two may then do first any my now such like our over man me even most
made after also did many before must through back years where much your way well down should because each just those
people how too little state good very make world still own see men work long get here between both life being under
never day same another know while last might us great old year off come since against go came right used take three
harbour ferry captain lighthouse passenger timetable departure weather island channel anchor
""".split()


class Broken(Exception):
    """A measurement could not be taken."""


def paragraphs(count, seed=0):
    """English to look at: sentences of eight to twenty words, paragraphs of three to eight of them."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        sentences = []
        for _ in range(chance.randint(3, 8)):
            words = chance.choices(WORDS, k=chance.randint(8, 20))
            sentences.append(" ".join(words).capitalize() + ".")
        made.append(" ".join(sentences))
    return made


class Texts:
    """Files of about so many characters; no two are the same, and all are made quickly."""

    def __init__(self, seed=0):
        self.chance = random.Random(seed)
        self.paragraphs = paragraphs(5000, seed)

    def file(self, characters):
        text = ""
        while len(text) < characters:
            self.chance.shuffle(self.paragraphs)
            text += "\n\n".join(self.paragraphs) + "\n\n"
        return text[:characters]


class Provider:
    """The strict stub of the tests, without a key and with one vector for all texts."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.log_file = self.folder / "provider.log"
        self.port_file = self.folder / "provider.port"
        self.settings = settings

    def __enter__(self):
        for file in (self.log_file, self.port_file):
            file.unlink(missing_ok=True)
        options = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
            for name, value in self.settings.items()
        ]
        self.process = subprocess.Popen(
            [sys.executable, INTEGRATION / "servers/provider.py", "--cheap", "--no-key", *options,
             "--port-file", self.port_file, "--log-file", self.log_file],
            preexec_fn=dying_with_us(), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 30
        while not self.port_file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Broken("the provider did not start")
            time.sleep(0.01)
        self.port = int(self.port_file.read_text())
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def calls(self):
        """The calls so far, in the order of their arrival."""
        with open(self.log_file, encoding="utf-8") as lines:
            entries = [json.loads(line) for line in lines]
        calls = [entry for entry in entries if entry["event"] == "call" and entry["texts"] > 0]
        return sorted(calls, key=lambda entry: entry["time"])


@dataclasses.dataclass
class Run:
    """What came of a command."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    worker_peak: int  # resident bytes of `vecferry embed`, 0 when there was none


class Watch(threading.Thread):
    """Remembers the peak of the resident memory of a process's workers."""

    def __init__(self, parent):
        super().__init__(daemon=True)
        self.parent = parent
        self.peak = 0
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.02):
            for pid in children_of(self.parent):
                with contextlib.suppress(OSError):
                    if b"\0embed\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                        self.peak = max(self.peak, peak_of(pid))


def peak_of(pid):
    """proc(5): VmHWM is the peak of the resident set."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


class Ground:
    """A folder, a server and the program."""

    def __init__(self, folder, server: Postgres):
        self.folder = pathlib.Path(folder)
        self.server = server
        self.texts = Texts()
        self.worlds = 0

    def world(self):
        """A new catalogue with its documents, and a new store with the guide's table."""
        self.worlds += 1
        return World(self, self.folder / f"world-{self.worlds}")


class World:
    def __init__(self, ground, folder):
        self.ground = ground
        self.knowledge = Knowledge(folder / "knowledge")
        self.database = ground.server.new_database()
        self.url = ground.server.url(self.database)
        self.program = Program(folder / "home")
        self.run("store", "create", "--new-store", self.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.end()
        self.ground.server.drop_database(self.database)

    def add_bot(self, characters, file_size=2_000_000):
        """A bot with so much text."""
        files = {}
        while characters > 0:
            size = min(characters, file_size)
            files[f"file-{len(files)}.txt"] = self.ground.texts.file(size)
            characters -= size
        return self.knowledge.bot("Big", files=files)

    def count_rows(self):
        return self.ground.server.execute("SELECT count(*) FROM items", database=self.database)[0][0]

    def conf(self, provider=None, **run):
        embedder = {"kind": "hashing"}
        if provider is not None:
            max_texts = run.pop("max_texts")
            embedder = {
                "kind": "openai", "endpoint": provider.endpoint, "model": MODEL, "dimensions": DIMENSIONS,
                "max_texts": max_texts,
            }  # fmt: skip
        return self.knowledge.conf(
            self.url, embedder=embedder, run=run, new_store={"index": "none"}
        )

    def run(self, *arguments):
        """Runs vecferry to its end, which must be a good one."""
        begin = time.monotonic()
        process = self.program.start(*arguments)
        watch = Watch(process.pid)
        watch.start()
        stdout, stderr = process.communicate()
        seconds = time.monotonic() - begin
        watch.done.set()
        watch.join()
        if process.returncode != 0:
            raise Broken(f"vecferry {arguments[0]} ended with status {process.returncode}:\n{stderr}")
        return Run(process.returncode, stdout, stderr, seconds, watch.peak)

    def apply(self, provider=None, **run):
        return self.run("apply", "--yes", "--config", self.conf(provider, workers=1, **run))
