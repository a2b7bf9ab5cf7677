"""`backtest doctor` sees what is wrong, says what to do, and finds nothing where nothing is."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from backtest.cli.doctor import Check, examine, machine, places, software
from backtest.data.cache import MANIFEST
from backtest.kernels.compile import KernelCache
from backtest.kernels.netting import netted_margin
from tests.support.commands import typed
from tests.support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def found(folder: Path) -> dict[str, Check]:
    return {check.what: check for check in examine(folder / "results", folder / "data_cache")}


def test_a_whole_installation_has_nothing_to_mend(tmp_path):
    done = typed("doctor", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[-1] == "nothing to mend"
    for requirement in PROJECT["dependencies"]:
        name, least = requirement.split(">=")
        assert f"ok       {name}: {version(name)} (needs >={least})" in lines
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind
    assert not [line for line in lines if line.startswith("to mend")]


def test_extras_are_those_of_the_project_and_none_of_developers():
    stated = software.needs()
    assert {n: set(lines) for n, lines in stated.extras.items()} == {
        name: set(lines) for name, lines in PROJECT["optional-dependencies"].items()
    }
    assert set(stated.dependencies) == set(PROJECT["dependencies"])
    names = {check.what for check in software.dependencies()}
    assert "typst (for [report])" in names and not [name for name in names if "pytest" in name]


def test_a_checkout_that_is_not_installed_knows_its_needs(monkeypatch):
    installed = software.needs()

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(software, "metadata", absent)
    checkout = software.needs()
    assert set(checkout.dependencies) == set(installed.dependencies)
    assert checkout.python == installed.python == PROJECT["requires-python"]


def test_an_old_an_absent_and_a_broken_dependency_are_told_apart(monkeypatch, tmp_path):
    def versions(name):
        if name == "typst" or name == "scipy":
            raise PackageNotFoundError(name)
        return "1.26.4" if name == "numpy" else version(name)

    def load(module):
        if module == "pyarrow":
            raise ImportError("libarrow.so: cannot open")

    monkeypatch.setattr(software, "version", versions)
    monkeypatch.setattr(software.importlib, "import_module", load)
    lines = {check.what: check for check in software.dependencies()}
    assert lines["numpy"].status == lines["scipy"].status == lines["pyarrow"].status == "to mend"
    assert lines["numpy"].words == "numpy: 1.26.4 (needs >=2.0); `pip install 'numpy>=2.0'`"
    assert "not installed" in lines["scipy"].found
    assert "libarrow.so: cannot open" in lines["pyarrow"].found
    assert lines["typst (for [report])"].status == "optional"
    assert lines["pandas"].status == "ok"


def test_an_old_python_is_to_mend(monkeypatch):
    monkeypatch.setattr(software.platform, "python_version", lambda: "3.10.2")
    (check,) = software.python()
    assert check.status == "to mend" and "3.11" in check.mend and "3.10.2" in check.found


def test_a_folder_that_cannot_be_written_is_to_mend(tmp_path):
    (tmp_path / "file").write_text("")
    done = typed("doctor", "--out", "file/results", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("to mend")]
    assert "file/results/: cannot be written: Not a directory; choose another with --out" in line
    assert done.stdout.splitlines()[-1] == "1 to mend"


def test_fetched_prices_that_were_changed_are_to_mend(tmp_path):
    assert places.fetched_prices(tmp_path)[0].status == "ok"
    (tmp_path / MANIFEST).write_text("{")
    (check,) = places.fetched_prices(tmp_path)
    assert check.status == "to mend" and MANIFEST in check.found


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """A folder that numba takes for that of the kernels' machine code."""
    cache = object.__new__(KernelCache)
    place = tmp_path / "kernels-netting-0123456789abcdef"
    place.mkdir()
    cache._cache_path = str(place)
    monkeypatch.setattr(netted_margin, "_cache", cache)
    (check,) = places.kept_kernels()
    assert check.status == "ok" and check.found.startswith("0 in ")
    return place


def test_machine_code_that_is_not_whole_is_counted(kept):
    import hashlib

    code = b"machine code"
    (kept / "whole.nbc").write_bytes(hashlib.sha256(code).digest() + code)
    (check,) = places.kept_kernels()
    assert check.status == "ok" and "sha256 of 1 right" in check.found
    (kept / "cut.nbc").write_bytes((hashlib.sha256(code).digest() + code)[:-1])
    (check,) = places.kept_kernels()
    assert check.status == "to mend" and check.found.startswith("2 in ")
    assert "sha256 of 1 right" in check.found and str(kept.parent) in check.mend


def test_no_folder_for_machine_code_is_to_mend(kept, monkeypatch):
    kept.rmdir()
    kept.parent.rmdir()
    kept.parent.write_text("a file stands in the way")
    (check,) = places.kept_kernels()
    assert check.status == "to mend" and "NUMBA_CACHE_DIR" in check.mend
    monkeypatch.setattr(netted_margin, "_cache", None)
    (check,) = places.kept_kernels()
    assert check.status == "to mend" and "NUMBA_CACHE_DIR" in check.mend


def test_the_first_kernel_answers_and_a_wrong_answer_is_seen(monkeypatch):
    (check,) = places.first_kernel()
    assert check.status == "ok" and " s to its first answer" in check.found
    import backtest.kernels.netting as netting

    wrong = type("Wrong", (), {"stats": check, "__call__": lambda *a: a[-1].fill(35.0)})()
    wrong.stats = netting.netted_margin.stats
    monkeypatch.setattr(netting, "with_margin", wrong)
    (check,) = places.first_kernel()
    assert check.status == "to mend" and "35.0" in check.mend


def test_little_memory_is_to_mend(monkeypatch):
    import backtest.memory

    monkeypatch.setattr(backtest.memory, "memory_left", lambda: 0.5 * 2**30)
    _, memory = machine.machine()
    assert memory.status == "to mend" and memory.found == "0.5 GiB left"


def test_a_missing_type_is_to_mend(monkeypatch):
    import backtest.present.lettering

    assert machine.fonts()[0].status == "ok"
    monkeypatch.setattr(backtest.present.lettering, "FONT", "No Such Type")
    assert machine.fonts()[0].status == "to mend"


def test_a_check_that_fails_is_a_line_and_the_others_follow(monkeypatch, tmp_path):
    def broken():
        raise RuntimeError("numba is of another machine")

    monkeypatch.setattr(places, "first_kernel", broken)
    lines = found(tmp_path)
    assert lines["first kernel"].status == "to mend"
    assert "RuntimeError: numba is of another machine" in lines["first kernel"].found
    assert lines["memory"].status == "ok"
