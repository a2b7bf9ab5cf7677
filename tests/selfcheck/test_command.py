"""`backtest selfcheck` as a user meets it."""

import pytest

from backtest.cli import main
from backtest.selfcheck import check

LIGHT = {"families": "families and pairs", "names": "names"}
FAMILIES, NAMES = (len(check.rows_of(module)) for module in LIGHT)


@pytest.fixture
def end(monkeypatch, capsys, tmp_path):
    """Run the command on kinds that compile nothing, here; its exit code and its lines."""
    monkeypatch.setattr(check, "KINDS", LIGHT)
    monkeypatch.setattr(check, "WORKERS", 1)
    monkeypatch.chdir(tmp_path)

    def run() -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as end:
            main(["selfcheck"])
        assert not list(tmp_path.iterdir())
        return int(end.value.code or 0), capsys.readouterr().out.splitlines()

    return run


def test_it_prints_one_line_a_kind_and_what_it_leaves_out(end):
    code, (machine, *kinds, total, left_out) = end()
    assert code == 0
    assert all(word in machine for word in ("margin-backtest", "Python", "numpy", "numba", "BLAS"))
    assert kinds == [
        f"families and pairs: {FAMILIES} of {FAMILIES} right",
        f"names: {NAMES} of {NAMES} right",
    ]
    assert total == f"{FAMILIES + NAMES} of {FAMILIES + NAMES} right"
    assert left_out.startswith("Not checked: your prices")


def test_a_wrong_answer_is_named_and_ends_in_1(end, monkeypatch):
    monkeypatch.setattr("backtest.present.csv_table.NAMES", ())
    code, lines = end()
    assert code == 1
    assert f"names: {NAMES - 1} of {NAMES} right" in lines
    [missing] = [line for line in lines if line.startswith("  wrong: ")]
    assert "books named NA" in missing and "pandas-dev/pandas#55032" in missing


@pytest.mark.slow
def test_all_kinds_are_right_with_workers(capsys):
    with pytest.raises(SystemExit) as end:
        main(["selfcheck"])
    assert not end.value.code
    assert len(capsys.readouterr().out.splitlines()) == len(check.KINDS) + 3
