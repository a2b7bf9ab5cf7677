"""Machine code on disk: never older than the sources, never in the way."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import backtest
from backtest.kernels.compile import SAID

INNER = """
from backtest.kernels.compile import kernel

@kernel
def inner(x):
    return {factor} * x
"""
OUTER = """
from backtest.kernels.compile import kernel
from backtest.kernels.inner import inner

@kernel
def outer(x):
    return inner(x) + 1.0
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package's ground floor with a kernel that calls one of another file."""
    source, folder = Path(backtest.__file__).parent, tmp_path / "backtest"
    shutil.copytree(
        source / "kernels", folder / "kernels", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(source / "types.py", folder)
    (folder / "__init__.py").write_text("")
    (folder / "kernels" / "inner.py").write_text(INNER.format(factor=2.0))
    (folder / "kernels" / "outer.py").write_text(OUTER)
    return folder


def started(
    package: Path, given: str, first: str = "", **environment: str
) -> "subprocess.Popen[str]":
    """A new process that prints outer(given), and how many kernels came from disk."""
    code = (
        f"{first}from backtest.kernels.outer import outer; value = outer({given});"
        "print(value, sum(outer.stats.cache_hits.values()))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(package: Path, given: str = "10.0", **environment: str) -> tuple[float, int, str]:
    """outer(given) in a new process, how many kernels came from disk, and what stderr says."""
    printed, said = started(package, given, **environment).communicate()
    value, hits = printed.split()
    return float(value), int(hits), said


def machine_code(package: Path) -> list[Path]:
    return sorted((package / "kernels" / "__pycache__").glob("kernels-*/outer*.nb?"))


def test_a_change_in_a_kernel_that_another_calls_is_seen(package: Path) -> None:
    assert answer(package) == (21.0, 0, "")
    assert answer(package) == (21.0, 1, "")  # from disk
    (package / "kernels" / "inner.py").write_text(INNER.format(factor=3.0))
    assert answer(package) == (31.0, 0, "")
    assert len(machine_code(package)) == 1  # the newest sources' alone


def test_a_change_in_a_kernel_that_none_calls_compiles_nothing_again(package: Path) -> None:
    (package / "kernels" / "other.py").write_text(INNER.format(factor=1.0))
    assert answer(package) == (21.0, 0, "")
    (package / "kernels" / "other.py").write_text(INNER.format(factor=5.0))
    assert answer(package) == (21.0, 1, "")


def test_a_change_two_imports_away_is_seen(package: Path) -> None:
    """The value comes from a third file, by whichever form of import."""
    forms = ("from backtest.kernels.deep import three", "from backtest.kernels import deep")
    for form, use in zip(forms, ("three", "deep.three"), strict=True):
        inner = INNER.replace("{factor}", use)
        inner = inner.replace("import kernel\n", f"import kernel\n{form}\n")
        (package / "kernels" / "inner.py").write_text(inner)
        for value in (2.0, 3.0):
            (package / "kernels" / "deep.py").write_text(f"three = {value}")
            assert answer(package) == (10.0 * value + 1.0, 0, "")
            assert answer(package) == (10.0 * value + 1.0, 1, "")


def test_a_kernel_elsewhere_is_never_older_than_what_it_calls(package: Path) -> None:
    """Its sources are not among those that are hashed."""
    own = package.parent / "own.py"
    own.write_text(OUTER.replace("backtest.kernels.inner", "own_inner"))
    code = "from own import outer; print(outer(10.0))"
    for factor, value in ((2.0, "21.0"), (3.0, "31.0")):
        (package.parent / "own_inner.py").write_text(INNER.format(factor=factor))
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=package.parent,
            env={**os.environ, "PYTHONPATH": str(package.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == value


def test_processes_compile_at_once_for_different_arguments_and_some_are_killed(
    package: Path,
) -> None:
    """Each gets its own answer, and afterwards all of it is on disk."""
    arguments = ("10.0", "10") * 4
    killed = [started(package, "10.0") for _ in range(4)]
    with ThreadPoolExecutor(len(arguments)) as pool:
        answers = pool.map(lambda given: answer(package, given), arguments)
        for later, process in enumerate(killed, start=1):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.4 * later)  # import, compilation, writing: whatever it is at
            process.kill()
            process.communicate()
        assert [(value, said) for value, _, said in answers] == [(21.0, "")] * len(arguments)
    for given in ("10.0", "10"):
        assert answer(package, given) == (21.0, 1, "")


def test_code_of_two_signatures_has_two_names_even_if_neither_saw_the_other(package: Path) -> None:
    """As two processes write it that both found an empty folder: none takes the other's place."""
    kept = []
    for given in ("10.0", "10"):
        assert answer(package, given) == (21.0, 0, "")
        [file] = machine_code(package)
        kept.append((file, file.read_bytes()))
        file.unlink()
    for file, content in kept:
        file.write_bytes(content)
    for given in ("10.0", "10"):
        assert answer(package, given) == (21.0, 1, "")


def test_a_process_killed_before_its_code_is_whole_leaves_none(package: Path) -> None:
    """A kill at the last moment: all is written, nothing has its name yet."""
    last = "import os; os.replace = lambda *names: os.kill(os.getpid(), 9);"
    done = started(package, "10.0", last)
    assert done.wait() == -9
    done.communicate()
    assert not machine_code(package)
    assert answer(package) == (21.0, 0, "")
    assert answer(package) == (21.0, 1, "")


@pytest.mark.parametrize("damage", ["empty", "half", "one bit"])
def test_damaged_machine_code_is_compiled_again(package: Path, damage: str) -> None:
    answer(package)
    [file] = machine_code(package)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= damage == "one bit"
    size = {"empty": 0, "half": len(content) // 2}.get(damage, len(content))
    file.write_bytes(content[:size])
    assert answer(package) == (21.0, 0, "")
    assert answer(package) == (21.0, 1, "")  # it was written again, whole


def test_a_run_without_a_place_for_machine_code_says_so_once(package: Path) -> None:
    (package / "kernels" / "__pycache__").write_text("no folder")
    value, hits, said = answer(package, HOME="/dev/null", XDG_CACHE_HOME="/dev/null")
    assert (value, hits) == (21.0, 0)
    assert said.count("\n") == 1 and said.startswith("backtest: kernels are compiled anew")


def test_workers_do_not_say_it_again(package: Path) -> None:
    (package / "kernels" / "__pycache__").write_text("no folder")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", SAID: "1"}
    assert answer(package, **nowhere) == (21.0, 0, "")


CONSTANTS = """
from backtest.kernels.compile import kernel
from backtest.kernels.inner import inner

@kernel
def outer(x):
    total = 0
    for _ in range(3):
        total = inner(total) + 1
    return total + inner(2) + x
"""


def test_a_kernel_is_compiled_once_for_all_constants(package: Path) -> None:
    """That a counter begins with 0 is no other kind of number."""
    (package / "kernels" / "outer.py").write_text(CONSTANTS)
    (package / "kernels" / "inner.py").write_text(INNER.format(factor=2))
    assert answer(package) == (21.0, 0, "")
    assert len(list(machine_code(package)[0].parent.parent.glob("kernels-inner-*/*.nbc"))) == 1
