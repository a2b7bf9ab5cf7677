# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a study to the annex of a comment letter
#
# Three commands and a page of your own text: run a study, estimate its offset, merge both into an
# annex in Word, PDF and HTML. The prices are the package's **simulated** sample, so the annex marks
# every number and gives none of them to a topic; with `--data FOLDER` they are yours. Word and PDF
# need the extra: `pip install 'margin-backtest[report]'`.

# %%
import subprocess
import sys
from pathlib import Path

Path("letter.toml").write_text(
    """
name = "letter"
title = "Bitcoin and the 10-year Treasury in one pool"
[data]
source = "sample"
factors = ["3M", "2Y", "5Y", "10Y", "BTC"]
end = "2020-12-31"
[coverage]
confidence = 0.99
mpor = 2
[models.siloed]
kind = "siloed"
[models.offset]
kind = "correlation_offset"
[books."long BTC, long 10Y"]
explain = "The same stand-alone margin on both sides, 100m USD gross."
risk = { BTC = 1, UST10Y = 1 }
[books."long BTC, short 10Y"]
explain = "The other sign of the same correlation."
risk = { BTC = 1, UST10Y = -1 }
"""
)


def backtest(*words):
    """Run a command as in a terminal; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "backtest", *words], capture_output=True, text=True, check=True
    )
    return done.stdout


# %% [markdown]
# Each command writes a results folder of its own: the page, the numbers, the figures, a manifest.

# %%
print(backtest("run", "letter.toml")[:1500])

# %%
print(backtest("offset", "letter.toml")[:1500])

# %% [markdown]
# Your own text stands in a Markdown file for each topic of the joint request; the first call makes
# those that are missing, and no call writes over one. `[words](#name)` prints the number of a
# figure or table: results are lettered in the order in which they are given, and `references.csv`
# of the annex has all names.

# %%
texts = Path("annex", "texts")
texts.mkdir(parents=True, exist_ok=True)
(texts / "cross-margining.md").write_text(
    "Pooling saves margin by diversification; see [the ladder](#figure-a-offset_ladder).\n"
)
study, offset = sorted(Path("results").iterdir())
printed = backtest("annex", str(study), str(offset), "--out", "annex")
print(printed[:1500])

# %%
(annex,) = Path("annex").glob("*_annex_*")
sorted(path.name for path in annex.iterdir()), sorted(path.name for path in texts.iterdir())

# %%
page = (annex / "annex.html").read_text()
assert "Pooling saves margin by diversification" in page and "SIMULATED" in page
assert {"annex.docx", "annex.pdf"} <= {path.name for path in annex.iterdir()}
