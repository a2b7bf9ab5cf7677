"""The reviewer's file: its numbers are the stored ones, its gaps are told, refusals one line."""

import hashlib
import json
import re
import shutil
import tomllib
import zipfile
from dataclasses import replace

import docx
import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from backtest.present.numbers import percent, pvalue
from backtest.studies.dossier.fields import TO_BE_COMPLETED
from backtest.studies.dossier.folders import read_folders
from backtest.studies.dossier.front import answer
from backtest.studies.dossier.outcome_findings import (
    coverage_findings,
    grant_findings,
    unsupported_pools,
)
from backtest.studies.dossier.outcomes import by_time
from backtest.studies.dossier.study import study_dossier
from backtest.studies.run.facts import CARRY
from tests.studies.dossier.conftest import OFFSET, newest
from tests.support.commands import one_line, quiet, run_and_store, typed, write_study

HEADINGS = [
    "1. Summary", "2. Purpose, use, scope and materiality", "3. Data quality",
    "4. Assumptions register", "5. Conceptual soundness", "6. Implementation checks",
    "7. Outcomes analysis", "8. Challengers", "9. Sensitivities with bounds",
    "10. Power: what this record could not show", "11. Limitations and controls",
    "12. Monitoring triggers", "13. Findings log", "14. Crosswalk to SR 26-2, SR 11-7 and SS1/23",
    "15. Sign-off", "16. Reproduction",
]  # fmt: skip


def sections_of(folder):
    page = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    return {section["name"]: section for section in page["sections"]}


def table_of(section, words):
    """Cells by row of the table of a section whose caption has these words."""
    (table,) = [t for t in section["tables"] if words in t["caption"]]
    return table, {
        name: [cell["text"] for row in rows for cell in row] for name, rows in table["groups"]
    }


def numbers_in(text):
    return [float(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*\.?\d*", text)]


@pytest.fixture(scope="module")
def read(folders):
    """The same dossier as objects, and the tables that the run stored."""
    made = study_dossier([folders.run, folders.grid, folders.power], model="offset", progress=quiet)
    return made, pd.read_csv(folders.run / "summary.csv").set_index(["model", "portfolio"])


def test_it_has_every_section_in_page_word_and_pdf(dossier):
    sections = sections_of(dossier.folder)
    assert [section["heading"] for section in sections.values()] == HEADINGS
    word = docx.Document(str(dossier.folder / "dossier.docx"))
    styled = [p.text for p in word.paragraphs if p.style.name == "Heading 1"]
    pdf = "".join(page.extract_text() for page in PdfReader(dossier.folder / "dossier.pdf").pages)
    for number, heading in enumerate(HEADINGS, start=1):
        words = heading.partition(". ")[2]
        assert any(text.endswith(words) and str(number) in text for text in styled), heading
        assert words in " ".join(pdf.split()), heading


def test_the_answer_says_what_the_scores_say(dossier, folders):
    page = json.loads((dossier.folder / "page.json").read_text(encoding="utf-8"))
    verdict, against, not_shown = page["answer"]
    scores = pd.read_csv(folders.run / "summary.csv").set_index(["model", "portfolio"])
    rows = scores.loc["offset"]
    worst = rows["coverage_p"].idxmin()
    assert f"{worst} in small" in against
    exceedances, allowed = (int(rows.loc[worst, name]) for name in ("exceedances", "allowed"))
    assert f"{exceedances:,} exceedances where {allowed:,} are allowed" in against
    assert f"coverage p {pvalue(float(rows['coverage_p'].min()))}" in against
    assert f"smallest p {pvalue(float(rows['coverage_p'].min()))}" in verdict
    found = pd.read_csv(dossier.folder / "findings.csv")
    counts = found["proposed"].value_counts()
    assert f"{len(found):,} automatic findings" in against
    assert f"{counts.get('high', 0)} of them proposed as high" in against
    assert f"{counts.get('medium', 0)} as medium" in against
    register = pd.read_csv(dossier.folder / "assumptions.csv")
    words = f"what {int((~register['measured']).sum())} of its {len(register)} parameters move"
    assert words in not_shown and f"{int(rows['observations'].min()):,} days" in not_shown
    tables = [table for section in page["sections"] for table in section["tables"]]
    cells = json.dumps([table["groups"] for table in tables]).count(TO_BE_COMPLETED)
    assert cells > 50 and f"{cells} times {TO_BE_COMPLETED}" in not_shown


def test_scores_of_the_outcomes_are_those_of_the_run(dossier, folders):
    section = sections_of(dossier.folder)["outcomes"]
    scores = pd.read_csv(folders.run / "summary.csv").set_index(["model", "portfolio"])
    table, rows = table_of(section, "Coverage of the named books")
    assert set(rows) == set(scores.loc["offset"].index)
    for book, cells in rows.items():
        row = scores.loc[("offset", book)]
        assert numbers_in(cells[0]) == [row["exceedances"], row["allowed"]]
        assert cells[1].startswith(percent(row["exceedance_rate"], digits=2))
        assert cells[2] == pvalue(row["coverage_p"]) and cells[3] == row["coverage_test"]
    assert "offset" not in table["caption"] and table["source_line"]


def test_days_by_year_are_counted_one_by_one(read, folders):
    made, _ = read
    (each,) = made.studies
    daily = pd.read_parquet(folders.run / "daily.parquet")
    daily = daily[(daily["model"] == "offset") & daily["portfolio"].isin(each.books)]
    first, last = each.origin.scored.first_scored, each.origin.scored.last_scored
    daily = daily[(daily["date"] >= first) & (daily["date"] <= last)]
    exceeded = daily["loss"] > daily["required"]
    years = pd.to_datetime(daily["date"]).dt.year
    frame = by_time(each, "offset")
    for year in years.unique():
        row = frame.loc[str(year)]
        assert row["observations"] == (years == year).sum()
        assert row["exceedances"] == exceeded[years == year].sum()
        excess = (daily["loss"] / daily["required"] - 1.0)[exceeded & (years == year)]
        if len(excess):
            assert row["largest"] == pytest.approx(excess.max())
    assert frame.loc[[str(y) for y in years.unique()], "exceedances"].sum() == exceeded.sum()


def test_sensitivities_are_sums_over_the_rows_of_the_grid(dossier, folders):
    grid = pd.read_parquet(folders.grid / "grid.parquet")
    rows = grid[(grid["model"] == "offset") & (grid["failed"] == "")]
    section = sections_of(dossier.folder)["sensitivities"]
    register = pd.read_csv(dossier.folder / "assumptions.csv").set_index("key")
    for axis in ("models.offset.lookback", "models.offset.granted"):
        _, shown = table_of(section, f"by {axis}")
        assert register.loc[axis.removeprefix("models.offset."), "measured"]
        for value, of_value in rows.groupby(axis):
            cells = shown[str(value)]
            assert numbers_in(cells[0]) == [len(of_value)]
            assert numbers_in(cells[2]) == [of_value["exceedances"].sum()]
            rate = of_value["exceedances"].sum() / of_value["observations"].sum()
            assert cells[3] == percent(rate, digits=2)
            assert numbers_in(cells[4]) == [(of_value["coverage_p"] <= 0.05).sum()]
            words = register.loc[axis.removeprefix("models.offset."), "sensitivity"]
            assert f"{value}: {percent(rate, digits=2)} of days" in words
    assert (
        register.loc[["kind", "base.kind", "base.lookback", "lookback"], "standing"] == "set"
    ).all()
    assert register.loc["granted", "standing"] == register.loc["cap", "standing"] == "default"
    assert not register.loc["cap", "measured"]
    assert "models.offset.cap = [" in register.loc["cap", "sensitivity"]


def test_power_findings_and_limits_are_told(dossier, folders):
    sections = sections_of(dossier.folder)
    smallest = pd.read_csv(folders.power / "smallest_detectable.csv")
    _, rows = table_of(sections["power"], "smallest miscoverage")
    assert numbers_in(rows["250"][0]) == [smallest["rejected from"][0]]
    assert [row[0] for row in sections["limitations"]["tables"][0]["groups"]]
    for _, row in sections["limitations"]["tables"][0]["groups"]:
        assert [cell["text"] for cell in row[0][2:]] == [TO_BE_COMPLETED] * 2
    rows = dict(sections["limitations"]["tables"][0]["groups"])
    assert CARRY in str(rows["carry"]) and CARRY in str(sections["soundness"]["tables"])
    found = pd.read_csv(dossier.folder / "findings.csv")
    assert found["key"].is_unique and set(found["severity"]) == {TO_BE_COMPLETED}
    text = (dossier.folder / "report.html").read_text(encoding="utf-8")
    for words in found["sentence"]:
        assert words.split("'")[0] in text.replace("&#39;", "'").replace("&amp;", "&")


def test_a_grant_beyond_the_bound_is_a_finding_with_the_stored_numbers(read):
    made, scores = read
    ladder = made.studies[0].ladder
    saving = scores.loc["offset"]["saving_vs_siloed"]
    beyond = [b for b in ladder.index if saving[b] > ladder["total_bound"][b]]
    told = {f.key: f.sentence for f in made.findings}
    assert ("granted/small" in told) == bool(beyond)
    beyond = sorted(beyond, key=lambda b: ladder["total_bound"][b] - saving[b])
    for book in beyond[:5]:
        words = f"'{book}' {percent(saving[book])} less, reduction estimated"
        assert f"{words} {percent(ladder['total'][book])}" in told["granted/small"]
    bare = [
        b
        for b in ladder.index
        if ladder["dependence_bound"][b] <= 0 and saving[b] > max(0.0, ladder["diversification"][b])
    ]
    assert ("no-offset/small" in told) == bool(bare)
    if bare:
        assert f"in {len(bare)} of {len(ladder)} pools" in told["no-offset/small"]
    words = f"in {len(bare)} of {len(ladder)} pools of small"
    assert (words in answer(made, open_statements=0)[1]) == bool(bare)


def test_a_saving_within_the_estimate_of_diversification_is_no_offset(read):
    """A pool of 8.6 % less, where diversification is estimated at 8.8 %, grants no offset."""
    (each,) = read[0].studies
    book = next(b for b in each.ladder.index if b in each.books)
    for saving, bare in ((0.086, False), (0.089, True)):
        ladder, scores = each.ladder.loc[[book]].copy(), each.study.scores.copy()
        ladder.loc[book, ["dependence_bound", "total_bound"]] = -0.01, 0.05
        ladder.loc[book, "diversification"] = 0.088
        scores.loc[("offset", book), "saving_vs_siloed"] = saving
        changed = replace(each, ladder=ladder, study=replace(each.study, scores=scores))
        assert unsupported_pools(changed, "offset") == ([book] if bare else [], 1)
        told = [f.sentence for f in grant_findings(changed, "offset") if "no-offset" in f.key]
        assert len(told) == bare
        if bare:
            assert f"'{book}' 8.9 % less, diversification estimated 8.8 %" in told[0]


@pytest.mark.parametrize(("adjusted", "severity"), [(0.2, "medium"), (0.01, "high")])
def test_a_rejection_is_high_where_a_correction_for_the_number_of_books_keeps_it(
    read, adjusted, severity
):
    """Of two books p = .03 is .06 after Holm; Romano-Wolf's is of all books."""
    (each,) = read[0].studies
    book = each.books[0]
    scores, family = each.study.scores.copy(), each.findings.family.copy()
    scores["coverage_p"] = 0.9
    scores.loc[("offset", book), "coverage_p"] = 0.03
    family.loc[("offset", book), "romano_wolf"] = adjusted
    changed = replace(
        each,
        study=replace(each.study, scores=scores),
        findings=replace(each.findings, family=family),
    )
    found = [f for f in coverage_findings(changed, "offset") if f.key.startswith("coverage/")]
    assert len(each.books) == 2
    assert [(f.key, f.severity) for f in found] == [(f"coverage/small/{book}", severity)]
    assert "p is 0.060" in found[0].sentence and pvalue(adjusted) in found[0].sentence


def test_what_only_persons_can_state_is_to_be_completed(dossier):
    sections = sections_of(dossier.folder)
    facts = {
        name: row[0][0]["text"]
        for section in sections.values()
        for table in section["tables"]
        if not table["heads"]
        for name, row in table["groups"]
    }
    for name in ("overall rating", "materiality tier", "owner", "purpose", "frequency"):
        assert facts[name] == TO_BE_COMPLETED
    signatures = sections["sign-off"]["tables"][0]["groups"]
    assert all(cell["text"] == TO_BE_COMPLETED for _, (row,) in signatures for cell in row)


def digest_of(folder):
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def test_the_same_folders_make_the_same_bytes(folders, dossier):
    out = folders.place / "dossier"  # the command line is part of the page
    done = typed(
        "dossier", folders.run, folders.grid, folders.power, "--model", "offset", "--out", out,
        cwd=folders.place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    other = newest(out)
    assert other != dossier.folder
    one, two = digest_of(dossier.folder), digest_of(other)
    # The command line as typed is on the page, and pytest's own is the same in both.
    assert one == two
    with zipfile.ZipFile(other / "dossier.docx") as file:
        stamps = {entry.date_time for entry in file.infolist()}
    assert len(stamps) == 1


def test_given_margins_have_no_prices_parameters_or_audit(folders, tmp_path):
    done = typed("dossier", folders.given, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sections = sections_of(newest(tmp_path / "out"))
    assert (
        sections["assumptions"]["tables"] == [] and "not known" in sections["assumptions"]["text"]
    )
    text = (newest(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "not audited: margins were given" in text and "exposure of the accounts in house" in text
    _, rows = table_of(sections["outcomes"], "Coverage of the named accounts")
    assert set(rows) == {"one", "a book in USD"}
    fields = (newest(tmp_path / "out") / "fields.toml").read_text(encoding="utf-8")
    assert "[parameters" not in fields and '[limitations."given"]' in fields


def test_a_model_that_is_a_users_own_is_reviewed_without_running_it(folders, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\nfrom backtest.model import model\n\n\n@model\nclass Mine:\n"
        '    """Ten per cent of gross."""\n\n    share: float = 0.1\n\n'
        "    def margin(self, market, book, coverage):\n"
        "        gross = np.abs(book.exposure).sum(axis=1)\n"
        "        return np.tile(self.share * gross, (len(market.dates), 1))\n"
    )
    study = write_study(tmp_path, source=folders.place / "prices")
    book = 'a "b" <i> \\ #c $d'
    study.write_text(
        f'{study.read_text()}[models."<b>own</b>"]\nkind = "mine:Mine"\n'
        f"[books.{json.dumps(book)}]\nusd = {{ BTC = 1e6 }}\n"
    )
    run = run_and_store(study, tmp_path / "run", command="backtest run")
    done = typed(
        "dossier", run, "--model", "<b>own</b>", "--out", tmp_path / "out", cwd=tmp_path / "run"
    )
    assert done.returncode == 0, done.stderr
    folder = newest(tmp_path / "out")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>own" not in page and "&lt;b&gt;own" in page
    _, rows = table_of(sections_of(folder)["outcomes"], "Coverage of the named books")
    assert book in rows
    fields = tomllib.loads((folder / "fields.toml").read_text(encoding="utf-8"))
    found = pd.read_csv(folder / "findings.csv")["key"]
    assert set(fields["findings"]) == set(found)
    register = pd.read_csv(folder / "assumptions.csv").set_index("key")
    assert register.loc["kind", "value"] == '"mine:Mine"'
    assert not register["measured"].any()
    assert "mine:Mine, a class of the user" in page


def test_of_many_rejected_accounts_twenty_have_findings_and_the_rest_are_one(tmp_path):
    generator = np.random.default_rng(5)
    days = pd.bdate_range("2022-01-03", periods=260).strftime("%Y-%m-%d")
    rows = [
        {"date": day, "account": f"a{n:02d}", "pnl": pnl, "margin": 9.0}
        for n in range(30)
        for day, pnl in zip(days, generator.normal(0, 10, len(days)).round(3), strict=True)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "many.csv", index=False)
    done = typed("validate", "many.csv", "--out", "given", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = newest(tmp_path / "given")
    made = study_dossier([folder], progress=quiet)
    pvalues = made.studies[0].scores(made.model)["coverage_p"].sort_values(kind="stable")
    assert (pvalues <= 0.05).all()
    own = [f.key.rpartition("/")[2] for f in made.findings if f.key.startswith("coverage/many/")]
    assert own == list(pvalues.index[:20])
    (rest,) = [f for f in made.findings if f.key == "coverage/many (others)"]
    assert "coverage of 10 more accounts is rejected" in rest.sentence
    family = made.studies[0].findings.family.loc[made.model]
    kept = int((family["romano_wolf"][pvalues.index[20:]] <= 0.05).sum())
    assert f"{kept} by Romano-Wolf's" in rest.sentence
    every = int((family["romano_wolf"] <= 0.05).sum())
    assert f"and in {every} of them after Romano-Wolf's" in answer(made, open_statements=0)[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("run", "--model", "nobody"),
            "no folder has a model 'nobody'; known: siloed, var, offset",
        ),
        (("run",), "say which one is reviewed with --model: siloed, var, offset"),
        (("grid", "power", "--model", "offset"), "none of the folders holds daily margins"),
        (("run", "run", "--model", "offset"), "given twice"),
        (("place", "--model", "offset"), "holds no finished page"),
        (
            ("run", "folder", "--model", "offset"),
            "written by `backtest dossier` from other folders",
        ),
    ],
)
def test_what_cannot_be_reviewed_is_one_line(folders, dossier, tmp_path, arguments, words):
    typed_words = [getattr(folders, a, getattr(dossier, a, a)) for a in arguments]
    done = typed("dossier", *typed_words, "--out", tmp_path / "out", cwd=tmp_path)
    assert words in one_line(done)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["summary.csv", "page.json", "report figures"])
def test_a_folder_that_was_changed_is_refused(folders, tmp_path, name):
    copy = tmp_path / folders.run.name
    shutil.copytree(folders.run, copy)
    changed = next((copy / "figures").glob("*.csv")) if name == "report figures" else copy / name
    changed.write_text(changed.read_text(encoding="utf-8").replace("offset", "0ffset", 1) + " ")
    done = typed("dossier", copy, "--model", "offset", "--out", tmp_path / "out", cwd=tmp_path)
    assert "is not as the" in one_line(done) or "not JSON" in one_line(done)


@pytest.mark.slow
def test_one_name_for_two_models_simulated_and_real_and_other_grids(folders, tmp_path):
    study = write_study(tmp_path, source=folders.place / "prices", lookback=40)
    study.write_text(study.read_text() + OFFSET)
    other = run_and_store(study, tmp_path / "other", command="backtest run")
    done = typed("dossier", folders.run, other, "--model", "var", "--out", "o", cwd=tmp_path)
    assert "a file reviews one model" in one_line(done)
    assert "lookback=60" in done.stderr and "lookback=40" in done.stderr
    simulated = write_study(tmp_path, source="sample")
    simulated.write_text(
        simulated.read_text().replace("[data]", '[data]\nend = "2017-12-31"') + OFFSET
    )
    run = run_and_store(simulated, tmp_path / "simulated", command="backtest run")
    done = typed("dossier", folders.run, run, "--model", "offset", "--out", "o", cwd=tmp_path)
    assert "simulated prices" in one_line(done)
    made = study_dossier([run], model="offset", progress=quiet)
    assert any(f.key.startswith("simulated/") and f.severity == "high" for f in made.findings)
    varied = study_dossier([other, folders.grid], model="var", progress=quiet)
    assert varied.other_grids and not varied.grids


def test_folders_are_told_apart_where_their_studies_share_a_name(folders, tmp_path):
    study = write_study(tmp_path, source=folders.place / "prices")
    study.write_text(study.read_text().replace("BTC = 1e6", "BTC = 2e6") + OFFSET)
    other = run_and_store(study, tmp_path / "other", command="backtest run")
    labels = [folder.label for folder in read_folders([folders.run, other])]
    assert len(set(labels)) == 2 and all(label.startswith("small (") for label in labels)


def test_doubtful_numbers_are_never_shown_as_numbers(dossier):
    text = (dossier.folder / "report.html").read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
    assert not re.search(r">\s*(nan|None|NaT|inf)\s*<", body)
