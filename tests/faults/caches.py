"""Manifests of fetched prices that somebody else sent: entries taken out, or of another kind."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from backtest.data.cache import KIND
from tests.faults.case import REFUSE, SANE, Case
from tests.faults.prices import COINS, RUN, sound_files

VALUES: tuple[Any, ...] = (None, -1, 1e308, "", "x" * 500, [], {}, [[]], [{}], True, "../../x")
ENTRY: dict[str, Any] = {
    "source": "Yahoo",
    "codes": ["BTC-USD"],
    "factors": ["BTC"],
    "units": ["USD"],
    "first": "2022-01-03",
    "last": "2022-08-12",
    "rows": 222,
    "fetched_at": "2026-01-01T00:00:00",
    "sha256": "0" * 64,
    "warnings": ["stale"],
    "rewrites": [],
}
TEXTS: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "not UTF-8": b'{"kind": "\xff"}',
    "nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "a number of 5,000 digits": b'{"kind": ' + b"9" * 5000 + b"}",
}


def cache_cases(seed: int) -> Iterator[Case]:
    """All cases of a cache's manifest, read by the commands that read it."""
    rng = np.random.default_rng(seed)
    commands = (RUN, ("list", "--cache", "prices"), ("verify", "--cache", "prices"))

    def cases(word: str, content: bytes) -> Iterator[Case]:
        files = sound_files(seed) | {"prices/manifest.json": content}
        for words in commands:
            right = REFUSE if words[0] == "verify" else SANE
            yield Case("cache manifest", f"{words[0]}: {word}", words, files, right)

    def sealed(entry: Any, **more: Any) -> bytes:
        name = COINS.rpartition("/")[2]
        return json.dumps({"kind": KIND, "files": {name: entry}, "in_flight": {}} | more).encode()

    for word, content in TEXTS.items():
        yield from cases(word, content)
    for key in ENTRY:
        yield from cases(f"no {key}", sealed({k: v for k, v in ENTRY.items() if k != key}))
        for value in rng.choice(np.array([*VALUES, 0], dtype=object), 4, replace=False):
            yield from cases(f"{key} = {str(value)[:20]!r}", sealed(ENTRY | {key: value}))
    for value in VALUES:
        yield from cases(f"an entry = {str(value)[:20]!r}", sealed(value))
        yield from cases(f"in_flight = {str(value)[:20]!r}", sealed(ENTRY, in_flight=value))
        yield from cases(f"files = {str(value)[:20]!r}", sealed(ENTRY, files=value))
