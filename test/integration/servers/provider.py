#!/usr/bin/python3
"""A strict, scripted provider of embeddings that speaks OpenAI's protocol.

    with Provider(key="sk-test", faults="throttle=0.3,cut-body=0.05", seed=7) as provider:
        …  point the client at provider.base_url …
        assert provider.stats()["texts_billed_again"] == 0

As a program it prints its URL and serves until SIGTERM:

    provider.py --port-file port --key sk-test --latency-ms 200 --faults throttle=0.3 --seed 7

It answers POST /v1/embeddings and GET /v1/models.  A request that breaks the
API's rules is refused before any fault is played, so a fault never hides a
client's mistake.  Beside the API, without a key:

    GET  /_stats         what happened, in figures
    GET  /_log?since=N   every call after number N
    GET  /_billed        how often each text (by SHA-256) was paid for
    POST /_script        changes settings: {"script": "ok*3,unauthorized*"}
    POST /_reset         forgets the log and the figures

The expected vector of any text is expected_vector(text, dims); its price in
tokens is token_count(text).
"""

from __future__ import annotations

import argparse
import dataclasses
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import refusals
from account import Account
from calls import Call, Refused, Rules, read_call, refuse
from fate import Fate, Plan
from faults import FAULTS, Answer, Measures
from loopback import Handler, Response, Server, json_response, run_until_told
from ratelimit import RateLimit
from vectors import expected_vector, token_count

__all__ = ["Provider", "Settings", "expected_vector", "token_count"]


@dataclass(frozen=True)
class Settings(Rules, Measures):
    """All that can be said about a provider, at its start or by POST /_script."""

    key: str | None = "sk-test"  # None: no key is asked for, as local servers do
    latency_ms: float = 0  # of every computed answer
    max_body: int = 32 * 1024 * 1024
    script: str = ""
    faults: str = ""
    poison: dict[str, str] = field(default_factory=dict)
    seed: int | str | None = 0
    rpm: float | None = None
    tpm: float | None = None
    window_s: float = 60.0  # a shorter minute makes tests shorter
    burst_s: float | None = None
    sliding: bool = False
    charge_refusals: bool = False
    retry_style: str = "both"  # of the real rate limit: both, seconds, ms, date, none


FATE = {"script", "faults", "poison", "seed"}
LIMIT = {"rpm", "tpm", "window_s", "burst_s", "sliding", "charge_refusals"}


class Provider(Server):
    """The server.  Keyword arguments are the members of Settings."""

    def __init__(self, port: int = 0, log_file: str | None = None, **settings):
        super().__init__(ProviderHandler, port)
        self.settings = _settings(Settings(), settings)
        self.fate = _fate(self.settings)
        self.limit = _limit(self.settings)
        self.account = Account(log_file)
        self.request_ids = itertools.count(1)

    @property
    def base_url(self) -> str:
        """What OpenAI's clients call the base URL."""
        return f"{self.url}/v1"

    def stop(self) -> None:
        super().stop()
        self.account.close()

    def change(self, **settings) -> None:
        """New settings; a new script starts at its beginning, a new limit is unused."""
        changed = _settings(self.settings, settings)
        fate = _fate(changed) if FATE & settings.keys() else self.fate
        limit = _limit(changed) if LIMIT & settings.keys() else self.limit
        self.settings, self.fate, self.limit = changed, fate, limit

    def stats(self) -> dict:
        """What happened so far, in figures."""
        figures = self.account.stats(self.settings.window_s)
        return {**figures, "connections": self.connections_seen, "errors": list(self.errors)}

    def log(self, since: int = 0) -> list[dict]:
        """Every call after number `since`."""
        return self.account.entries(since)

    def times_billed(self) -> dict[str, int]:
        """How often each text, by its SHA-256, was paid for."""
        return self.account.times_billed()


def _settings(old: Settings, changes: dict) -> Settings:
    """Settings with changes, or ValueError."""
    if "models" in changes:
        changes = {**changes, "models": tuple(changes["models"])}
    try:
        changed = dataclasses.replace(old, **changes)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if changed.flavour not in refusals.FLAVOURS:
        raise ValueError(f'there is no flavour "{changed.flavour}"')
    return changed


def _fate(settings: Settings) -> Fate:
    return Fate(settings.script, settings.faults, settings.poison, settings.seed)


def _limit(settings: Settings) -> RateLimit:
    return RateLimit(
        settings.rpm,
        settings.tpm,
        settings.window_s,
        settings.burst_s,
        settings.sliding,
        settings.charge_refusals,
    )


@dataclass
class Reply:
    """What a request shall get.  Without a response the connection is dropped."""

    outcome: str
    response: Response | None
    call: Call | None = None
    plan: Plan = Plan()
    computed: bool = False

    @property
    def billed(self) -> bool:
        return self.computed and self.plan.paid


class ProviderHandler(Handler):
    """Reads requests, decides, notes and answers, in this order."""

    server: Provider

    def handle_request(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/_"):
            self.respond(self.run_errand(path))
        else:
            self.serve(path)

    def serve(self, path: str) -> None:
        """One request to the API."""
        account = self.server.account
        settings = self.server.settings
        arrived = time.time()
        account.begin()
        try:
            reply = self.reply_to(path, settings)
        finally:
            account.end()
        entry = account.enter(
            reply.outcome,
            reply.response.status if reply.response else 0,
            reply.call,
            reply.computed,
            reply.billed,
            arrived,
            method=self.command,
            path=self.path,
            has_key="Authorization" in self.headers,
            connection=self.client_address[1],
        )
        try:
            self.send(reply, settings)
        except OSError:
            account.undelivered(entry)
            self.close_connection = True

    def reply_to(self, path: str, settings: Settings) -> Reply:
        try:
            body = self.read_request(path, settings)
            if path == "/v1/models":
                return Reply("models", model_list(settings))
            return self.reply_to_call(read_call(body, settings), settings)
        except Refused as refused:
            return Reply(refused.outcome, refused.response)

    def reply_to_call(self, call: Call, settings: Settings) -> Reply:
        """The request is in order: the limit, then fate decides."""
        excess = self.server.limit.admit(call.tokens)
        if excess is not None:
            response = refusals.rate_limited(
                settings.flavour, call.model, excess, settings.retry_style
            )
            return self.numbered(Reply("rate-limit", response, call))
        plan = self.server.fate.of(call)
        if "delay" in plan.stages:
            plan.stages["delay"].act(self.wire, settings)
        if "drop" in plan.stages:
            return Reply(plan.name, None, call, plan)
        if "refuse" in plan.stages:
            response = plan.stages["refuse"].act(self, call, settings)
            return self.numbered(Reply(plan.name, response, call, plan, computed=plan.paid))
        return self.numbered(self.computed(call, plan, settings))

    def computed(self, call: Call, plan: Plan, settings: Settings) -> Reply:
        """The answer, perhaps spoiled."""
        self.wire.pause(settings.latency_ms / 1000)
        answer = Answer.good(call)
        if "spoil" in plan.stages:
            plan.stages["spoil"].act(answer)
        response = Response(200, answer.body(), {"Content-Type": answer.content_type})
        return Reply(plan.name, response, call, plan, computed=True)

    def numbered(self, reply: Reply) -> Reply:
        """Adds the headers that OpenAI adds to every answer."""
        reply.response.headers["x-request-id"] = f"req_{next(self.server.request_ids):08d}"
        reply.response.headers.update(self.server.limit.headers())
        return reply

    def send(self, reply: Reply, settings: Settings) -> None:
        """Sends a reply the way its plan wants it."""
        if reply.response is None:
            self.close_connection = True
            reply.plan.stages["drop"].act(self.wire)
        elif "deliver" in reply.plan.stages:
            lives_on = reply.plan.stages["deliver"].act(self.wire, reply.response, settings)
            self.close_connection = self.close_connection or not lives_on
        else:
            self.respond(reply.response)

    # --- what a request must be like ---

    def read_request(self, path: str, settings: Settings) -> bytes:
        """The body of a request whose head is in order, or Refused."""
        flavour = settings.flavour
        if "Host" not in self.headers:
            raise self.unread(refusals.error(flavour, 400, "There is no Host header."))
        body = b"" if self.command == "GET" else self.read_body(settings)
        methods = {"/v1/embeddings": "POST", "/v1/models": "GET"}
        if path not in methods:
            message = f"Invalid URL ({self.command} {self.path})"
            raise refuse(refusals.error(flavour, 404, message))
        if self.command != methods[path]:
            message = f"Not allowed to {self.command} on {path}."
            raise refuse(refusals.error(flavour, 405, message))
        self.check_key(settings)
        if self.command == "POST":
            self.check_type(settings)
        return body

    def read_body(self, settings: Settings) -> bytes:
        """Reads exactly Content-Length bytes; every other framing is refused."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or not lengths:
            message = "A Content-Length is needed."
            raise self.unread(refusals.error(settings.flavour, 411, message))
        if len(lengths) > 1 or not lengths[0].isdecimal() or not lengths[0].isascii():
            message = "Content-Length must be one number."
            raise self.unread(refusals.error(settings.flavour, 400, message))
        length = int(lengths[0])
        if length > settings.max_body:
            message = f"At most {settings.max_body} bytes are taken."
            raise self.unread(refusals.error(settings.flavour, 413, message))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client left in the middle of its request")
        return body

    def unread(self, response: Response) -> Refused:
        """A refusal after which the rest of the connection makes no sense."""
        response.close = True
        return refuse(response)

    def check_key(self, settings: Settings) -> None:
        if settings.key is None:
            return
        given = self.headers.get_all("Authorization", [])
        if len(given) != 1 or not given[0].startswith("Bearer "):
            raise refuse(refusals.bad_key(settings.flavour, None))
        key = given[0].removeprefix("Bearer ")
        if not hmac.compare_digest(key.encode("latin-1"), settings.key.encode()):
            raise refuse(refusals.bad_key(settings.flavour, key))

    def check_type(self, settings: Settings) -> None:
        kinds = self.headers.get_all("Content-Type", [])
        kind, _, parameter = (kinds[0] if len(kinds) == 1 else "").partition(";")
        charset = parameter.strip().lower().replace('"', "")
        if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
            message = f"Unsupported content type {', '.join(kinds) or '(none)'}."
            raise refuse(refusals.error(settings.flavour, 415, message))

    # --- for the test, beside the API ---

    def run_errand(self, path: str) -> Response:
        """The paths with an underscore."""
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        errand = f"{self.command} {path}"
        if errand == "GET /_stats":
            return json_response(200, server.stats())
        if errand == "GET /_log":
            since = parse_qs(urlsplit(self.path).query).get("since", ["0"])[0]
            return json_response(200, {"entries": server.log(int(since))})
        if errand == "GET /_billed":
            return json_response(200, server.times_billed())
        if errand == "POST /_reset":
            server.account.clear()
            return json_response(200, {})
        if errand == "POST /_script":
            return self.change_settings(body)
        return json_response(404, {"error": f"there is no {errand}"})

    def change_settings(self, body: bytes) -> Response:
        try:
            self.server.change(**json.loads(body))
            return json_response(200, {})
        except (ValueError, TypeError) as error:
            return json_response(400, {"error": str(error)})


def model_list(settings: Settings) -> Response:
    """GET /v1/models."""
    models = [
        {"id": model, "object": "model", "created": 1700000000, "owned_by": "stub"}
        for model in settings.models
    ]
    return json_response(200, {"object": "list", "data": models})


# --- the program --------------------------------------------------------------


def main(arguments: list[str] | None = None) -> None:
    options = vars(parser().parse_args(arguments))
    if options.pop("list_faults"):
        print_faults()
        return
    port, port_file = options.pop("port"), options.pop("port_file")
    log_file = options.pop("log_file")
    options["poison"] = dict(word.rpartition("=")[::2] for word in options.pop("poison") or [])
    given = {name: value for name, value in options.items() if value is not None}
    if given.pop("no_key"):
        given["key"] = None
    try:
        provider = Provider(port, log_file, **given)
    except ValueError as error:
        raise SystemExit(f"provider.py: {error}") from None
    run_until_told(provider, port_file)


def parser() -> argparse.ArgumentParser:
    """The options are the members of Settings; what is not given keeps its default."""
    options = argparse.ArgumentParser(
        description="A strict, scripted provider of embeddings on 127.0.0.1."
    )
    add = options.add_argument
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--port-file", metavar="FILE", help="receives the port when the server listens")
    add("--log-file", metavar="FILE", help="receives a JSON line for every call")
    add("--list-faults", action="store_true", help="names all faults and ends")
    add("--key", help="the API key (default: sk-test)")
    add("--no-key", action="store_true", help="asks for no key")
    add("--latency-ms", type=float, help="wait before every computed answer")
    add("--model", dest="models", action="append", metavar="NAME", help="a known model")
    add("--dims", type=int, help="dimensions of all vectors (default: 1024)")
    add("--space", help="another word gives other vectors: a model that changed")
    add("--flavour", choices=refusals.FLAVOURS, help="whose error bodies (default: openai)")
    add("--cheap", action="store_true", default=None, help="one vector for all texts; no hashes")
    add("--max-texts", type=int, help="texts of a call (default: 2048)")
    add("--max-tokens", type=int, help="tokens of a text (default: 8192)")
    add("--max-chars", type=int, help="characters of a text (default: any)")
    add("--max-call-tokens", type=int, help="tokens of a call (default: 300000)")
    add("--script", help='what happens to the first calls: "ok*3,throttle,unauthorized*"')
    add("--faults", help='what happens to the others, by chance: "throttle=0.3,slow+short=0.05"')
    add("--poison", action="append", metavar="TEXT=FAULT", help="texts that always fail")
    add("--seed", type=int, help="of the chance (default: 0)")
    add("--retry-after-s", type=float, help="of the throttle faults (default: 1)")
    add("--slow-ms", type=float, help="of slow and stall (default: 3000)")
    add("--drip-ms", type=float, help="of drip (default: 3000)")
    add("--huge-mib", type=int, help="of the huge faults (default: 256)")
    add("--redirect-to", metavar="URL", help="of redirect (default: a path of this server)")
    add("--rpm", type=float, help="requests per minute")
    add("--tpm", type=float, help="tokens per minute")
    add("--window-s", type=float, help="the length of that minute (default: 60)")
    add("--burst-s", type=float, help="how much of it may come at once (default: all)")
    add("--sliding", action="store_true", default=None, help="a window instead of a bucket")
    add("--charge-refusals", action="store_true", default=None, help="refused requests count too")
    add("--retry-style", choices=("both", "seconds", "ms", "date", "none"), help="after a limit")
    return options


def print_faults() -> None:
    for found in sorted(FAULTS.values(), key=lambda fault: fault.stage):
        price = "paid" if found.paid else ""
        print(f"{found.name:18} {found.stage:8} {price:5} {found.help}")


if __name__ == "__main__":
    main()
