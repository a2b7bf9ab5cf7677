"""Versions of Python and of every dependency, against the least that the package needs."""

import importlib
import platform
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions, version
from pathlib import Path

from backtest.cli.doctor import Check

PACKAGE = "margin-backtest"
OURS = Path(__file__).resolve().parents[3]  # the folder of pyproject.toml, in a checkout
WORK_ON_IT = "dev"  # the extra of who changes the package: nobody else misses it


@dataclass(frozen=True)
class Needs:
    """What the package says it needs: versions of Python, dependencies, and extras by name."""

    python: str
    dependencies: tuple[str, ...]
    extras: dict[str, tuple[str, ...]]


def needs() -> Needs:
    """The needs as the installed package states them, or the checkout that is run in its place.

    Examples
    --------
    >>> any(line.startswith("numpy") for line in needs().dependencies)
    True
    """
    try:
        stated = metadata(PACKAGE)
    except PackageNotFoundError:
        project = tomllib.loads((OURS / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        return Needs(
            project["requires-python"],
            tuple(project["dependencies"]),
            {name: tuple(lines) for name, lines in extras.items()},
        )
    from packaging.requirements import Requirement

    plain: list[str] = []
    by_extra: dict[str, list[str]] = {e: [] for e in stated.get_all("Provides-Extra") or ()}
    for line in stated.get_all("Requires-Dist") or ():
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        if marker is None or marker.evaluate({"extra": ""}):
            plain.append(str(requirement))
            continue
        for extra, lines in by_extra.items():
            if marker.evaluate({"extra": extra}):
                lines.append(str(requirement))
    return Needs(
        stated["Requires-Python"],
        tuple(plain),
        {extra: tuple(lines) for extra, lines in by_extra.items()},
    )


def python() -> list[Check]:
    """Version and place of Python, and the system it runs on."""
    from packaging.specifiers import SpecifierSet

    least = needs().python
    this = platform.python_version()
    found = f"{this} at {sys.executable}, {platform.system()} {platform.machine()} (needs {least})"
    newer = SpecifierSet(least).contains(this, prereleases=True)
    return [Check("Python", found, "" if newer else f"make an environment of Python {least}")]


def dependencies() -> list[Check]:
    """Each dependency: its version and whether it can be loaded; then the extras."""
    stated = needs()
    checks = [checked(line) for line in stated.dependencies]
    for extra, lines in stated.extras.items():
        if extra == WORK_ON_IT:
            continue
        checks += [checked(line, extra=extra) for line in lines]
    return checks


def checked(requirement: str, *, extra: str = "") -> Check:
    """One dependency, such as 'numpy>=2.0'.

    extra : of which it is part; what is not there is then optional.

    Examples
    --------
    >>> checked("rich>=13").status, checked("rich>=999").status
    ('ok', 'to mend')
    >>> checked("no-such-package>=1", extra="report").status
    'optional'
    """
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    install = f"`pip install '{requirement}'`"
    what = f"{wanted.name} (for [{extra}])" if extra else wanted.name
    try:
        installed = version(wanted.name)
    except PackageNotFoundError:
        found = f"not installed (needs {wanted.specifier})"
        if extra:
            return Check(what, found, f"if you want it: {install}", optional=True)
        return Check(what, found, install)
    found = f"{installed} (needs {wanted.specifier})"
    if not wanted.specifier.contains(installed, prereleases=True):
        return Check(what, found, install)
    for module in modules_of(wanted.name):
        try:
            importlib.import_module(module)
        except Exception as error:  # a library that is missing, or built for another machine
            broken = f"{found}, but {module!r} cannot be loaded: {type(error).__name__}: {error}"
            return Check(what, broken, f"`pip install --force-reinstall '{requirement}'`")
    return Check(what, found)


def modules_of(distribution: str) -> list[str]:
    """Modules that an installed package brings: 'docx' of python-docx.

    Examples
    --------
    >>> modules_of("Jinja2")
    ['jinja2']
    """
    wanted = _canonical(distribution)
    return sorted(
        module
        for module, names in packages_distributions().items()
        if wanted in map(_canonical, names) and module.isidentifier() and module[0] != "_"
    )


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
