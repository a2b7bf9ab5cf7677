"""Files of prices: sound ones to start from, and what goes wrong with them."""

import gzip
import io
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from tests.faults.case import ACCEPT, REFUSE, SANE, Case, End

YIELDS, COINS = "prices/treasury_par_yields.csv", "prices/btc_usd.csv"
STUDY = b"""
name = "small"
[data]
source = "prices"
factors = ["2Y", "10Y", "BTC"]
[sizing]
kind = "historical_var"
lookback = 60
[models.var]
kind = "historical_var"
lookback = 60
[books.both]
usd = { BTC = 1e6, UST10Y = 2e6 }
"""
RUN = ("run", "study.toml")
Table = pd.DataFrame
Edit = Callable[[Table, np.random.Generator], Table]
Rewrite = Callable[[bytes, np.random.Generator], bytes]


def sound_files(seed: int, days: int = 160) -> dict[str, bytes]:
    """Par yields in percent and closes of Bitcoin, all text, in the shape of a data folder."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2022-01-03", periods=days)
    walk = np.clip(3.0 + np.cumsum(rng.normal(0.0, 0.05, (days, 2)), axis=0), 0.3, 15.0)
    yields = pd.DataFrame(walk.round(2), columns=["2Y", "10Y"])
    yields.insert(0, "Date", dates.strftime("%Y-%m-%d"))
    calendar = pd.date_range(dates[0], dates[-1])
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, len(calendar))))
    coins = pd.DataFrame({"Date": calendar.strftime("%Y-%m-%d"), "Close": close.round(2)})
    return {
        YIELDS: yields.to_csv(index=False).encode(),
        COINS: coins.to_csv(index=False).encode(),
        "study.toml": STUDY,
    }


# Words in a cell that are no number. pandas takes some of them for a missing value.
WORDS = (
    [
        "n/a",
        "#REF!",
        "#N/A N/A",
        "-",
        "--",
        "1,234.5",
        "1.234,5",
        "12 000",
        "3.1%",
        "$30000",
        "(5.2)",
    ]
    + ["1e999", "-1e999", "inf", "-inf", "Infinity", "0x1F", "1_000", "٣٤", "３０", "true", "None"]
    + ["=1+1", "@SUM(A1)", "1e", "e5", "1.2.3", "'30000", "\u200b30000", "30000 USD", "½", "🚀"]
)
NUMBERS = ("-1", "0", "-0.0", "1e-320", "1e308", "9" * 400, "1e18", "-37.63", "0.0000001")
DATES = (
    [
        "2022-02-30",
        "2022-13-01",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "-2022-03-15",
    ]
    + [
        "2022/03/15",
        "15/03/2022",
        "03/15/22",
        "20220315",
        "1647302400",
        "2022-03-15T25:00",
        "now",
        "",
    ]
    + [
        "2022-03-15 12:00:00+99:00",
        "2022-W11-2",
        "Mar 15, 2022",
        "２０２２-03-15",
        "1e300",
        "NaT",
        "nan",
    ]
)


def _cell(frame: Table, row: int, column: str, value: str) -> Table:
    out = frame.astype(object)
    out.loc[row, column] = value
    return out


def _file_of(frame: Table) -> bytes:
    return frame.to_csv(index=False).encode()


def cell_cases(seed: int) -> Iterator[Case]:
    """One cell that holds what is no price, no yield or no day."""
    rng = np.random.default_rng(seed)
    for file, column in ((YIELDS, "10Y"), (COINS, "Close")):
        base = sound_files(seed)
        frame = pd.read_csv(io.BytesIO(base[file]), dtype=str)
        for kind, values in (("word", WORDS), ("number", NUMBERS), ("date", DATES)):
            for value in values:
                row = int(rng.integers(2, len(frame) - 2))
                edited = _cell(frame, row, "Date" if kind == "date" else column, value)
                yield Case(
                    f"CSV cell: {kind}",
                    f"{file} row {row}: {value[:20]!r}",
                    RUN,
                    base | {file: _file_of(edited)},
                )


ROWS: dict[str, tuple[Edit, frozenset[End]]] = {
    "one row": (lambda f, r: f.iloc[:1], SANE),  # refused after the point where these cases end
    "two rows": (lambda f, r: f.iloc[:2], SANE),
    "no row": (lambda f, r: f.iloc[:0], REFUSE),
    "a day twice, other value": (
        lambda f, r: pd.concat([f, f.iloc[[40]].assign(**{f.columns[-1]: "1.23"})]),
        REFUSE,
    ),
    "a day twice, same value": (lambda f, r: pd.concat([f, f.iloc[[40]]]), SANE),
    "newest first": (lambda f, r: f.iloc[::-1], SANE),
    "shuffled": (lambda f, r: f.sample(frac=1.0, random_state=int(r.integers(99))), SANE),
    "all values empty": (lambda f, r: f.assign(**{f.columns[-1]: ""}), REFUSE),
    "no date column": (lambda f, r: f.drop(columns="Date"), REFUSE),
    "no value column": (lambda f, r: f[["Date"]], REFUSE),
    "two columns of one name": (lambda f, r: pd.concat([f, f.iloc[:, [-1]]], axis=1), REFUSE),
    "a nameless column": (lambda f, r: f.set_axis([*f.columns[:-1], ""], axis=1), REFUSE),
    "another column": (lambda f, r: f.assign(Note="text, with a comma"), SANE),
    "ten times too large": (lambda f, r: _scaled(f, 10.0), SANE),
    "a hundredth from the middle": (lambda f, r: _scaled(f, 0.01, len(f) // 2), REFUSE),
    "ten times for a day": (lambda f, r: _scaled(f, 10.0, 50, 51), REFUSE),
    "a thousandth": (lambda f, r: _scaled(f, 0.001), SANE),
    "the sign turned": (lambda f, r: _scaled(f, -1.0), REFUSE),
    "days of a century": (lambda f, r: f.assign(Date="19" + f["Date"].str[2:]), SANE),
    "all equal": (lambda f, r: f.assign(**{f.columns[-1]: "3.5"}), SANE),
}


def _scaled(frame: Table, by: float, first: int = 0, end: int | None = None) -> Table:
    """All values of some rows times a number."""
    out = frame.copy()
    values = out.iloc[first:end, 1:].astype(float) * by
    out.iloc[first:end, 1:] = values.round(6).astype(str)
    return out


def row_cases(seed: int) -> Iterator[Case]:
    """Rows and columns that are missing, repeated or out of order."""
    rng = np.random.default_rng(seed)
    for file in (YIELDS, COINS):
        base = sound_files(seed)
        frame = pd.read_csv(io.BytesIO(base[file]), dtype=str)
        for name, (edit, right) in ROWS.items():
            edited = _file_of(edit(frame, rng))
            yield Case("CSV rows and columns", f"{file}: {name}", RUN, base | {file: edited}, right)


BYTES: dict[str, tuple[Rewrite, frozenset[End]]] = {
    "empty": (lambda b, r: b"", REFUSE),
    "spaces": (lambda b, r: b"  \n \n", REFUSE),
    "byte order mark": (lambda b, r: b"\xef\xbb\xbf" + b, ACCEPT),
    "Windows line ends": (lambda b, r: b.replace(b"\n", b"\r\n"), ACCEPT),
    "UTF-16": (lambda b, r: b.decode().encode("utf-16"), REFUSE),
    "latin-1 heading": (lambda b, r: b.replace(b"Date", "Dat\u00e9".encode("latin-1")), REFUSE),
    "a NUL byte": (lambda b, r: b[:200] + b"\0" + b[200:], SANE),
    "semicolons": (lambda b, r: b.replace(b",", b";"), ACCEPT),
    "tabs": (lambda b, r: b.replace(b",", b"\t"), ACCEPT),
    "an open quote": (lambda b, r: b[:500] + b'"' + b[500:], SANE),
    "a comma too many": (lambda b, r: b.replace(b"\n", b",\n", 9), SANE),
    "a row cut short": (lambda b, r: b[: len(b) // 2], SANE),
    "a web page": (lambda b, r: b"<!DOCTYPE html><html><body>404</body></html>\n", REFUSE),
    "a zip": (lambda b, r: b"PK\x03\x04" + r.bytes(300), REFUSE),
    "noise": (lambda b, r: r.bytes(3000), REFUSE),
    "JSON": (lambda b, r: b'{"error": "rate limit"}', REFUSE),
    "one long line": (lambda b, r: b"Date,Close" + b",x" * 200_000, REFUSE),
    "one long cell": (lambda b, r: b + b"2030-01-01," + b"9" * 2_000_000 + b"\n", REFUSE),
    "repeated headings": (lambda b, r: b + b, REFUSE),
    "gzip": (lambda b, r: gzip.compress(b, mtime=0), REFUSE),
    "the heading alone": (lambda b, r: b.split(b"\n")[0] + b"\n", REFUSE),
    "no heading": (lambda b, r: b.split(b"\n", 1)[1], REFUSE),
    "small letters above": (lambda b, r: b.split(b"\n")[0].lower() + b"\n" + b[5:], REFUSE),
    "Macintosh line ends": (lambda b, r: b.replace(b"\n", b"\r"), SANE),
    "bars": (lambda b, r: b.replace(b",", b"|"), ACCEPT),
    "all in quotes": (
        lambda b, r: b'"' + b.replace(b",", b'","').replace(b"\n", b'"\n"')[:-1],
        SANE,
    ),
    "blanks around": (lambda b, r: b.replace(b",", b" , "), SANE),
    "empty lines": (lambda b, r: b.replace(b"\n", b"\n\n"), SANE),
    "a number of 5,000 digits": (
        lambda b, r: b.replace(b"2022-03-15,", b"2022-03-15," + b"9" * 5000),
        REFUSE,
    ),
    "NULs alone": (lambda b, r: b"\0" * 5000, REFUSE),
    "a million commas": (lambda b, r: b + b"," * 1_000_000, SANE),
    "a million quotes": (lambda b, r: b + b'"' * 1_000_001, SANE),
    "a million short lines": (lambda b, r: b + b"\n" * 1_000_000, SANE),
    "a comment above": (lambda b, r: b"# downloaded today\n" + b, SANE),
}


def byte_cases(seed: int) -> Iterator[Case]:
    """Files whose bytes are not those of a CSV file, or only nearly."""
    rng = np.random.default_rng(seed)
    for file in (YIELDS, COINS):
        base = sound_files(seed)
        for name, (rewrite, right) in BYTES.items():
            content = rewrite(base[file], rng)
            yield Case("CSV bytes", f"{file}: {name}", RUN, base | {file: content}, right)


def noise_cases(seed: int, count: int) -> Iterator[Case]:
    """A few random bytes of a sound file replaced, removed or doubled."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        base = sound_files(seed + number)
        file = (YIELDS, COINS)[number % 2]
        content = bytearray(base[file])
        for _ in range(int(rng.integers(1, 6))):
            place = int(rng.integers(len(content)))
            action = int(rng.integers(3))
            if action == 0:
                content[place] = int(rng.integers(256))
            elif action == 1:
                del content[place : place + int(rng.integers(1, 30))]
            else:
                content[place:place] = content[place : place + int(rng.integers(1, 30))]
        yield Case("CSV noise", f"{file} {number}", RUN, base | {file: bytes(content)})


def price_cases(seed: int) -> Iterator[Case]:
    """All cases about files of prices."""
    yield Case("sound", "as it is", RUN, sound_files(seed), ACCEPT)
    for number in range(3):
        yield from cell_cases(seed + number)
    yield from row_cases(seed)
    yield from byte_cases(seed)
    yield from noise_cases(seed, 300)
