"""
measures.py - what is measured, and what is asked for.

A measure is a generator of figures.  It prints nothing and judges by its demand only.
"""

import json
import re
import subprocess
import time
import typing

import one_at_a_time
from ground import MODEL, PROJECT, Broken, Provider
from knowledge import ulid, user_id
from ratelimit import peak

LATENCY_S = 0.2
CALLS = 8
TEXTS = 32
CHUNK_STEP = 800  # new characters of a chunk, at 1000/200


class Figure(typing.NamedTuple):
    what: str
    value: str
    demand: str = ""
    met: bool | None = None


def throughput(ground):
    """Chunks per second of one worker, at a provider that answers after 200 ms."""
    ceiling = CALLS * TEXTS / LATENCY_S
    yield Figure(f"ceiling: {CALLS} calls in flight × {TEXTS} texts / {LATENCY_S} s", f"{ceiling:.0f} chunks/s")
    slow = one_call_at_a_time(ground)
    yield Figure("one call of ten texts at a time", f"{slow:.1f} chunks/s")
    with ground.world() as world, Provider(ground.folder, latency_ms=1000 * LATENCY_S) as provider:
        world.add_bot(30_000 * CHUNK_STEP)
        run = world.apply(provider, calls=CALLS, max_texts=TEXTS)
        rows = world.count_rows()
        steady = steady_rate(provider.calls())
    whole = rows / run.seconds
    yield Figure("apply, between the first and the last call", f"{steady:.0f} chunks/s")
    yield share_of("  of the ceiling", steady / ceiling, 0.95)
    yield Figure("  against one at a time", f"{steady / slow:.1f} ×")
    yield Figure(f"apply, the whole process ({rows} chunks in {run.seconds:.1f} s)", f"{whole:.0f} chunks/s")
    yield Figure("  of the ceiling", f"{100 * whole / ceiling:.1f} %")
    yield Figure("  against one at a time", f"{whole / slow:.1f} ×")


def small_files(ground):
    """The same with files of 2 kB, of which each has a process of its own; and the smallest ones, without waiting."""
    count = 6000
    ceiling = CALLS * TEXTS / LATENCY_S
    yield Figure(f"small files: ceiling, {CALLS} calls × {TEXTS} texts / {LATENCY_S} s", f"{ceiling:.0f} chunks/s")
    with ground.world() as world, Provider(ground.folder, latency_ms=1000 * LATENCY_S) as provider:
        world.knowledge.bot("Small", files={f"{i}.txt": ground.texts.file(2000) for i in range(count)})
        run = world.apply(provider, calls=CALLS, max_texts=TEXTS)
        rows = world.count_rows()
        steady = steady_rate(provider.calls())
    yield Figure(f"{count} files of 2 kB ({rows} chunks in {run.seconds:.1f} s)", f"{steady:.0f} chunks/s")
    yield share_of("  of the ceiling", steady / ceiling, 0.95)
    with ground.world() as world:
        world.knowledge.bot("Tiny", files={f"{i}.txt": f"A text of thirty bytes: {i:06}" for i in range(3000)})
        run = world.apply()
    yield Figure("3000 files of 30 bytes, hashing", f"{run.seconds:.1f} s", "< 15 s", run.seconds < 15)


def one_call_at_a_time(ground):
    texts = [paragraph[:1000] for paragraph in ground.texts.paragraphs[:500]]
    with ground.world() as world, Provider(ground.folder, latency_ms=1000 * LATENCY_S) as provider:
        begin = time.monotonic()
        one_at_a_time.load_bot(provider.port, MODEL, world.url, ulid("slow"), texts)
        seconds = time.monotonic() - begin
        if world.count_rows() != len(texts):
            raise Broken("the client that does one call at a time lost rows")
    return len(texts) / seconds


def steady_rate(calls):
    """Texts per second.  The last calls in flight have begun, but nobody waits for them here."""
    begun = calls[:-CALLS]
    return sum(call["texts"] for call in begun) / (calls[-1]["time"] - calls[0]["time"])


def share_of(what, share, least):
    return Figure(what, f"{100 * share:.1f} %", f"≥ {100 * least:.0f} %", share >= least)


def rate_limit(ground):
    """A limit of requests is used and kept; the provider refuses what is above it in any minute."""
    limit, seconds = 600, 75
    with ground.world() as world, Provider(ground.folder, latency_ms=1000 * LATENCY_S, rpm=limit, sliding=True) as provider:
        world.add_bot(limit * seconds // 60 * 4 * CHUNK_STEP)
        world.apply(provider, calls=CALLS, max_texts=4, requests_per_minute=limit)
        calls = provider.calls()
    times = [call["time"] for call in calls]
    used = 60 * (len(times) - 1) / (times[-1] - times[0])
    most = int(peak(((moment, 1) for moment in times), 60))
    refused = sum(call["status"] != 200 for call in calls)
    yield share_of(f"of {limit} requests per minute are used", used / limit, 0.95)
    yield Figure("most requests in any minute", str(most), f"≤ {limit}", most <= limit)
    yield Figure("refused by the provider", str(refused), "0", refused == 0)


def memory(ground):
    """The worker's peak over a bot of 100,000 chunks."""
    yield from memory_with(ground, "hashing, files of 2 MB", 2_000_000)
    yield from memory_with(ground, "hashing, files of 20 MB", 20_000_000)
    with Provider(ground.folder, latency_ms=20) as provider:
        yield from memory_with(ground, "provider, files of 2 MB", 2_000_000, provider)


def memory_with(ground, name, file_size, provider=None):
    run = {} if provider is None else {"calls": CALLS, "max_texts": TEXTS}
    with ground.world() as world:
        world.add_bot(100_000 * CHUNK_STEP, file_size)
        result = world.apply(provider, **run)
        rows = world.count_rows()
    megabytes = result.worker_peak / 1e6
    yield Figure(
        f"peak memory of the worker: {name}, {rows} chunks ({result.seconds:.0f} s)",
        f"{megabytes:.1f} MB", "< 100 MB", megabytes < 100,
    )  # fmt: skip


def planning(ground):
    """Plan over 10,000 bots of three files each, which are there."""
    bots = 10_000
    with ground.world() as world:
        fill_catalogue(world.knowledge, bots)
        conf = world.conf()
        runs = [world.run("plan", "--json", "--config", conf) for _ in range(5)]
        planned = json.loads(runs[0].stdout)["total"]["actions"]["embed"]
    if planned != bots:
        raise Broken(f"{planned} bots are planned instead of {bots}")
    seconds = min(run.seconds for run in runs)
    yield Figure(f"plan over {bots} bots with 3 files each, the best of {len(runs)}", f"{seconds:.2f} s", "< 2 s", seconds < 2)


def fill_catalogue(knowledge, count):
    """Written at once: Knowledge writes its catalogue after every bot."""
    save, knowledge.save = knowledge.save, lambda: None
    files = {f"file-{i}.txt": f"A short text, number {i}.\n" for i in range(3)}
    for i in range(count):
        knowledge.bot(f"Bot {i}", user=user_id(f"user {i % 500}"), files=files)
    knowledge.save = save
    knowledge.save()


def splitting(ground):
    """English text through the splitter, if its benchmark is there."""
    program = PROJECT / "build/test/bench/bench-split"
    built = subprocess.run(["ninja", "-C", PROJECT / "build", "test/bench/bench-split"], capture_output=True)
    if built.returncode != 0:
        raise Broken("bench-split does not build")
    text = ground.folder / "english.txt"
    text.write_text(ground.texts.file(10_000_000), encoding="utf-8")
    output = subprocess.run([program, text], capture_output=True, text=True, check=True).stdout
    for variant, speed in re.findall(r"^(\w+) +([\d.]+) MB/s", output, re.MULTILINE):
        yield Figure(f"splitter {variant}", f"{speed} MB/s", "≥ 50 MB/s", float(speed) >= 50)


MEASURES = {
    "throughput": throughput,
    "small-files": small_files,
    "rate-limit": rate_limit,
    "memory": memory,
    "plan": planning,
    "splitter": splitting,
}
