"""Results folders: complete or not there, and no run loses its work to another."""

import pytest

import backtest as bt
from backtest.present.folder import check_writable, remove_abandoned, results_folder


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path):
    with results_folder(tmp_path, "small_12345678") as first:
        (first.partial / "a.txt").write_text("first")
        with results_folder(tmp_path, "small_12345678") as second:
            (second.partial / "a.txt").write_text("second")
    with results_folder(tmp_path, "small_12345678") as third:
        pass
    assert len({first.final, second.final, third.final}) == 3
    assert (first.final / "a.txt").read_text() == "first"
    assert (second.final / "a.txt").read_text() == "second"
    assert sorted(tmp_path.iterdir()) == [first.final, second.final, third.final]
    assert first.final.name == f"{first.stamp}_small_12345678"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (OSError(28, "No space left on device"), bt.ResultsError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (bt.StudyError("wrong"), bt.StudyError),
    ],
)
def test_what_fails_leaves_nothing(tmp_path, error, shown):
    with pytest.raises(shown), results_folder(tmp_path, "small") as folder:
        (folder.partial / "a.txt").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_names_too_long_are_refused_before_the_work(tmp_path):
    with pytest.raises(bt.ResultsError, match="File name too long; choose another"):
        check_writable(tmp_path / ("x" * 300))
    with pytest.raises(bt.ResultsError, match="File name too long"):
        with results_folder(tmp_path, "x" * 300):
            pass


def test_what_a_killed_run_left_is_removed_and_that_of_a_live_one_is_not(tmp_path):
    left = tmp_path / "20260101T000000Z_small_12345678.partial"
    left.mkdir()
    (left / "a.txt").write_text("half")
    others = [tmp_path / "film.partial", tmp_path / "20260101T000000Z_small_12345678"]
    for other in others:
        other.mkdir()
    with results_folder(tmp_path, "small_12345678") as live:
        assert remove_abandoned(tmp_path) == [left]
        assert not left.exists() and live.partial.is_dir()
        assert all(other.is_dir() for other in others)
    assert live.final.is_dir() and remove_abandoned(tmp_path) == []


def test_nothing_is_written_inside_a_results_folder(tmp_path):
    with results_folder(tmp_path, "small_12345678") as folder:
        for name in ("manifest.json", "page.json"):
            (folder.partial / name).write_text("{}")
    for inside in (folder.final, folder.final / "more" / "of it"):
        with pytest.raises(bt.ResultsError, match="is inside the results folder .*_small_12345678"):
            check_writable(inside)
    check_writable(tmp_path)
    assert sorted(f.name for f in folder.final.iterdir()) == ["manifest.json", "page.json"]
