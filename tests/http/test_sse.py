from __future__ import annotations

import random
from itertools import pairwise

import pytest

from homelab.http.port import ServerEvent
from homelab.http.sse import EventParser, EventTooLarge


def parse(*chunks: bytes) -> list[ServerEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [ServerEvent("message", "a")]),
        (b"data:a\ndata:  b\n\n", [ServerEvent("message", "a\n b")]),
        (b"event: eof\ndata: eof\n\n", [ServerEvent("eof", "eof")]),
        (b"event: lost\n\ndata: a\n\n", [ServerEvent("message", "a")]),
        (b": ping\n\n:\n", []),
        (b"data\n\n", [ServerEvent("message", "")]),
        (b"id: 7\ndata: a\n\ndata: b\n\n", [ServerEvent("message", "a", "7"), ServerEvent("message", "b", "7")]),
        (b"id: 7\ndata: a\n\nid\ndata: b\n\n", [ServerEvent("message", "a", "7"), ServerEvent("message", "b", "")]),
        (b"id: 7\nid: \0\ndata: a\n\n", [ServerEvent("message", "a", "7")]),
        (b"retry: 10\nwhat: ever\ndata: a\n\n", [ServerEvent("message", "a")]),
        (b"data: a\r\ndata: b\r\n\r\n", [ServerEvent("message", "a\nb")]),
        (b"data: a\rdata: b\r\r", [ServerEvent("message", "a\nb")]),
        (b"\xef\xbb\xbfdata: a\n\n", [ServerEvent("message", "a")]),
        (b"data: a: b\n\n", [ServerEvent("message", "a: b")]),
        (b"data: caf\xc3\xa9 \xff\n\n", [ServerEvent("message", "café �")]),
        (b"data: a\n", []),
    ],
    ids=[
        "one", "lines", "named", "no data", "comments", "no colon", "id stays", "id reset", "id with NUL",
        "unknown fields", "CRLF", "CR", "BOM", "colon in value", "bad UTF-8", "unfinished",
    ],
)  # fmt: skip
def test_a_stream_means_these_events(stream: bytes, events: list[ServerEvent]) -> None:
    assert parse(stream) == events
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == events


def test_an_event_is_there_with_its_last_byte_even_where_lines_end_in_cr() -> None:
    parser = EventParser()
    assert parser.feed(b"data: a\r\r") == [ServerEvent("message", "a")]
    assert parser.feed(b"\ndata: b\r\n\r") == [ServerEvent("message", "b")]


def test_cutting_the_bytes_anywhere_changes_nothing() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201 -- shown when it fails
    dice = random.Random(seed)
    stream = b'\xef\xbb\xbf: ping\r\n\r\nid: 1\ndata: {"a": "\xc3\xa9"}\r\rdata: b\r\ndata: c\n\n'
    whole = parse(stream)
    for _ in range(300):
        cuts = sorted(dice.randrange(len(stream)) for _ in range(dice.randrange(8)))
        edges = [0, *cuts, len(stream)]
        assert parse(*(stream[a:b] for a, b in pairwise(edges))) == whole


@pytest.mark.parametrize("chunk", [b"data: 0123456789", b"data: 01234\n"], ids=["one line", "many lines"])
def test_an_event_that_never_ends_is_given_up(chunk: bytes) -> None:
    parser = EventParser(limit=1000)
    with pytest.raises(EventTooLarge):
        any(parser.feed(chunk) for _ in range(1000))
