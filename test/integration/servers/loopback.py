"""An HTTP/1.1 server on 127.0.0.1 for tests: many connections, exact bytes.

A test server must be able to break the rules of HTTP on purpose, so answers
are written as bytes through a `Wire`, and nothing is added behind one's back.
Subclass `Handler`, write `handle_request`, and give the class to `Server`.

A server is a context manager: it listens inside the `with` and nowhere else.
Handlers wait with `Wire.pause`, so that stopping never waits for a slow fault.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import struct
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

IDLE_SECONDS = 120  # a keep-alive connection without a request is closed then


@dataclass
class Response:
    """What shall be sent: headers beyond Content-Length are sent as they are."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False

    def head(self, content_length: int | None = None) -> bytes:
        """The status line and headers, with a length that may be a lie."""
        length = len(self.body) if content_length is None else content_length
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if length >= 0:
            lines.append(f"Content-Length: {length}")
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reason(status: int) -> str:
    """The words that usually follow a status number."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def json_response(status: int, value, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


class Wire:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, stopping: threading.Event):
        self._socket = connection
        self._stopping = stopping

    def write(self, data: bytes) -> None:
        """Hands all bytes to the kernel, or raises OSError."""
        self._socket.sendall(data)

    def pause(self, seconds: float) -> None:
        """Waits, but not longer than the server lives."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise ConnectionAbortedError("the server is stopping")

    def close(self) -> None:
        """Ends the connection in an orderly way (FIN)."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self) -> None:
        """Ends the connection rudely: the client sees "connection reset" (RST)."""
        on_with_no_linger = struct.pack("ii", 1, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, on_with_no_linger)
        self._socket.close()


class Handler(BaseHTTPRequestHandler):
    """One connection.  Subclasses write `handle_request`, called for every method."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: "Server"

    def setup(self):
        super().setup()
        self.wire = Wire(self.connection, self.server.stopping)

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass  # a reset wire has no more to flush

    def handle_request(self) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str):
        if name.startswith("do_"):
            return self.handle_request
        raise AttributeError(name)

    def respond(self, response: Response) -> None:
        """Sends an answer the way HTTP wants it; HEAD gets no body."""
        body = b"" if self.command == "HEAD" else response.body
        self.close_connection = self.close_connection or response.close
        self.wire.write(response.head() + body)

    def hang_up(self) -> None:
        """Closes the connection now and takes no further request from it."""
        self.close_connection = True
        self.wire.close()

    def reset(self) -> None:
        """Like `hang_up`, with a connection reset."""
        self.close_connection = True
        self.wire.reset()

    def log_message(self, format, *args):  # noqa: A002 - the base class names it so
        """Says nothing: the servers keep logs of their own."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on 127.0.0.1 from `start` to `stop`, one thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, handler: type[Handler], port: int = 0):
        super().__init__(("127.0.0.1", port), handler, bind_and_activate=False)
        self.stopping = threading.Event()
        self.errors: list[str] = []  # bugs of the server itself; a test may want none
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self.connections_seen = 0

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Binds, listens and answers in the background."""
        self.server_bind()
        self.server_activate()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops listening and ends every open connection."""
        self.stopping.set()
        if self._thread is not None:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            self._thread.join()
        self.server_close()
        with self._guard:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _accept(self) -> None:
        """Waits without polling: the base class would wake up and stop by the clock."""
        while not self.stopping.is_set():
            try:
                self.process_request(*self.get_request())
            except OSError:
                self.stopping.wait(0.01)

    def process_request(self, request, client_address):
        with self._guard:
            self._connections.add(request)
            self.connections_seen += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """A client that went away is no error; anything else is ours."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            return
        with self._guard:
            self.errors.append(repr(error))
        super().handle_error(request, client_address)


def run_until_told(server: Server, port_file: str | None) -> None:
    """Serves until SIGTERM or SIGINT; tells the port in a file, then on stdout."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with server:
        if port_file:
            write_at_once(port_file, f"{server.port}\n")
        print(server.url, flush=True)
        told.wait()


def write_at_once(path: str, text: str) -> None:
    """A reader of the file sees all of the text or no file."""
    unfinished = f"{path}.part"
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(unfinished, path)
