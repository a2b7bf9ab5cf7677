"""CITATION.cff is valid, and says what the package says of itself."""

import tomllib

import yaml

import backtest as bt
from tests.support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
# The keys of version 1.2.0 of the Citation File Format that are used here; four are required.
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {"type", "abstract", "version", "license", "keywords"}


def test_the_citation_has_the_keys_of_its_format():
    assert set(CITATION) >= REQUIRED and set(CITATION) <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert all(isinstance(CITATION[key], str) for key in ALLOWED - {"authors", "keywords"})
    # An entity has a name, a person a family name; nobody is invented here.
    assert all(set(author) == {"name"} for author in CITATION["authors"])


def test_the_citation_agrees_with_the_package():
    project = PROJECT["project"]
    assert CITATION["title"] == project["name"] and CITATION["version"] == bt.__version__
    assert CITATION["license"] == project["license"]
    assert CITATION["abstract"] == project["description"]
    assert CITATION["authors"] == project["authors"]
    assert "/CITATION.cff" in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
