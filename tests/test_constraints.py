"""The pins: each has hashes, and together they are all that pyproject.toml needs anywhere."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.places import ROOT

RUN, DEV = "constraints.txt", "constraints-dev.txt"
PLACES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": machine,
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    for python, (platform, system, machine) in product(
        ("3.11", "3.12", "3.13", "3.14"),
        [
            ("linux", "Linux", "x86_64"),
            ("linux", "Linux", "aarch64"),
            ("darwin", "Darwin", "x86_64"),
            ("darwin", "Darwin", "arm64"),
        ],
    )
]


def pins(file: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Each pin of a file with its hashes, by name."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in filter(None, text.splitlines()):
        if line.startswith(("#", "-r ")):
            continue
        pin, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(pin)
        name = canonicalize_name(requirement.name)
        assert name not in found, f"{name} is twice in {file}"
        found[name] = requirement, hashes
    return found


def needed(requirement: Requirement, place: dict[str, str]) -> Iterator[tuple[str, Requirement]]:
    """A requirement and, as far as packages are installed, what it requires in a place."""
    stack, seen = [requirement], set()
    while stack:
        wanted = stack.pop()
        name = canonicalize_name(wanted.name)
        yield name, wanted
        if (name, *wanted.extras) in seen:
            continue
        seen.add((name, *wanted.extras))
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:  # of another platform
            continue
        for inner in map(Requirement, requires):
            extras = wanted.extras or {""}
            marker = inner.marker
            if marker is None or any(marker.evaluate(place | {"extra": e}) for e in extras):
                stack.append(inner)


@pytest.mark.parametrize("file", [RUN, DEV])
def test_every_pin_has_hashes_and_the_files_name_no_index(file):
    for name, (requirement, hashes) in pins(file).items():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), name
        assert hashes and len(set(hashes)) == len(hashes), name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", value) for value in hashes), name
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


def test_the_pins_are_what_the_project_needs_in_every_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = pins(RUN), pins(DEV)
    extras = project["project"]["optional-dependencies"]
    stated = {
        RUN: [
            *project["project"]["dependencies"],
            *project["build-system"]["requires"],
            *extras["report"],
            *extras["cluster"],
        ],
        DEV: extras["dev"],
    }
    used = {RUN: set(), DEV: set()}
    for (file, requirements), place in product(stated.items(), PLACES):
        allowed = run if file == RUN else run | dev
        for requirement in map(Requirement, requirements):
            for name, wanted in needed(requirement, place):
                used[file].add(name)
                pin = allowed.get(name, (None,))[0]
                assert pin is not None, f"{name} is not pinned in {file}"
                assert pin.marker is None or pin.marker.evaluate(place), f"{name} in {place}"
                version = str(pin.specifier).removeprefix("==")
                assert wanted.specifier.contains(version, prereleases=True), f"{wanted}: {version}"
    assert set(run) == used[RUN] and set(dev) == used[DEV] - used[RUN]
    assert "-r constraints.txt\n" in (ROOT / DEV).read_text(encoding="utf-8")
