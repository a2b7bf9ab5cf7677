"""Finished blocks of paths: what goes on from them has the same bytes, what is damaged does not."""

import errno
import os
import shutil

import numpy as np
import pytest

import backtest as bt
import strategies as st
from backtest.interrupts import finished
from backtest.replay.kept import Block, kept_blocks
from backtest.simulate import StationaryBootstrap
from backtest.types import ResultsError
from tests.support.commands import quiet

BLOCKS = StationaryBootstrap(block_size=10)
MODELS = {
    "var": st.HistoricalVaR(lookback=60),
    # It counts its fits, which blocks keep too.
    "filtered": st.FilteredHistorical(lookback=60, volatility="garch", fit_lookback=100),
}
BASIS = {"study": {"seed": 3}, "code": {"sources": "ab"}}


class Interrupted(KeyboardInterrupt):
    pass


def keeping(out, *, resume=None, basis=BASIS, unit="paths", total=12, progress=quiet):
    return kept_blocks(
        out, "small_12345678", basis, unit=unit, total=total, resume=resume, progress=progress
    )


def drawn(market, book, models=MODELS, paths=12, **options):
    return bt.monte_carlo(BLOCKS, market, book, models, paths=paths, seed=3, block=2, **options)


def interrupted(out, market, book, paths: int):
    """The folder of a Monte Carlo that was interrupted after so many of 12 paths."""

    def stop(stage: str, share: float) -> None:
        if share >= paths / 12:
            raise Interrupted

    with pytest.raises(Interrupted), keeping(out) as kept:
        drawn(market, book, kept=kept, progress=stop)
    return kept.folder


def saved(made, folder) -> tuple[bytes, ...]:
    names = ("monte_carlo.parquet", "monte_carlo_pooled.parquet", "monte_carlo.csv")
    return tuple((made.save(folder) / name).read_bytes() for name in names)


@pytest.fixture(scope="module")
def whole(small_market, small_book, tmp_path_factory):
    made = drawn(small_market, small_book)
    return made, saved(made, tmp_path_factory.mktemp("whole"))


def resumed(folder, market, book, **options):
    """The finished Monte Carlo, and the shares that it told."""
    shares: list[float] = []
    with keeping(folder.parent, resume=folder) as kept:
        made = drawn(
            market, book, kept=kept, progress=lambda _, share: shares.append(share), **options
        )
    return made, shares


def test_what_goes_on_has_the_bytes_of_what_was_not_interrupted(
    whole, tmp_path, small_market, small_book
):
    folder = interrupted(tmp_path, small_market, small_book, 6)
    assert finished[-1] == f"6 of 12 paths; --resume {folder} goes on"
    assert len(list(folder.glob("block-*.npz"))) == 3
    made, shares = resumed(folder, small_market, small_book, n_jobs=2)
    assert shares[0] == 0.5 and shares[-1] == 1.0
    assert saved(made, tmp_path / "again") == whole[1]
    assert made.provenance.fits == whole[0].provenance.fits


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "other bytes of that name"])
def test_a_damaged_block_is_computed_again(damage, whole, tmp_path, small_market, small_book):
    folder = interrupted(tmp_path, small_market, small_book, 6)
    (file,) = folder.glob("block-00000002-*")
    content = file.read_bytes()
    file.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "changed": content[:-200] + bytes([content[-200] ^ 1]) + content[-199:],
            "other bytes of that name": Block({"scores": np.zeros(2)}, {}).content(),
        }[damage]
    )
    made, shares = resumed(folder, small_market, small_book)
    assert shares[0] == pytest.approx(4 / 12)
    assert saved(made, tmp_path / "again") == whole[1]
    assert len(list(folder.glob("block-00000002-*"))) == 1


def test_more_paths_go_on_and_fewer_take_the_first(whole, tmp_path, small_market, small_book):
    folder = interrupted(tmp_path, small_market, small_book, 12)
    more, shares = resumed(folder, small_market, small_book, paths=15)
    assert shares[0] == 12 / 15 and np.array_equal(
        more.scores[:12], whole[0].scores, equal_nan=True
    )
    fewer, shares = resumed(folder, small_market, small_book, paths=3)
    assert shares[0] == pytest.approx(2 / 3)  # its last block has one path
    assert np.array_equal(fewer.scores, whole[0].scores[:3], equal_nan=True)


def test_blocks_of_other_models_are_computed_again(tmp_path, small_market, small_book):
    """As where a model that the study may do without has failed on some path."""
    folder = interrupted(tmp_path, small_market, small_book, 6)
    made, shares = resumed(folder, small_market, small_book, models={"var": MODELS["var"]})
    assert shares[0] == 0.0
    alone = drawn(small_market, small_book, models={"var": MODELS["var"]})
    assert np.array_equal(made.scores, alone.scores, equal_nan=True)


def test_other_inputs_are_refused_and_what_changed_is_named(tmp_path, small_market, small_book):
    folder = interrupted(tmp_path, small_market, small_book, 4)
    other = {"study": {"seed": 4}, "code": {"sources": "cd"}}
    with pytest.raises(ResultsError, match="study.seed was 3 and is 4; code.sources was 'ab' and"):
        with keeping(tmp_path, resume=folder, basis=other):
            pass
    (folder / "basis.json").write_text("[]")
    with pytest.raises(ResultsError, match="holds no finished paths .basis.json: it is not what"):
        with keeping(tmp_path, resume=folder):
            pass


def test_blocks_of_another_command_on_the_same_study_are_refused_and_stay(
    tmp_path, small_market, small_book
):
    """A grid and a run of one study depend on the same, and would remove each other's blocks."""
    folder = interrupted(tmp_path, small_market, small_book, 4)
    before = sorted(folder.iterdir())
    with pytest.raises(ResultsError, match="holds 'paths' and not cells; give it to the command"):
        with keeping(tmp_path, resume=folder, unit="cells"):
            pass
    assert sorted(folder.iterdir()) == before


def test_a_folder_that_another_process_works_on_is_refused(tmp_path):
    with keeping(tmp_path) as kept:
        with pytest.raises(ResultsError, match="another process computes the paths of"):
            with keeping(tmp_path, resume=kept.folder):
                pass
        with keeping(tmp_path) as second:  # without --resume each has a folder of its own
            assert second.folder != kept.folder
    assert not list(tmp_path.iterdir())  # nothing was finished


def test_the_next_run_names_what_is_left(tmp_path, small_market, small_book):
    folder = interrupted(tmp_path, small_market, small_book, 4)
    said: list[str] = []
    with keeping(tmp_path, progress=lambda what, share: said.append(what)):
        pass
    assert said[0] == f"finished paths of this study are in {folder}: --resume {folder}"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_takes_no_more_is_one_line_and_loses_nothing(
    number, whole, tmp_path, small_market, small_book, monkeypatch
):
    replace, calls = os.replace, []

    def full(aside, file):
        calls.append(file)
        if len(calls) == 3:
            raise OSError(number, os.strerror(number))
        replace(aside, file)

    with monkeypatch.context() as patched, pytest.raises(ResultsError) as refused:
        patched.setattr("backtest.replay.kept.os.replace", full)
        with keeping(tmp_path) as kept:
            drawn(small_market, small_book, kept=kept)
    words = f"{os.strerror(number)}; mend that, then go on with --resume {kept.folder}"
    assert words in str(refused.value)
    made, shares = resumed(kept.folder, small_market, small_book)
    assert shares[0] == pytest.approx(4 / 12) and saved(made, tmp_path / "again") == whole[1]
    with monkeypatch.context() as patched, pytest.raises(ResultsError, match="cannot keep blocks"):
        patched.setattr("backtest.replay.kept.Path.mkdir", raising(OSError(number, "full")))
        with keeping(tmp_path / "other"):
            pass


def raising(error):
    def function(*arguments, **options):
        raise error

    return function


def test_what_is_removed_leaves_what_others_put_there(tmp_path, small_market, small_book):
    folder = interrupted(tmp_path, small_market, small_book, 4)
    (folder / "mine.txt").write_text("a note")
    with keeping(tmp_path, resume=folder) as kept:
        kept.remove()
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
    shutil.rmtree(folder)
