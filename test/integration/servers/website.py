#!/usr/bin/python3
"""A website on 127.0.0.1 with good pages and bad manners.

    with Website("pages/", refuse_head=True) as site:
        …  fetch site.url + "/some.html" …
        assert site.log()[0]["method"] == "HEAD"

It serves a folder, and beside it these paths:

    /redirect/N            N redirects, then a page (?status=301&to=/other.html)
    /private-redirect      a redirect to a cloud's metadata address (?to=URL)
    /loop                  a redirect to itself
    /slow                  a page after ?ms=3000
    /drip                  a page in small pieces over ?ms=3000
    /cut                   a Content-Length, half a body, the end (?before=1: not a byte)
    /huge                  ?mib=256 without a length (?declared=1: with one)
    /status/404            any status
    /gzip                  a compressed page, when the client accepts it (?force=1: always)
    /gzip-bomb             ?mib=64 of zeros, compressed to a thousandth
    /charset/NAME          a page in this character set, named in the header
    /meta-charset/NAME     the same, named in the page only
    /bare-charset/NAME     the same, named nowhere
    /wrong-charset         declared UTF-8, written in Shift_JIS (?declared=…&real=…)
    /type                  HTML under ?as=application/pdf (?as=: without a type)
    /cookie                a page that sets a cookie
    /sitemap.xml           the folder's HTML files with this server's address
    /_log, /_stats         what was asked for
"""

from __future__ import annotations

import argparse
import gzip
import io
import mimetypes
import threading
import time
import zlib
from collections import Counter
from email.utils import formatdate
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from loopback import Handler, Response, Server, json_response, run_until_told

METADATA = "http://169.254.169.254/latest/meta-data/"

# Words in several scripts; a character set gets those that it has.
SAMPLES = ("plain words", "Grüße, café", "日本語の文章", "Привет, мир", "Ελληνικά", "한국어 문장", "中文")


class Website(Server):
    """The server.  The folder is optional; without one only the scripted paths exist."""

    def __init__(self, folder: str | Path | None = None, port: int = 0, refuse_head: bool = False):
        super().__init__(WebsiteHandler, port)
        self.folder = Path(folder).resolve() if folder else None
        self.refuse_head = refuse_head
        self._log: list[dict] = []
        self._log_guard = threading.Lock()

    def note(self, entry: dict) -> None:
        with self._log_guard:
            self._log.append(entry)

    def log(self) -> list[dict]:
        """Every request, in the order they came."""
        with self._log_guard:
            return list(self._log)

    def stats(self) -> dict:
        """How often each path was fetched, and how."""
        log = self.log()
        return {
            "requests": len(log),
            "paths": dict(Counter(entry["path"] for entry in log)),
            "methods": dict(Counter(entry["method"] for entry in log)),
            "connections": self.connections_seen,
            "errors": list(self.errors),
        }


class WebsiteHandler(Handler):
    """Each scripted path is a method named in SCRIPTED; the rest is the folder."""

    server: Website

    def handle_request(self) -> None:
        parts = urlsplit(self.path)
        self.path_only = unquote(parts.path)
        self.options = {name: words[0] for name, words in parse_qs(parts.query, True).items()}
        if self.path_only == "/_log":
            self.respond(json_response(200, self.server.log()))
        elif self.path_only == "/_stats":
            self.respond(json_response(200, self.server.stats()))
        else:
            self.note_request()
            self.serve()

    def note_request(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.note(
            {"time": time.time(), "method": self.command, "path": self.path, "headers": headers}
        )

    def serve(self) -> None:
        if self.command not in ("GET", "HEAD"):
            unread_body = Response(405, headers={"Allow": "GET, HEAD"}, close=True)
            self.respond(unread_body)
        elif self.command == "HEAD" and self.server.refuse_head:
            self.respond(Response(405, headers={"Allow": "GET"}))
        else:
            first, _, rest = self.path_only[1:].partition("/")
            scripted = SCRIPTED.get(first, WebsiteHandler.file)
            scripted(self, rest)

    # --- the folder ---

    def file(self, _rest: str) -> None:
        path = self.found()
        if path is None:
            self.respond(page(404, "Not Found", "There is nothing here."))
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        modified = formatdate(path.stat().st_mtime, usegmt=True)
        headers = {"Content-Type": kind, "Last-Modified": modified}
        self.respond(Response(200, path.read_bytes(), headers))

    def found(self) -> Path | None:
        """The file of a path, never one outside the folder."""
        if self.server.folder is None or "\0" in self.path_only:
            return None
        path = (self.server.folder / self.path_only.lstrip("/")).resolve()
        if path.is_dir():
            path = path / "index.html"
        inside = path.is_relative_to(self.server.folder)
        return path if inside and path.is_file() else None

    def sitemap(self, _rest: str) -> None:
        folder = self.server.folder
        files = sorted(folder.rglob("*.html")) if folder else []
        names = [quote(str(file.relative_to(folder))) for file in files]
        entries = "".join(f"<url><loc>{self.server.url}/{name}</loc></url>\n" for name in names)
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
        )
        self.respond(Response(200, xml.encode(), {"Content-Type": "application/xml"}))

    # --- redirects ---

    def redirect(self, rest: str) -> None:
        left = int(rest or 0)
        if left > 0:
            query = urlsplit(self.path).query
            self.send_to(f"/redirect/{left - 1}" + (f"?{query}" if query else ""))
        elif "to" in self.options:
            self.send_to(self.options["to"])
        else:
            self.respond(page(200, "Arrived", "The redirects end here."))

    def private_redirect(self, _rest: str) -> None:
        self.send_to(self.options.get("to", METADATA))

    def loop(self, _rest: str) -> None:
        self.send_to("/loop")

    def send_to(self, target: str) -> None:
        location = urljoin(self.server.url, target)
        status = int(self.options.get("status", 302))
        self.respond(Response(status, headers={"Location": location}))

    # --- the way the bytes come ---

    def slow(self, _rest: str) -> None:
        self.wire.pause(self.number("ms", 3000) / 1000)
        self.respond(page(200, "Slow", "This page took its time."))

    def drip(self, _rest: str) -> None:
        response = page(200, "Dripping", "One piece after the other. " * 20)
        self.wire.write(response.head())
        pieces = 20
        size = -(-len(response.body) // pieces)
        for start in range(0, len(response.body), size):
            self.wire.pause(self.number("ms", 3000) / 1000 / pieces)
            self.wire.write(response.body[start : start + size])

    def cut(self, _rest: str) -> None:
        response = page(200, "Cut", "You will not read the end of this. " * 20)
        if "before" not in self.options:
            self.wire.write(response.head() + response.body[: len(response.body) // 2])
        self.hang_up()

    def huge(self, _rest: str) -> None:
        """Without a length the end of the body is the end of the connection."""
        size = int(self.number("mib", 256))
        declared = size * 0x100000 if "declared" in self.options else -1
        response = Response(200, headers={"Content-Type": "text/html"}, close=True)
        self.wire.write(response.head(declared))
        for _ in range(size):
            self.wire.write(b"<p>more" + b" " * (0x100000 - 7))
        self.hang_up()

    def status(self, rest: str) -> None:
        status = int(rest)
        if status in (204, 304):
            self.respond(Response(status))
        else:
            self.respond(page(status, f"Status {status}", "As you wished."))

    # --- encodings ---

    def gzip(self, _rest: str) -> None:
        response = page(200, "Compressed", "These words were compressed.")
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if accepted or "force" in self.options:
            response.body = gzip.compress(response.body)
            response.headers["Content-Encoding"] = "gzip"
        self.respond(response)

    def gzip_bomb(self, _rest: str) -> None:
        headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
        self.respond(Response(200, gzip_of_zeros(int(self.number("mib", 64))), headers))

    def charset(self, rest: str) -> None:
        self.respond(page_in(real=rest, header=rest))

    def meta_charset(self, rest: str) -> None:
        self.respond(page_in(real=rest, meta=rest))

    def bare_charset(self, rest: str) -> None:
        self.respond(page_in(real=rest))

    def wrong_charset(self, _rest: str) -> None:
        declared = self.options.get("declared", "utf-8")
        real = self.options.get("real", "shift_jis")
        self.respond(page_in(real=real, header=declared, meta=declared))

    def type(self, _rest: str) -> None:
        response = page(200, "Another type", "This is HTML, whatever the header says.")
        del response.headers["Content-Type"]
        if self.options.get("as"):
            response.headers["Content-Type"] = self.options["as"]
        self.respond(response)

    def cookie(self, _rest: str) -> None:
        response = page(200, "Cookie", "You have been given a cookie.")
        response.headers["Set-Cookie"] = "visitor=1; Path=/"
        self.respond(response)

    def number(self, name: str, default: float) -> float:
        return float(self.options.get(name, default))


SCRIPTED = {
    "redirect": WebsiteHandler.redirect,
    "private-redirect": WebsiteHandler.private_redirect,
    "loop": WebsiteHandler.loop,
    "slow": WebsiteHandler.slow,
    "drip": WebsiteHandler.drip,
    "cut": WebsiteHandler.cut,
    "huge": WebsiteHandler.huge,
    "status": WebsiteHandler.status,
    "gzip": WebsiteHandler.gzip,
    "gzip-bomb": WebsiteHandler.gzip_bomb,
    "charset": WebsiteHandler.charset,
    "meta-charset": WebsiteHandler.meta_charset,
    "bare-charset": WebsiteHandler.bare_charset,
    "wrong-charset": WebsiteHandler.wrong_charset,
    "type": WebsiteHandler.type,
    "cookie": WebsiteHandler.cookie,
    "sitemap.xml": WebsiteHandler.sitemap,
}


def page(status: int, title: str, text: str) -> Response:
    """A small HTML page in UTF-8."""
    html = (
        f"<!DOCTYPE html>\n<html><head><title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(text)}</p></body></html>\n"
    )
    return Response(status, html.encode(), {"Content-Type": "text/html; charset=utf-8"})


def page_in(real: str, header: str | None = None, meta: str | None = None) -> Response:
    """A page written in one character set and declared as any, or not at all."""
    try:
        words = [words for words in SAMPLES if can_write(words, real)]
    except LookupError:
        return page(404, "Not Found", f"Python does not know {real}.")
    declaration = f'<meta charset="{meta}">' if meta else ""
    paragraphs = "".join(f"<p>{escape(word)}</p>\n" for word in words)
    head = f"<head>{declaration}<title>{real}</title></head>"
    html = f"<html>{head}\n<body>{paragraphs}</body></html>\n"
    kind = "text/html" + (f"; charset={header}" if header else "")
    return Response(200, html.encode(real), {"Content-Type": kind})


def can_write(words: str, charset: str) -> bool:
    try:
        words.encode(charset)
        return True
    except UnicodeEncodeError:
        return False


def gzip_of_zeros(mib: int) -> bytes:
    """So many MiB of zeros, compressed without ever holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = io.BytesIO()
    for _ in range(mib):
        packed.write(packer.compress(b"\0" * 0x100000))
    packed.write(packer.flush())
    return packed.getvalue()


def main() -> None:
    options = argparse.ArgumentParser(description="A website with bad manners on 127.0.0.1.")
    options.add_argument("folder", nargs="?", help="is served")
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--port-file", metavar="FILE", help="receives the port")
    options.add_argument("--refuse-head", action="store_true", help="answers HEAD with 405")
    given = options.parse_args()
    run_until_told(Website(given.folder, given.port, given.refuse_head), given.port_file)


if __name__ == "__main__":
    main()
