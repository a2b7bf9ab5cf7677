"""The program as it was at an earlier commit, beside the one of today in one process."""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backtest", "strategies")


class EarlierCode:
    """The packages of a commit, which take the place of ours while they are in use.

    They are unpacked into a temporary folder, which also keeps their machine code. Functions that
    import something when they are called find their own modules, so that no line of one program
    runs in the other.
    """

    def __init__(self, commit: str) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="earlier-code-")
        self.folder = Path(self._kept.name)
        packed = subprocess.run(
            ["git", "archive", commit, *PACKAGES], cwd=ROOT, capture_output=True, check=False
        )
        if packed.returncode:
            raise SystemExit(
                f"the code of commit {commit} cannot be read here "
                f"({packed.stderr.decode().strip()}); run this in a whole clone of the repository."
            )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(self.folder, filter="data")
        self._modules: dict[str, ModuleType] = {}

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within it, `import backtest` and all that follows from it is the earlier code."""
        ours = _taken_out()
        sys.modules.update(self._modules)
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            self._modules = _taken_out()
            sys.modules.update(ours)


def _taken_out() -> dict[str, ModuleType]:
    """The modules of both packages, which Python no longer knows."""
    names = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
