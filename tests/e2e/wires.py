"""Raw TCP servers for what no well-behaved server does: record, drip, stall, cut."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Serve = Callable[[socket.socket], None]


@dataclass
class Wire:
    """A listener on loopback; ``received`` is every byte that any connection brought, after TLS."""

    port: int
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0

    @property
    def dial(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def wire(serve: Serve, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Wire]:
    """Run ``serve`` for each connection, after its request head was read (and TLS was agreed on, with ``context``)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    wire = Wire(port=listener.getsockname()[1])

    def converse(raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw:
            raw.settimeout(10)
            connection = context.wrap_socket(raw, server_side=True) if context else raw
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    head += chunk
                    wire.received += chunk
                serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                wire.connections += 1
                threading.Thread(target=converse, args=(raw,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield wire
    finally:
        # Closing alone does not wake the thread in accept().
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
