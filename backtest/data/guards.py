"""What a publisher's answer may be: not too long, not too late, and from the publisher itself."""

import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from http.client import HTTPResponse, IncompleteRead
from ipaddress import ip_address
from threading import Thread
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

from backtest.types import DataError, shown

MOST_BYTES = 32 * 1024 * 1024  # of an answer: the longest, FRED's, has about 200,000
MOST_REDIRECTS = 3
BLOCK = 65_536  # bytes read at once

Answer = TypeVar("Answer")


class HostError(DataError):
    """A host that cannot be reached or does not answer: further requests would fail too."""


def within(seconds: float, ask: Callable[[], Answer], *, host: str) -> Answer:
    """What `ask` gives, if it gives it in time.

    The timeout of a socket begins anew with every byte, so a host that sends one now and then
    would be waited for without end.

    Raises
    ------
    HostError : it did not. What `ask` raises.

    Examples
    --------
    >>> within(5.0, lambda: 42, host="a host")
    42
    """
    future: Future[Answer] = Future()

    def work() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    # A daemon: what still waits when the command ends is not waited for.
    Thread(target=work, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        if future.done():  # raised by `ask`
            raise
        raise HostError(
            f"{host} had not sent its whole answer after {seconds:g} s (timed out); raise "
            "--timeout or try later"
        ) from None


def read_whole(response: HTTPResponse, *, host: str, seconds: float) -> bytes:
    """The body of an answer, refused where it says that it is too long, or is.

    Raises
    ------
    HostError : more than `MOST_BYTES`, or `seconds` are over. IncompleteRead : it was cut off.
    """
    end = time.monotonic() + seconds
    _check_length(response.length or 0, host)
    body = bytearray()
    while block := response.read1(BLOCK):
        body += block
        _check_length(len(body), host)
        if time.monotonic() > end:  # nobody waits for this thread any more
            raise HostError(f"{host} had not sent its whole answer after {seconds:g} s")
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _check_length(length: int, host: str) -> None:
    if length > MOST_BYTES:
        raise HostError(
            f"{host} sends an answer of {length:,} bytes or more, and {MOST_BYTES:,} are the most "
            "that is read; look at the address in a browser"
        )


class SamePublisher(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, to the publisher that was asked alone, and never from https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request for the new address; HostError where that is not followed."""
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        followed = sum(getattr(req, "redirect_dict", {}).values())
        reason = None
        if followed >= MOST_REDIRECTS:
            reason = f"more than {MOST_REDIRECTS} times"
        elif after.scheme not in {"https", before.scheme}:
            reason = f"to {after.scheme}, which anyone on the way can change"
        elif publisher(after.hostname or "") != publisher(before.hostname or ""):
            reason = "to another publisher"
        if reason is None:
            return super().redirect_request(req, fp, code, msg, headers, newurl)
        fp.close()
        raise HostError(
            f"{before.netloc} redirects {reason} ({shown(newurl)}); look at it in a browser"
        )


def publisher(host: str) -> str:
    """The part of a host's name that one publisher registers; an address is its own.

    Examples
    --------
    >>> publisher("home.treasury.gov"), publisher("www.data.co.uk"), publisher("127.0.0.1")
    ('treasury.gov', 'data.co.uk', '127.0.0.1')
    """
    try:
        return str(ip_address(host))
    except ValueError:
        labels = host.lower().rstrip(".").split(".")
    # Under most countries names are registered one level lower, below co, gov, com.
    country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if country else -2 :])
