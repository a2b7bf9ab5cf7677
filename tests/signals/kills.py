"""One command, ended by a signal at a chosen moment of its life; what it left behind."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.commands import backtest, write_prices, write_study

SECONDS_TO_END = 30.0  # of one that was asked to; a machine under load is slow
SECONDS_OF_ORPHANS = 3.0
LINE = b"backtest: interrupted"
COMMANDS = {
    "run": ("run",),
    "run, 2 workers": ("run", "--n-jobs", "2"),
    "Monte Carlo, 2 workers": ("run", "--paths", "12", "--n-jobs", "2"),
    "offset": ("offset",),
    "offset, 2 workers": ("offset", "--n-jobs", "2"),
}
ASKED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
# How a command is ended: the signal, whether all of its processes get it, and how often.
WAYS = {
    "kill -INT": (signal.SIGINT, False, 1),
    "Ctrl-C": (signal.SIGINT, True, 1),
    "Ctrl-C twice": (signal.SIGINT, True, 2),
    "kill": (signal.SIGTERM, False, 1),
    "kill twice": (signal.SIGTERM, False, 2),
    "batch system": (signal.SIGTERM, True, 1),
    "terminal closed": (signal.SIGHUP, True, 1),
    "kill -KILL": (signal.SIGKILL, False, 1),
}


@dataclass(frozen=True)
class Kill:
    """A command and how it is ended: after which stage it said, and how many seconds later."""

    command: tuple[str, ...]
    way: str
    stage: str
    later: float
    gap: float  # seconds to the second signal


@dataclass
class Ended:
    """A command that was ended: its code, and each thing that is not as it should be."""

    kill: Kill
    code: int
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0  # from the signal to the end
    said: str = ""  # on stderr


class Place:
    """A folder with a small study, where commands are run and ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_prices(folder / "prices")
        write_study(folder)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.environment: Mapping[str, str] = os.environ | {
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
        }

    def life(self, command: tuple[str, ...]) -> list[tuple[str, float]]:
        """Each stage that the command says, and how long it takes; '' is its start."""
        running = self._start(command, "whole")
        said, times = [""], [time.monotonic()]
        while running.poll() is None:
            for stage in self._stages("whole")[len(said) - 1 :]:
                said.append(stage)
                times.append(time.monotonic())
            time.sleep(0.02)
        times.append(time.monotonic())
        assert running.returncode == 0, (self.folder / "whole.err").read_text()
        return [(s, b - a) for s, a, b in zip(said, times, times[1:], strict=False)]

    def end(self, kill: Kill, name: str) -> Ended:
        """Run a command with results in a folder `name`, end it, and look at what is left."""
        running = self._start(kill.command, name)
        while kill.stage and kill.stage not in self._stages(name) and running.poll() is None:
            time.sleep(0.01)
        while not _listens(running.pid) and running.poll() is None:
            time.sleep(0.01)
        time.sleep(kill.later)
        number, to_all, times = WAYS[kill.way]
        asked = time.monotonic()
        for i in range(times):
            if running.poll() is None:
                (os.killpg if to_all else os.kill)(running.pid, number)
            if i + 1 < times:
                time.sleep(kill.gap)
        try:
            ended = Ended(kill, running.wait(SECONDS_TO_END))
        except subprocess.TimeoutExpired:
            ended = Ended(kill, 0, ["did not end"])
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        ended.seconds = time.monotonic() - asked
        ended.said = (self.folder / f"{name}.err").read_text(errors="replace")
        ended.faults += self._processes(running.pid)
        ended.faults += self._words(name, ended.code, number)
        ended.faults += self._folders(name, killed=ended.code == -signal.SIGKILL)
        ended.faults += self._disk(running.pid)
        return ended

    def _start(self, command: tuple[str, ...], name: str) -> subprocess.Popen[bytes]:
        with (
            open(self.folder / f"{name}.out", "wb") as out,
            open(self.folder / f"{name}.err", "wb") as err,
        ):
            return subprocess.Popen(
                [sys.executable, "-m", "backtest", *command, "study.toml", "--out", name],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=err,
                start_new_session=True,  # its number is that of all processes it starts
                preexec_fn=_listening,
            )

    def _stages(self, name: str) -> list[str]:
        lines = (self.folder / f"{name}.out").read_text(errors="replace").splitlines()
        return [line[4:] for line in lines if line.startswith("... ")]

    def _words(self, name: str, code: int, number: int) -> list[str]:
        """An exit code that tells the signal, at most one line, never a traceback."""
        out, err = ((self.folder / f"{name}.{s}").read_bytes() for s in ("out", "err"))
        right = {ASKED.get(number, -number), 0}
        faults = [] if code in right else [f"exit code {code}"]
        # After a SIGKILL joblib's process that removes semaphores says how many there were.
        said = err.splitlines() if code != -signal.SIGKILL else []
        if b"Traceback" in err + out:
            faults.append("traceback")
        elif len(said) > 1:
            faults.append("more than one line")
        elif said and not said[0].startswith(LINE):
            faults.append("another line")
        return faults

    def _folders(self, name: str, *, killed: bool) -> list[str]:
        """Whole results, finished blocks or nothing; of one that was killed, what a run finds."""
        out = self.folder / name
        left = sorted(out.iterdir()) if out.exists() else []
        partial = [p for p in left if p.suffix == ".partial"]
        faults = []
        if partial and not killed:
            faults.append(".partial left")
        if partial and killed:
            # The study is refused, but only after what lies there was looked at.
            done = backtest("offset", "absent.toml", "--out", name, cwd=self.folder)
            if not done.stderr.startswith(f"removed {name}/{partial[0].name}, "):
                faults.append(".partial not named by the next run")
            if partial[0].exists():
                faults.append(".partial left by the next run")
        # Finished blocks stay, for --resume; a folder without any is left by a kill alone.
        blocks = [p for p in left if p.suffix == ".blocks"]
        if not killed and any(not any(p.glob("block-*.npz")) for p in blocks):
            faults.append("empty .blocks left")
        for folder in set(left) - set(partial) - set(blocks):
            if not (folder / "report.html").is_file() or not (folder / "manifest.json").is_file():
                faults.append("half a folder")
            elif "-offset_" not in folder.name:
                done = backtest("report", folder, cwd=self.folder)
                if done.returncode:
                    faults.append("report refuses the folder")
        return faults

    def _processes(self, session: int) -> list[str]:
        deadline = time.monotonic() + SECONDS_OF_ORPHANS
        while (alive := processes_of(session)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
        return ["orphans"] if alive else []

    def _disk(self, pid: int) -> list[str]:
        names = (f"joblib_memmapping_folder_{pid}_*", f"sem.loky-{pid}-*")
        shared = [path for name in names for path in Path("/dev/shm").glob(name)]
        left = [*self.temporary.iterdir(), *shared]
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return sorted({f"{path.name.split('_')[0].split('-')[0]} left" for path in left})


def _listens(pid: int) -> bool:
    """False while Python starts, which ends by the signal itself and may say so."""
    caught = Path(f"/proc/{pid}/status").read_text().split("SigCgt:")[-1].split()[0]
    return bool(int(caught, 16) >> (signal.SIGHUP - 1) & 1)


def plan(place: Place, command: tuple[str, ...], count: int, seed: int) -> list[Kill]:
    """Moments spread over the life of a command, each way of ending it equally often."""
    life = place.life(command)
    generator = random.Random(seed)
    ways = [way for _ in range(count) for way in WAYS][:count]
    generator.shuffle(ways)
    whole = sum(seconds for _, seconds in life)
    kills = []
    for i, way in enumerate(ways):
        moment, begun = (i + generator.random()) / count * whole, 0.0
        for stage, seconds in life:
            if moment < begun + seconds:
                kills.append(Kill(command, way, stage, moment - begun, generator.random() * 0.3))
                break
            begun += seconds
    return kills


def _listening() -> None:
    """Tests in the background of a shell hand on a Ctrl-C that is ignored."""
    for number in ASKED:
        signal.signal(number, signal.SIG_DFL)


def processes_of(session: int) -> list[int]:
    """Numbers of the living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = stat.read_text().rsplit(") ", 1)[1].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(of) == session and state not in "ZX":
            found.append(int(stat.parent.name))
    return found
