"""The site: it builds without a warning, its links lead somewhere, no public name is missing."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import backtest as bt
import strategies as st
from tests.support.browser import GRAVE, browse, printed_json
from tests.support.places import ROOT

pytestmark = pytest.mark.slow
FAMILIES = (bt.charts, bt.scores, bt.simulate, bt.instruments, st)


class Page(HTMLParser):
    """Where a page points to, what can be pointed at in it, and the words that replace pictures."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.pictures: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.targets += [values[name] for name in ("href", "src") if name in values]
        self.names |= {values[name] for name in ("id", "name") if name in values}
        if tag == "img":
            self.pictures[values["src"]] = values.get("alt", "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "docs"
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "_site"), str(out)],
        cwd=out.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_internal_link_leads_somewhere(pages: dict[Path, Page]):
    seen = 0
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.is_file(), f"{path.name}: {target}"
            if parts.fragment and there in pages:
                assert unquote(parts.fragment) in pages[there].names, f"{path.name}: {target}"
            seen += 1
    assert seen > 1000


def test_no_page_asks_another_server_for_anything(site: Path):
    """Scripts, styles, pictures and fonts come from the folder; links to read on may lead out."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loads = re.findall(r"<(?:script|img|link|iframe)[^>]*?(?:src|href)=\"([^\"]+)\"", text)
        assert loads and not [a for a in loads if re.match(r"(https?:)?//", a)], path.name
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"url\([\"']?(https?:)?//|@import", text), path.name


def test_every_public_name_is_in_the_reference(pages: dict[Path, Page]):
    documented = set().union(
        *(page.names for path, page in pages.items() if path.parent.name == "reference")
    )
    wanted = {f"{family.__name__}.{name}" for family in FAMILIES for name in family.__all__}
    modules = {family.__name__.split(".")[-1] for family in FAMILIES}
    wanted |= {f"backtest.{name}" for name in bt.__all__ if name not in modules}
    elsewhere = {"backtest.StationaryBootstrap"}  # with the simulators
    assert wanted - documented - elsewhere == set()
    assert "backtest.simulate.StationaryBootstrap" in documented


def test_parameters_of_the_house_form_are_set_as_names_with_texts(site: Path):
    """'lookback : shocks of the fit. draws : scenarios.' are two parameters, none a type."""
    text = (site / "reference" / "models.html").read_text(encoding="utf-8")
    copula = text.split('id="strategies.CopulaVaR"')[1].split('id="strategies.')[0]
    names = re.findall(r"<dt>(?:<strong>)?(\w+)(?:</strong>)?</dt>", copula)
    assert names == list(st.CopulaVaR.__annotations__)
    assert "classifier" not in text


def test_the_gallery_has_every_figure_with_its_words(site: Path, pages: dict[Path, Page]):
    page = pages[site / "gallery.html"]
    pictures = {Path(src).stem: alt for src, alt in page.pictures.items()}
    helpers = {"Figure", "run_figures", "offset_figures", "write_figures"}
    figures = set(bt.charts.__all__) - helpers
    assert figures <= set(pictures)
    assert all(len(pictures[name]) > 40 for name in figures)
    text = (site / "gallery.html").read_text(encoding="utf-8")
    assert all(f"bt.charts.{name}" in re.sub(r"<[^>]+>", "", text) for name in figures)


def test_the_anchors_show_published_values_beside_ours(site: Path):
    """The published sample of CME and FICC stands there, known and computed."""
    text = (site / "anchors.html").read_text(encoding="utf-8")
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.S)]
        for row in re.findall(r"<tr class=.*?</tr>", text, re.S)
    ]
    assert sum(len(row) == 5 for row in rows) > 140
    assert ["68.65", "68.6480"] in [row[2:4] for row in rows]


def test_the_selfcheck_shows_right_values_beside_ours(site: Path):
    text = (site / "selfcheck.html").read_text(encoding="utf-8")
    rows = [re.findall(r"<td.*?</td>", row, re.S) for row in re.findall(r"<tr.*?</tr>", text, re.S)]
    assert sum(len(row) == 5 for row in rows) > 170


def test_formulas_are_drawn_by_the_browser_alone(site: Path):
    text = (site / "methodology.html").read_text(encoding="utf-8")
    assert text.count("<math") >= 10 and "mathjax" not in text.lower()
    models = (site / "reference" / "models.html").read_text(encoding="utf-8")
    assert models.count("<math") >= 20


JUDGE = """<pre id="out"></pre><script src="{up}axe.min.js"></script><script>
addEventListener("load", async () => {{
  const judged = await axe.run(document, {{resultTypes: ["violations"]}});
  document.getElementById("out").textContent = JSON.stringify({{
    passes: judged.passes.length, width: innerWidth,
    right: document.querySelector(".content").getBoundingClientRect().right,
    findings: judged.violations.map(v => [v.id, v.impact, v.nodes[0].html.slice(0, 200)]),
  }});
}});
</script></body>"""


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("name", ["index", "which", "gallery", "reference/models"])
def test_axe_finds_nothing_serious(site: Path, name: str, width: int, tmp_path: Path):
    folder = site.with_name("judged")
    if not folder.exists():
        shutil.copytree(site, folder)
        shutil.copyfile(str(files("axe_core_python") / "axe.min.js"), folder / "axe.min.js")
    page = folder / f"{name}.html"
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    judged = text.replace("</body>", JUDGE.format(up="../" * name.count("/")))
    page.write_text(judged, encoding="utf-8")
    dumped = browse(
        tmp_path, page, "--dump-dom", "--virtual-time-budget=100000", f"--window-size={width},900"
    )
    found = printed_json(dumped)
    assert found["passes"] > 30 and found["right"] <= found["width"]
    assert [f for f in found["findings"] if f[1] in GRAVE] == []
