"""Results on small random prices that the tests of the annex merge."""

from pathlib import Path

import pandas as pd
import pytest

from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.sheet import Caption
from backtest.present.store import write_exhibit
from backtest.replay.origin import FileHash, Prices, Software
from backtest.replay.provenance import Provenance
from tests.support.commands import run_and_store, typed, write_prices, write_study
from tests.support.markets import random_market

HOSTILE = '<script>alert(1)</script> #panic("x") $y$ \\ [b]x[/b]'


@pytest.fixture(scope="package")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("annex")
    write_prices(folder / "prices", days=520)
    write_study(folder, source=str(folder / "prices"))
    return folder


@pytest.fixture(scope="package")
def run(place: Path) -> Path:
    return run_and_store(place / "study.toml", place / "run", command="backtest run study.toml")


@pytest.fixture(scope="package")
def offset(place: Path) -> Path:
    done = typed("offset", "study.toml", "--out", "offset", cwd=place)
    assert done.returncode == 0, done.stderr
    (folder,) = (place / "offset").iterdir()
    return folder


def made_up(
    out: Path,
    *,
    kind: str,
    simulated: bool = False,
    study: str = "made up",
    sha256: str = "ab" * 32,
) -> Path:
    """The results folder of a kind that no command writes."""
    losses = pd.DataFrame(
        {"loss": [12.5, 3.25], "borne by": [HOSTILE, "default fund"]},
        index=pd.Index(["customer one", "house"], name="account"),
    )

    def paint(canvas):
        panel = canvas(1.0).panel(left=0.5, right=0.1, top=0.0, height=0.8)
        panel.plot([0, 1], [1, 0])
        return panel

    figure = Figure(
        "losses", losses, Caption(f"Customers bear 3.25m. {HOSTILE}", "note", f"alt {HOSTILE}"),
        paint, simulated,
    )  # fmt: skip
    market = random_market(30, seed=1)
    exhibit = Exhibit(
        kind=kind,
        title=f"Who bears it? {HOSTILE}",
        caption="A waterfall.",
        simulated=simulated,
        source_line="30 days of a made-up market.",
        sections=(Section("losses", "Losses by bearer", "USD m.", losses, figure=figure),),
        provenance=Provenance(
            software=Software({"python": "3", "margin-backtest": "9.9"}, commit="c" * 40),
            data=Prices.of(market),
            study={"name": study},
            sha256=sha256,
        ),
        text=f'name = "{study}"\n',
        answer=("The house bears 3.25m of 15.75m.", HOSTILE),
    )
    files = (FileHash("own_prices.csv", "12" * 32), FileHash("btc_usd.csv", "34" * 32))
    object.__setattr__(exhibit.provenance.data, "files", files)
    return write_exhibit(exhibit, out, command=f"backtest {kind} --note '{HOSTILE}'")
