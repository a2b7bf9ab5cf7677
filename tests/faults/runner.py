"""Each case in a forked process with limits of its own; how it ended."""

import os
import re
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from backtest.studies import COMMANDS
from tests.faults.case import Case, End

GIBIBYTES = 3  # beside what the process has when it begins
SECONDS_AFTER_BEGIN = 10.0  # in which a command that took what it should not have may still fail


@dataclass(frozen=True)
class Outcome:
    """How a case ended, and what was printed on stderr."""

    case: Case
    end: End
    stderr: str

    @property
    def is_right(self) -> bool:
        """True where the end is one of the right ones and says what it must."""
        return self.end in self.case.right and self.case.must_say in self.stderr

    @property
    def verdict(self) -> str:
        """'right', or the kind of the fault in a word or two."""
        if self.is_right:
            return "right"
        if self.end == End.ACCEPTED:
            return "wrong acceptance"
        return "wrong refusal" if self.end == End.REFUSED else str(self.end)


class InputsRead(BaseException):
    """Raised in place of a run: the inputs were accepted."""


def import_all() -> None:
    """Import once, before the forks, what each of them would import."""
    for command in COMMANDS:
        command.load(command.compute)
        command.load(command.exhibit)
    import_module("backtest.studies.run.reopen")


def outcome(case: Case) -> Outcome:
    """Run one case in a child process and an empty folder."""
    with TemporaryDirectory(prefix="fault-") as name:
        folder = Path(name) / "work"
        folder.mkdir()
        for path, content in case.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                (folder / path).mkdir(exist_ok=True)
            else:
                (folder / path).write_bytes(content)
        if case.prepare is not None:
            case.prepare(folder)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _child(case, folder, Path(name))
        code = _wait(child, case, Path(name) / "stdout")
        stderr = (Path(name) / "stderr").read_text(encoding="utf-8", errors="replace")
    return Outcome(case, _end(code, stderr), stderr)


def _child(case: Case, folder: Path, streams: Path) -> None:
    """Never returns: the process ends with the command's exit code, 70 after a traceback."""
    code = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(streams / "stderr", os.O_WRONLY | os.O_CREAT), 2)
        os.dup2(os.open(streams / "stdout", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # The parent's streams may be a test's, closed to this process.
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = held + GIBIBYTES * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        if case.shell:
            os.execv("/bin/sh", ["sh", "-c", case.shell])
        code = _run(case)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(case: Case) -> int:
    from backtest.cli import main
    from backtest.model import guard
    from backtest.studies.grid import study as grid
    from backtest.studies.run import reopen, study

    def read(*_arguments: object, **_options: object) -> None:
        raise InputsRead

    guard.SECONDS_TO_LOAD, guard.SECONDS_TO_OBEY = 3.0, 1.0
    if case.stop_at_inputs:
        reopen.write_page = read
        study.run = read
        grid.compute_cell = read
    try:
        main(list(case.arguments))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except InputsRead:
        return 0
    return 0


def _wait(child: int, case: Case, stdout: Path) -> int | None:
    """Exit code of a child; minus the signal that ended it; None where it had to be killed.

    A command that reports a stage after the prices has begun: it is ended, and counts as accepted.
    """
    begun: float | None = None
    deadline = time.monotonic() + case.seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if case.stop_at_inputs and begun is None and _has_begun(stdout):
            begun = time.monotonic()
            deadline = begun + SECONDS_AFTER_BEGIN
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None if begun is None else 0


def _has_begun(stdout: Path) -> bool:
    lines = stdout.read_bytes().splitlines() if stdout.exists() else []
    return any(line.startswith(b"... ") and line != b"... prices" for line in lines)


def _end(code: int | None, stderr: str) -> End:
    if code is None:
        return End.HANG
    if "MemoryError" in stderr or "Cannot allocate" in stderr or code == -signal.SIGKILL:
        return End.BLOW_UP
    if "Traceback (most recent call last)" in stderr or code < 0:
        return End.TRACEBACK
    # That fewer workers start than were asked for is said before, and is no part of a refusal.
    said = re.sub(r"\A--n-jobs \d+: this machine has \d+ cores?, and so many workers\n", "", stderr)
    is_one_line = said.startswith("backtest: ") and said.count("\n") == 1
    if code == 2 and is_one_line:
        return End.REFUSED
    return {0: End.ACCEPTED, 1: End.FAILED}.get(code, End.UNCLEAR)
