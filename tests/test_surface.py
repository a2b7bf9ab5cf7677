"""What a stranger meets first: public names, their types outside, how objects print, refusals."""

import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from traceback import format_exception

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.model import model
from tests.support.markets import random_market
from tests.support.places import ROOT

NAMES = set(
    "load_market Market Book Coverage AccountTerms Mix MarginModel Parts Forecast check_causal run "
    "Study monte_carlo on_cluster Distribution supportable_offset OffsetLadder haircut_adequacy "
    "__version__ BacktestError DataError StudyError ResultsError StationaryBootstrap "
    "instruments simulate scores charts validate protect protect_paths Protection Structure Member "
    "Firm House Arrangement".split()
)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def market():
    return random_market(300, seed=2)


@pytest.fixture(scope="module")
def book(market):
    frame = pd.DataFrame({"UST10Y": [1e8, -1e8], "BTC": [5e6, 5e6]}, index=[HOSTILE, "b" * 90])
    return bt.Book.from_frame(frame, market)


@pytest.fixture(scope="module")
def study(market, book):
    models = {
        f"a model with quite a long name {n}": st.HistoricalVaR(lookback=60 + n) for n in range(15)
    }
    return bt.run(market, book, models, audit=False)


def test_the_public_names_are_these_and_all_resolve():
    assert set(bt.__all__) == NAMES and set(dir(bt)) == NAMES
    for name in NAMES:
        assert getattr(bt, name) is not None
    assert bt.Treasury is bt.instruments.Treasury  # a family is also reached by the bare name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        bt.Nothing  # noqa: B018


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert bt.__version__.count(".") == 2


@pytest.fixture(scope="module")
def users_python(tmp_path_factory):
    """A user's interpreter: the built wheel is installed, the checkout is out of sight."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    for call in (build, ["venv", "--without-pip", str(folder / "venv")]):
        subprocess.run([sys.executable, "-m", *call], check=True, capture_output=True)
    (packages,) = folder.glob("venv/lib/*/site-packages")
    (archive,) = folder.glob("*.whl")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(packages)
    # Of what is installed beside the checkout only the folder counts: the line in it that leads
    # back to the checkout is not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "venv" / "bin" / "python"


def test_types_are_seen_by_the_users_of_the_wheel(users_python, tmp_path, pytestconfig):
    """mypy of a user's own file, in another folder: real types, and a wrong argument is seen."""
    (tmp_path / "user.py").write_text(
        "import backtest as bt\n"
        "import strategies as st\n"
        "market = bt.load_market('sample')\n"
        "reveal_type(market)\n"
        "reveal_type(st.HistoricalVaR(lookback=250))\n"
        "reveal_type(bt.run)\n"
        "reveal_type(bt.instruments.Treasury(10))\n"
        "reveal_type(bt.Treasury(10))\n"
        "bt.load_markt('sample')\n"
        "st.HistoricalVaR(lookbak=250)\n"
        "bt.Coverage(confidence='high')\n"
    )
    # The cache holds the types of numpy and pandas from one session to the next.
    cache = str(pytestconfig.cache.mkdir("mypy"))
    outside = {"MYPY_CACHE_DIR": cache, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    loaded, done = (
        subprocess.run(
            [users_python, *call], cwd=tmp_path, env=outside, capture_output=True, text=True
        )
        for call in (
            ["-c", "import backtest; print(backtest.__file__)"],
            ["-m", "mypy", "--strict", "user.py"],
        )
    )
    assert loaded.stdout.startswith(str(users_python.parents[1])), loaded
    said = done.stdout
    assert 'note: Revealed type is "backtest.market.market.Market"' in said
    assert 'note: Revealed type is "strategies.historical.HistoricalVaR"' in said
    assert "-> backtest.replay.study.Study" in said
    treasury = 'note: Revealed type is "backtest.instruments.treasury.Treasury"'
    assert said.count(treasury) == 2  # the bare name too
    assert 'Module has no attribute "load_markt"' in said
    assert 'Unexpected keyword argument "lookbak"' in said
    assert 'Argument "confidence" to "Coverage" has incompatible type "str"' in said


def fits_a_screen(text):
    lines = text.splitlines()
    return len(lines) <= 24 and max(map(len, lines)) <= 80


def test_what_prints_unasked_fits_a_screen_and_says_what_is_next(study, market, book):
    text = repr(study)
    assert fits_a_screen(text), text
    assert "SIMULATED" in text and "study.summary()" in text and "3 more models" in text
    ladder = bt.supportable_offset(market, book, base=st.HistoricalVaR(lookback=60), bounds=False)
    mc = bt.monte_carlo(
        bt.StationaryBootstrap(), market, book, {"var": st.HistoricalVaR(lookback=60)}, paths=2
    )
    for thing in (ladder, mc):
        assert "Next: " in repr(thing) and max(map(len, repr(thing).splitlines())) <= 100
    for thing in (market, book):
        assert len(repr(thing)) < 200 and "\n" not in repr(thing)


def test_notebooks_show_tables_and_escape_what_users_wrote(study, market, book):
    ladder = bt.supportable_offset(market, book, base=st.HistoricalVaR(lookback=60), bounds=False)
    mc = bt.monte_carlo(
        bt.StationaryBootstrap(), market, book, {"var": st.HistoricalVaR(lookback=60)}, paths=2
    )
    named = bt.Market.from_frame(market.to_frame(), source=HOSTILE)
    for thing in (study, ladder, mc, book, named):
        page = thing._repr_html_()
        assert "<table" in page and "<script>" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"book": lambda m, b: b.to_frame()},
            "book is a DataFrame; pass a Book: bt.Book.from",
        ),
        ({"market": lambda m, b: "prices"}, r"market is a str; pass a Market: bt.load_market\('pr"),
        ({"market": lambda m, b: m.to_frame()}, "pass a Market: bt.Market.from_frame"),
        ({"models": lambda m, b: st.Siloed()}, r"models is a Siloed; .*\{'siloed': Siloed\("),
        ({"models": lambda m, b: [st.Siloed()]}, r"models is a list; .*\{'siloed': Siloed\("),
        ({"models": lambda m, b: "siloed"}, r"models is a str; .*\{'historicalvar': Hist"),
        ({"models": lambda m, b: {"var": st.Siloed}}, r"model 'var' is a class; call it: Siloed\("),
        ({"models": lambda m, b: {"var": 500}}, "model 'var' is of type int; pass an object with"),
    ],
)
def test_what_is_passed_by_mistake_gets_one_sentence(change, said, market, book):
    given = {"market": market, "book": book, "models": {"var": st.HistoricalVaR(lookback=60)}}
    given |= {name: make(market, book) for name, make in change.items()}
    with pytest.raises(bt.StudyError, match=said) as refused:
        bt.run(given["market"], given["book"], given["models"])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: st.HistoricalVaR(500), r"by name: HistoricalVaR\(lookback=500\)\."),
        (lambda: st.HistoricalVaR(lookback=5), r"HistoricalVaR\.lookback is 5: Input should be"),
        (lambda: st.HistoricalVaR(lookbak=500), r"HistoricalVaR\.lookbak is 500: Unexpected"),
        (lambda: st.HistoricalVaR(lookback="500"), "lookback is '500': Input should be"),
    ],
)
def test_a_wrong_parameter_is_one_line_without_a_foreign_address(make, said):
    with pytest.raises(bt.StudyError, match=said) as refused:
        make()
    assert "\n" not in str(refused.value)
    assert "http" not in "".join(format_exception(refused.value))  # as an uncaught error prints


def test_a_check_of_several_parameters_is_said_as_it_was_written():
    @model
    class Band:
        low: float = 0.0
        high: float = 1.0

        def __post_init__(self):
            if self.low > self.high:
                raise ValueError("low is above high")

        def margin(self, market, book, coverage):
            return np.zeros((len(market.dates), len(book.portfolios)))

    with pytest.raises(bt.StudyError, match=r"^Band: low is above high\.$"):
        Band(low=2.0)


def test_a_model_without_parameters_says_so():
    @model
    class Nothing:
        def margin(self, market, book, coverage):
            return np.zeros((len(market.dates), len(book.portfolios)))

    with pytest.raises(bt.StudyError, match=r"Nothing has no parameters; write Nothing\(\)"):
        Nothing(1)
