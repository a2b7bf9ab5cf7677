"""The written pages: numbers that a page repeats are those of the page that measured them."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import strategies as st
from backtest.cli import app
from tests.support.places import ROOT

DOCS = ROOT / "docs"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
NAMED_FILE = re.compile(r"\b(?:docs|tests|backtest|strategies)/[\w/.+-]+\.(?:py|md|toml|csv)\b")
WHICH = (DOCS / "which.md").read_text(encoding="utf-8")
STATISTICS = (DOCS / "statistics.md").read_text(encoding="utf-8")


def rows(text: str, first: str) -> list[list[str]]:
    """Cells of the rows of the table whose head begins with `first`, head first."""
    lines = text[text.index(f"| {first} ") :].split("\n\n")[0].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [table[0], *table[2:]]


def measured(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading of the page of statistics, by test."""
    part = STATISTICS.split(heading)[1]
    return {row[0]: row[1:] for row in rows(part, "test")[1:]}


def test_the_exceedance_tests_have_the_size_and_power_that_were_measured():
    place = {"250": 1, "1,000": 4}  # the column of small-sample p-values, after the test's name
    tables = [
        measured(f"**{heading}**")
        for heading in ("Size: a right model", "Power: twice the rate", "Power: clustered")
    ]
    head, *found = rows(WHICH, "test | days | size | power: twice the rate |")
    assert head[2:] == ["size", "power: twice the rate", "power: clustered"] and len(found) == 12
    for name, days, *shares in found:
        assert shares == [table[name][place[days]] for table in tables], (name, days)


def test_the_forecast_tests_have_the_size_and_power_that_were_measured():
    table = measured("### Expected shortfall and densities")
    head, *found = rows(WHICH, "test | days | size, normal |")
    assert len(head) == 6 and len(found) == 9
    for name, days, *shares in found:
        later = {"250": 0, "1,000": 1}[days]
        assert shares == table[name][later::2], (name, days)


def test_the_head_of_the_measured_tables_is_as_this_test_reads_it():
    head = rows(STATISTICS.split("**Size: a right model**")[1], "test")[0]
    assert head[1:6] == ["250 d, 99 %: chi2", "small", "n.i.", "1,000 d, 99 %: chi2", "small"]
    head = rows(STATISTICS.split("### Expected shortfall and densities")[1], "test")[0]
    assert [cell.split()[-2] for cell in head[1:]] == ["250", "1,000"] * 4


def test_every_model_named_by_kind_exists():
    """The tables of models name kinds of the registry, and the page of models all of them."""
    for page in ("which.md", "models.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        table = text.split("| need |" if page == "which.md" else "| family |")[1].split("\n\n")[0]
        column = 2 if page == "which.md" else 2
        named = {
            kind
            for line in table.splitlines()[2:]
            for kind in re.findall(r"`(\w+)`", line.split("|")[column])
        }
        assert named and named - set(st.MODELS) - {"credit"} == set()
        if page == "models.md":
            assert named == set(st.MODELS)


@pytest.mark.parametrize(
    "page", sorted(p for p in DOCS.rglob("*.md") if "_site" not in p.parts), ids=lambda p: p.stem
)
def test_links_between_pages_lead_to_files(page: Path):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_contents_name_pages():
    """A page that they do not name is listed by the build, after the others."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = {
        line.strip()
        for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith(":")
    }
    elsewhere = {"CONTRIBUTING", "SECURITY", "CHANGELOG"}
    pages = {str(p.relative_to(DOCS).with_suffix("")) for p in DOCS.rglob("*.md")}
    assert len(named) > 20 and named - elsewhere <= pages


def test_the_start_page_holds_the_columns_that_a_folder_needs():
    """The files of the ten minutes are those that the README names."""
    start = (DOCS / "start.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files = set(re.findall(r"`(\w+\.csv)`", start)) - {"treasury_futures_front_unadjusted.csv"}
    assert files == {"treasury_par_yields.csv", "btc_usd.csv", "eth_usd.csv"}
    assert all(f"`{file}`" in readme for file in files)


@pytest.mark.parametrize(
    "page",
    # The page of a command has one that is not there yet.
    sorted({*DOCS.glob("*.md"), *HOW_TO, ROOT / "README.md"} - {DOCS / "how-to/study-command.md"}),
    ids=lambda p: p.stem,
)
def test_commands_to_type_are_commands_with_their_options(page: Path):
    """Every line of shell that begins with `backtest`, and every command that a sentence names."""
    commands = typer.main.get_command(app).commands
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0] for block in blocks for line in block.splitlines()]
    typed = [line for line in lines if line.startswith("backtest ")]
    typed += [" ".join(code.split()) for code in re.findall(r"`(backtest [a-z][^`|]*)`", text)]
    for line in typed:
        name, *words = shlex.split(line.replace("[", " ").replace("]", " ").replace("...", ""))[1:]
        if name.isupper():  # the place of a name
            continue
        assert name in commands, line
        options = {o for parameter in commands[name].params for o in parameter.opts} | {"--help"}
        named = {word.split("=")[0] for word in words if word.startswith("--")}
        assert named <= options, f"{page.name}: {line}"


def test_files_that_pages_and_sources_name_are_there():
    """In the text of pages, docstrings, comments; the files that a page tells to write are not."""
    texts = [*DOCS.glob("*.md"), *HOW_TO, *ROOT.glob("*.md"), ROOT / "pyproject.toml"]
    texts += [f for room in ("backtest", "strategies", "tests") for f in (ROOT / room).rglob("*.*")]
    written = {
        file for page in HOW_TO for file in re.findall(r"^## \d+\. `(\S+)`", page.read_text(), re.M)
    }
    absent = {}
    for text in texts:
        if text.suffix in (".py", ".md", ".toml") and text.name != "CHANGELOG.md":
            named = set(NAMED_FILE.findall(text.read_text(encoding="utf-8"))) - written
            absent |= {file: text.name for file in named if not (ROOT / file).exists()}
    assert absent == {}
