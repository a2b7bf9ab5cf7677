"""Publishers that send too much, too slowly, or elsewhere: one line, and the cache as it was."""

import gzip
import shutil
import subprocess
import time
import tracemalloc
import urllib.request

import pytest

from backtest.data import guards
from backtest.data.cache import Cache
from backtest.data.fetch import FetchError, fetch
from backtest.data.guards import MOST_BYTES, MOST_REDIRECTS, HostError, SamePublisher
from backtest.data.official import Fred
from backtest.data.web import Web
from backtest.data.yahoo import guarded_session
from backtest.types import DataError
from tests.support.hosts import reply, server
from tests.support.publishers import NOW, HandMade, everywhere

TABLE = b"observation_date,SOFR\n2024-01-02,5.3\n"


def endless(handler):
    """Chunks without an end, of which none says how long it all will be."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b"1" * (1 << 20))
    while True:
        handler.wfile.write(chunk)


def drips_its_body(handler):
    handler.send_response(200)
    handler.end_headers()
    drip(handler)


def drips_its_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(handler)


def drip(handler):
    for _ in range(600):
        handler.wfile.write(b"1")
        handler.wfile.flush()
        time.sleep(0.05)


def in_a_circle(handler):
    reply(302, Location=handler.path + "0")(handler)


HARMS = {
    "says it is absurdly long": (reply(200, b"1", length=10**15), r"1,000,000,000,000,000 bytes"),
    "is longer than it says": (endless, r"sends an answer of [0-9,]+ bytes or more"),
    "drips its body": (drips_its_body, r"had not sent its whole answer after 0.5 s"),
    "drips its headers": (drips_its_headers, r"had not sent its whole answer after 0.5 s"),
    "redirects in a circle": (in_a_circle, r"redirects more than 3 times"),
    "redirects elsewhere": (
        reply(302, Location="http://prices.example.org/x"),
        r"redirects to another publisher \('http://prices.example.org/x'\)",
    ),
    "redirects to a file": (
        reply(301, Location="file:///etc/hostname"),
        "hostname' is not allowed",
    ),
    "redirects by a number": (reply(302, Location="http://2130706433/"), "to another publisher"),
    "is cut off": (reply(200, TABLE, length=len(TABLE) + 9), r"IncompleteRead"),
    "is packed": (reply(200, gzip.compress(b"0" * 10**7), Content_Encoding="gzip"), "is not text"),
    "has a long reason": (lambda h: h.send_error(503, "x" * 9000), r"503 x{80} for http"),
}


@pytest.mark.parametrize("name", HARMS)
def test_a_harmful_answer_is_one_line_and_the_cache_stays(name, tmp_path):
    answer, said = HARMS[name]
    fetch(tmp_path, only=("short_rates",), sources=everywhere(HandMade()), now=NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    began = time.monotonic()
    with server(answer) as url:
        timeout = 0.5 if "drips" in name else 20.0
        sources = {"fred": Fred(Web(timeout, pause=0.0), url)}
        with pytest.raises(FetchError, match=said) as caught:
            fetch(tmp_path, only=("short_rates",), sources=sources, now=NOW)
    assert time.monotonic() - began < 15.0
    assert "\n" not in str(caught.value) and "are unchanged" in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert Cache(tmp_path).verify() == 1


def test_no_more_than_the_cap_is_held():
    with server(endless) as url:
        tracemalloc.start()
        with pytest.raises(HostError, match="bytes or more"):
            Web(20.0, pause=0.0).get(url)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 3 * MOST_BYTES


def test_an_answer_of_just_the_cap_is_read(monkeypatch):
    monkeypatch.setattr(guards, "MOST_BYTES", 2 * guards.BLOCK)
    with server(reply(200, b"1" * 2 * guards.BLOCK)) as url:
        assert len(Web(20.0, pause=0.0).get(url)) == 2 * guards.BLOCK
    with server(reply(200, b"1" * (2 * guards.BLOCK + 1))) as url, pytest.raises(HostError):
        Web(20.0, pause=0.0).get(url)


def test_a_few_redirects_of_one_host_are_followed():
    def answer(handler):
        steps = len(handler.path)  # a slash, and one more character each time
        reply(*((200, TABLE) if steps > MOST_REDIRECTS else (302,)), Location=handler.path + "1")(
            handler
        )

    with server(answer) as url:
        assert Web(20.0, pause=0.0).get(url) == TABLE.decode()


@pytest.mark.parametrize(
    ("asked", "sent_to", "follows"),
    [
        ("https://home.treasury.gov/a", "https://www.treasury.gov/b", True),
        ("https://home.treasury.gov/a", "https://treasury.gov/b", True),
        ("http://home.treasury.gov/a", "https://home.treasury.gov/b", True),
        ("https://home.treasury.gov/a", "http://home.treasury.gov/b", False),
        ("https://home.treasury.gov/a", "ftp://home.treasury.gov/b", False),
        ("https://home.treasury.gov/a", "https://nottreasury.gov/b", False),
        ("https://home.treasury.gov/a", "https://home.treasury.gov@example.org/b", False),
        ("https://home.treasury.gov/a", "https://treasury.gov.example.org/b", False),
        ("https://data.one.co.uk/a", "https://data.two.co.uk/b", False),
        ("https://10.0.0.1/a", "https://9.0.0.1/b", False),
    ],
)
def test_a_redirect_stays_with_the_publisher_and_with_https(asked, sent_to, follows, tmp_path):
    with (tmp_path / "body").open("wb") as body:
        ask = urllib.request.Request(asked)
        try:
            new = SamePublisher().redirect_request(ask, body, 302, "Found", {}, sent_to)
        except DataError as error:
            assert not follows and "redirects to" in str(error) and body.closed
        else:
            assert follows and new.full_url == sent_to


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of the server")
    folder = tmp_path_factory.mktemp("certificate")
    key, signed, both = (folder / name for name in ("key.pem", "signed.pem", "both.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"]
        + ["/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", signed],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + signed.read_bytes())
    return both


def test_https_is_never_left(certificate, monkeypatch):
    with server(reply(200, TABLE)) as plain:
        with server(reply(302, Location=plain), certificate) as url:
            with pytest.raises(HostError, match="CERTIFICATE_VERIFY_FAILED"):
                Web(20.0, pause=0.0).get(url)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            with pytest.raises(HostError, match="redirects to http, which anyone on the way can"):
                Web(20.0, pause=0.0).get(url)
        with server(reply(200, TABLE), certificate) as url:
            assert Web(20.0, pause=0.0).get(url) == TABLE.decode()


def test_yahoo_is_asked_within_the_same_bounds(certificate):
    session = guarded_session()
    with server(reply(200, TABLE)) as plain, pytest.raises(OSError, match='"http" is disabled'):
        session.get(plain)
    bomb = reply(200, gzip.compress(bytes(2 * MOST_BYTES)), Content_Encoding="gzip")
    long = reply(200, b"1", length=10**15)
    for answer, said in ((endless, "file size"), (bomb, "file size"), (long, "file size")):
        with server(answer, certificate) as url, pytest.raises(OSError, match=said):
            session.get(url, verify=False, timeout=20.0)
    for answer in (drips_its_body, drips_its_headers):
        with server(answer, certificate) as url, pytest.raises(OSError, match="timed out"):
            session.get(url, verify=False, timeout=0.5)
    session.close()
