"""Study files that ask for the impossible: one line each, said at reading and not after the run."""

import pandas as pd
import pytest

import backtest as bt
from backtest.config.load import build_book, default_study, load_study, read_study
from tests.support.markets import random_market

GOOD = """
name = "small"
title = "A study"
seed = 1

[coverage]
confidence = 0.99
mpor = 2

[models.var]
kind = "historical_var"
lookback = 60

[sizing]
kind = "historical_var"
lookback = 60

[books.both]
usd = { BTC = 1e6, UST10Y = 1e6 }
"""


def edited(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def refusal(text: str) -> str:
    with pytest.raises(bt.StudyError) as refused:
        read_study(text, where="s.toml")
    message = str(refused.value)
    assert message.startswith("s.toml: ") and "\n" not in message and message.isprintable()
    return message


USD = "BTC = 1e6"
HOLDS = "usd = { BTC = 1e6, UST10Y = 1e6 }"
SAID = {
    "usd nan": (USD, "BTC = nan", "books.both.usd.BTC is nan: Input should be a finite number"),
    "usd inf": (USD, "BTC = inf", "books.both.usd.BTC is inf"),
    "usd absurd": (USD, "BTC = 1e308", "books.both.usd.BTC is 1e+308"),
    "usd true": (USD, "BTC = true", "books.both.usd.BTC is True: Input should be a valid number"),
    "risk nan": (HOLDS, "risk = { BTC = nan }", "books.both.risk.BTC is nan"),
    "no exposure": (HOLDS, "usd = { BTC = 0, UST10Y = 0 }", "book 'both' holds nothing"),
    "no weight": (HOLDS, "risk = { BTC = 0.0 }", "book 'both' holds nothing"),
    "empty book": (HOLDS, "usd = {}", "book 'both' holds nothing"),
    "seed": ("seed = 1", "seed = -1", "seed is -1: Input should be greater than or equal to 0"),
    "random seed": ("[sizing]", "[random]\nseed = -1\n[sizing]", "random.seed is -1"),
    "confidence": ("= 0.99", "= true", "coverage.confidence is True"),
    "mpor": ("mpor = 2", "mpor = 1.5", "coverage.mpor is 1.5: "),
    "mpor true": ("mpor = 2", "mpor = true", "coverage.mpor is True"),
    "mpor of a silo": ("mpor = 2", "mpor = { FICC = 1.5 }", "coverage.mpor"),
    "factors": (
        "[coverage]",
        '[data]\nfactors = ["10Y", "BTC", "BTC"]\n[coverage]',
        "data.factors names 'BTC' twice",
    ),
    "drawn books of nothing": ("[sizing]", "[random]\nportfolios = 3\n[sizing]", "random.instrum"),
    "sweep of one asset": (
        "[sizing]",
        '[sweep]\ntreasury = "BTC"\n[sizing]',
        "sweep.treasury 'BTC' and sweep.crypto 'BTC' both clear at CME",
    ),
    "gate without a bound": (
        "[sizing]",
        '[[gates]]\nmodel = "var"\ncolumn = "breaches"\n[sizing]',
        "the gate on breaches of 'var' has no bound",
    ),
    "gates of words": ("seed = 1", 'seed = 1\ngates = ["x"]', "gates.0 is 'x'"),
    "key of a file": ("seed = 1", "seeed = 1", "unknown key 'seeed'. Did you mean 'seed'?"),
    "key of a table": (
        "mpor = 2",
        "mporr = 2",
        "unknown key 'coverage.mporr'. Did you mean 'mpor'",
    ),
    "key of an optional table": (
        "[sizing]",
        "[sweep]\nstepps = 3\n[sizing]",
        "unknown key 'sweep.stepps'. Did you mean 'steps'?",
    ),
    "key of a book": (
        HOLDS,
        "zz = 1",
        "unknown key 'books.both.zz'. Known: explain, usd, risk, gross, short.",
    ),
    "key of a gate": ("seed = 1", "gates = [{ colum = 1 }]", "unknown key 'gates.colum'. Did you"),
    "key beside a wrong value": ("seed = 1", "seed = -1\nzz = 1", "unknown key 'zz'. Known: name"),
    "bare day": (
        "seed = 1",
        "seed = 1\nas_of = 2024-06-30",
        'as_of is 2024-06-30, bare; put it in quotation marks: "2024-06-30"',
    ),
    "no day": ("seed = 1", 'seed = 1\nas_of = "June"', "as_of is 'June'; give a day as YYYY-MM-DD"),
    "name with a slash": ('"small"', '"../../evil"', "name is '../../evil'"),
    "name of dots": ('"small"', '".."', "name is '..'"),
    "long name": ('"small"', f'"{"x" * 300}"', "name has 300 bytes"),
    "name with NUL": ('"small"', r'"a\u0000b"', r"name is 'a\x00b'"),
    "name with a newline": ('"small"', r'"a\nb"', r"name is 'a\nb'"),
    "title in colour": ('"A study"', r'"\u001b[31mRed"', r"title is '\x1b[31mRed'"),
    "model in colour": ("[models.var]", r'[models."\u001b[31mR"]', "a model's name is"),
    "book in colour": ("[books.both]", r'[books."\u001b[31mR"]', "a book's name is"),
    "book with C1": ("[books.both]", r'[books."\u009b31mR"]', "a book's name is"),
}


@pytest.mark.parametrize("case", SAID)
def test_every_mistake_is_one_line_that_names_it(case):
    old, new, said = SAID[case]
    assert said in refusal(edited(old, new))


def test_books_that_are_no_table_or_an_empty_one():
    head = GOOD.split("[books.both]")[0]
    assert "books is [1]" in refusal("books = [1]\n" + head)
    assert "books is empty" in refusal("books = {}\n" + head)


def test_an_mpor_of_no_silo_is_refused():
    with pytest.raises(bt.StudyError, match=r"mpor is \{\}; give whole margin days"):
        read_study(edited("mpor = 2", "mpor = {}"), where="s.toml").standard()


def test_lines_are_allowed_in_texts_and_odd_letters_in_names():
    text = edited('"small"', '"é漢 [bold] {x}"').replace('"A study"', r'"two\nlines"')
    study = read_study(text, where="s.toml")
    assert study.title == "two\nlines" and study.name.startswith("é漢")


def test_a_named_book_is_never_overwritten_by_a_drawn_one():
    drawn = (
        '[random]\nportfolios = 3\ninstruments = ["BTC"]\n[books."random 01"]\nusd = {BTC = 7}\n'
    )
    market = random_market(260)
    with pytest.raises(bt.StudyError, match="'random 01' has the name of a random book"):
        build_book(read_study(GOOD + drawn, where="s.toml"), market)
    book = build_book(read_study(GOOD + drawn.replace("01", "1"), where="s.toml"), market)
    assert book.portfolios == ("both", "random 1", "random 01", "random 02", "random 03")
    assert book.to_frame().loc["random 1", "BTC"] == 7


def test_an_instrument_a_book_does_not_name_is_the_only_zero(tmp_path):
    market = random_market(260)
    text = GOOD + "[books.coin]\nusd = { ETH = -5 }\n"
    frame = build_book(read_study(text, where="s.toml"), market).to_frame()
    expected = {"BTC": [1e6, 0], "UST10Y": [1e6, 0], "ETH": [0, -5]}
    pd.testing.assert_frame_equal(
        frame, pd.DataFrame(expected, index=frame.index, dtype=float)[list(frame)]
    )


def test_a_mark_before_the_text_is_no_mistake_and_other_encodings_are_named(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_study(path)[0].name == "small"
    path.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(bt.StudyError, match="it is not UTF-8 text"):
        load_study(path)
    with pytest.raises(bt.StudyError, match="No such file or directory") as refused:
        load_study(tmp_path / "absent.toml")
    assert "Errno" not in str(refused.value)


@pytest.mark.parametrize(
    "entry", [".".join(["a"] * 20_000) + " = 1", "a = " + "[" * 60 + "]" * 60, "a" + " .'b'" * 999]
)
def test_tables_nested_too_deep_are_refused_at_once(entry):
    with pytest.raises(bt.StudyError, match="nested deeper than 50; flatten them"):
        read_study(f"[sizing]\n{entry}", where="my.toml")


def test_texts_with_points_are_no_deep_keys():
    with pytest.raises(bt.StudyError, match="'models' is missing"):
        read_study(f"caption = '{'a.b ' * 99}{'1.5, ' * 99}'", where="my.toml")


def test_a_study_that_says_nothing_of_its_files_keeps_its_hash():
    assert {"files", "accept"}.isdisjoint(read_study(default_study(), where="x").resolved()["data"])
    said = default_study().replace(
        "[clock]", 'accept = [{ factor = "BTC", kind = "frozen", reason = "seen" }]\n\n[clock]'
    )
    assert read_study(said, where="x").resolved()["data"]["accept"][0]["reason"] == "seen"


@pytest.mark.parametrize(
    "table",
    [
        "[data.files]\nclose = { NA = 1e6 }\n",
        "[instruments]\nkind = { a = { b = { c = {} } } }\n",
        "[instruments]\nmonths = { NA = 1e6 }\n",
    ],
)
def test_tables_in_place_of_values_are_one_line(table):
    with pytest.raises(bt.BacktestError) as refused:
        read_study(default_study() + "\n" + table, where="my.toml")
    assert str(refused.value).startswith("my.toml: ") and "\n" not in str(refused.value)
