"""Requests to a host: one at a time, with a pause between two and after 'too many requests'."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import build_opener

from backtest.data.guards import HostError, SamePublisher, read_whole, within
from backtest.types import MOST_SHOWN, DataError

USER_AGENT = "margin-backtest (daily history for research; one request at a time)"
TOO_MANY_REQUESTS = 429  # RFC 6585, section 4
NOT_FOUND = 404

Answer = TypeVar("Answer")
Sleep = Callable[[float], object]


class RateLimited(Exception):
    """The host asks for fewer requests."""


class Web:
    """A client for text over HTTP, within the bounds of `guards`.

    urllib is enough for one request at a time; httpx would be one dependency more. It does not
    ask for compressed answers, and unpacks none.

    timeout : seconds to wait for a whole answer. pause : seconds between two requests.
    sleep : replaced in tests.
    """

    def __init__(self, timeout: float, *, pause: float, sleep: Sleep = time.sleep) -> None:
        self.timeout, self.pause, self.sleep = timeout, pause, sleep
        self.has_asked = False

    def get(self, url: str) -> str:
        """Text at an address.

        Raises
        ------
        RateLimited : 429. HostError : no connection, any status but 404, an answer that is
            incomplete, too long, too late or elsewhere.
        DataError : 404, or an answer that is not text.
        """
        if self.has_asked:
            self.sleep(self.pause)
        self.has_asked = True
        host = urlsplit(url).netloc
        try:
            return within(self.timeout, partial(self._text, url, host), host=host)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == TOO_MANY_REQUESTS:
                raise RateLimited from error
            kind = DataError if error.code == NOT_FOUND else HostError
            raise kind(
                f"{host} answered {error.code} {error.reason[:MOST_SHOWN]} for {url}"
            ) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise HostError(f"cannot reach {host} ({reason})") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{host} sent what is not text for {url}") from error

    def _text(self, url: str, host: str) -> str:
        request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})
        with build_opener(SamePublisher).open(request, timeout=self.timeout) as response:
            return read_whole(response, host=host, seconds=self.timeout).decode("utf-8-sig")


def patiently(
    ask: Callable[[], Answer], *, who: str, back_off: tuple[float, ...], sleep: Sleep
) -> Answer:
    """Call `ask`, and while it is rate limited call it again after each pause of `back_off`.

    Raises
    ------
    HostError : still rate limited after the last pause; more requests would lengthen the ban.

    Examples
    --------
    >>> patiently(lambda: 42, who="a host", back_off=(30,), sleep=print)
    42
    """
    for pause in back_off:
        try:
            return ask()
        except RateLimited:
            sleep(pause)
    try:
        return ask()
    except RateLimited as error:
        waited = ", ".join(f"{pause:g}" for pause in back_off)
        raise HostError(
            f"{who} still answers 'too many requests' after waits of {waited} s; try in an hour"
        ) from error
