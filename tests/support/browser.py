"""A headless browser: pages laid out, judged by axe-core, and printed."""

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
DRAWN = re.compile(r"(<svg role=.*?</desc>).*?</svg>", re.DOTALL)
GRAVE = ("serious", "critical")  # what axe-core says of a finding that keeps a reader out


def chromium() -> str:
    """The browser's command; the test is skipped where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on PATH")


def browse(folder: Path, target: Path, *options: str) -> str:
    """What the browser prints about a file, its own files in `folder`."""
    arguments = [
        chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", *options,
        target.as_uri(),
    ]  # fmt: skip
    environment = os.environ | {"HOME": str(folder)}
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=240, check=True, env=environment
    )
    return done.stdout


def printed_json(dumped: str) -> Any:
    """What a script wrote into <pre id="out"> of a page that was dumped."""
    found = re.search(r'<pre id="out">(.*?)</pre>', dumped, re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found[1]))


TOGETHER = 4  # pages that one run of the browser judges
HARNESS = """<!DOCTYPE html><title>axe</title>
{frames}
<pre id="out"></pre>
<script>
const found = {{}}, count = {count};
addEventListener("message", event => {{
  found[event.data.name] = event.data;
  if (Object.keys(found).length === count)
    document.getElementById("out").textContent = JSON.stringify(found);
}});
</script>"""
FRAME = """<iframe name="{name}" width="{width}" height="700" srcdoc="{page}"></iframe>"""
JUDGE = """<script src="axe.min.js"></script><script>
addEventListener("load", async () => {{
  let judged;
  try {{ judged = await axe.run(document, {{resultTypes: ["violations"]}}); }}
  catch (error) {{ parent.postMessage({{name: {name}, failed: String(error)}}, "*"); return; }}
  const page = document.documentElement;
  const boxes = [...document.querySelectorAll("body *")].filter(e =>
    !e.closest("svg svg, svg *, .scroll *") && e.getBoundingClientRect().right > innerWidth + 0.5);
  parent.postMessage({{
    name: {name}, width: innerWidth, scroll: page.scrollWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    ground: getComputedStyle(document.body).backgroundColor,
    cards: [...document.querySelectorAll("figure svg")].map(
      e => getComputedStyle(e).backgroundColor),
    wide: boxes.map(e => e.tagName + " " + e.textContent.slice(0, 40)),
    findings: judged.violations.map(v => ({{
      id: v.id, impact: v.impact, count: v.nodes.length,
      nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " | " + n.failureSummary),
    }})),
    passes: judged.passes.length,
  }}, "*");
}});
</script>"""


def judge(folder: Path, pages: Mapping[str, str], *, width: int, dark: bool) -> dict[str, Any]:
    """What axe-core finds on each page, laid out so many pixels wide, some pages a run.

    All of them in one run of the browser can be more than its budget of time.
    """
    names, found = list(pages), {}
    for first in range(0, len(names), TOGETHER):
        some = {name: pages[name] for name in names[first : first + TOGETHER]}
        found |= _judged(folder, some, width=width, dark=dark)
    return found


def _judged(folder: Path, pages: Mapping[str, str], *, width: int, dark: bool) -> dict[str, Any]:
    """What axe-core finds on these pages, in one run of the browser.

    The pages forbid scripts; the rule is taken out of the copies that are judged. So is what is
    inside a drawing, which for a reader is one picture with a name and a description.
    """
    scheme = "dark" if dark else "light"
    shutil.copyfile(str(files("axe_core_python") / "axe.min.js"), folder / "axe.min.js")
    frames = []
    for number, (name, page) in enumerate(pages.items()):
        page, relaxed = POLICY.subn("", page)
        assert relaxed == 1, f"{name}: no rule on scripts"
        page = DRAWN.sub(r"\1</svg>", page)
        script = JUDGE.format(name=json.dumps(name))
        page = page.replace("</body>", f"{script}</body>")
        assert script in page
        frames.append(FRAME.format(name=f"f{number}", width=width, page=html.escape(page)))
    target = folder / f"axe-{scheme}-{width}.html"
    target.write_text(HARNESS.format(frames="\n".join(frames), count=len(frames)), encoding="utf-8")
    # Chromium's number of the scheme a user prefers: 0 is dark, 1 is light.
    dumped = browse(
        folder, target, "--dump-dom", "--virtual-time-budget=2000000",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
    )  # fmt: skip
    return dict(printed_json(dumped))


def printed(folder: Path, page: str) -> Path:
    """A page as the browser prints it: a PDF, its drawings empty but as large as they are."""
    source, target = folder / "printed.html", folder / "printed.pdf"
    source.write_text(DRAWN.sub(r"\1</svg>", page), encoding="utf-8")
    target.unlink(missing_ok=True)
    browse(folder, source, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    return target
