"""Every notebook runs from its first cell to its last."""

import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.py"))


def outputs_of(path, folder):
    """What the cells of a notebook show, run in an empty folder."""
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    notebook = jupytext.read(path)
    done = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(
        cwd=str(folder)
    )
    outputs = [o for cell in done.cells for o in cell.get("outputs", [])]
    assert outputs and not any(o.output_type == "error" for o in outputs)
    return outputs


@pytest.mark.filterwarnings("ignore")  # Jupyter's own, in its own processes
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.delenv("PRICES", raising=False)
    assert outputs_of(path, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_quickstart_runs_on_a_folder_of_real_prices(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("PRICES", str(real_data))
    (quickstart,) = (path for path in NOTEBOOKS if path.stem == "quickstart")
    shown = "".join(str(o.get("data", "")) for o in outputs_of(quickstart, tmp_path))
    assert "SIMULATED" not in shown and not (tmp_path / "simulated_prices").exists()


def test_the_notebooks_are_those_that_the_first_page_names():
    start = (NOTEBOOKS[0].parents[1] / "docs" / "start.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)\.py`", start.split("## 7.")[1].split("## ")[0]))
    assert named == {path.stem for path in NOTEBOOKS}
