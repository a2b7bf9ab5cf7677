"""What persons state: kept, checked, never written over, and told apart from other evidence."""

import json
import tomllib
from dataclasses import replace

import pytest

from backtest.replay.origin import Software
from backtest.studies.dossier.fields import TO_BE_COMPLETED, Fields, read_fields
from backtest.studies.dossier.front import answer
from backtest.studies.dossier.study import DossierOrigin, study_dossier
from tests.studies.dossier.conftest import newest
from tests.support.commands import one_line, quiet, typed


def filled(dossier, **changes):
    """The template of a dossier with some statements, as TOML text."""
    text = (dossier.folder / "fields.toml").read_text(encoding="utf-8")
    for line, statement in changes.items():
        assert f'\n{line} = ""\n' in text
        text = text.replace(f'\n{line} = ""\n', f"\n{line} = {json.dumps(statement)}\n", 1)
    return text


def proposed_of(log, number):
    """The proposed severity of a row of the findings log."""
    return dict(log)[number][0][0]["text"]


def again(folders, fields, out, *more):
    return typed(
        "dossier", folders.run, folders.grid, folders.power, "--model", "offset",
        "--fields", fields, "--out", out, *more, cwd=folders.place,
    )  # fmt: skip


def test_the_template_states_nothing_and_has_every_field(dossier):
    table = tomllib.loads((dossier.folder / "fields.toml").read_text(encoding="utf-8"))
    fields = Fields.model_validate(table)
    assert set(table) == set(Fields.model_fields) - {"more_findings"}
    assert fields.made_of and not any(fields.model.model_dump().values())
    assert not any(value for row in fields.findings.values() for value in row.model_dump().values())
    assert {signature.role for signature in fields.signatures} >= {"reviewer", "approver"}


def test_statements_are_printed_kept_verbatim_and_nothing_else_changes(folders, dossier, tmp_path):
    text = filled(dossier, owner="Desk of <b>rates</b> & crypto", tier="tier 2", rating="usable")
    fields = tmp_path / "mine.toml"
    fields.write_text(text, encoding="utf-8")
    done = again(folders, fields, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    folder = newest(tmp_path / "out")
    assert (folder / "fields.toml").read_text(encoding="utf-8") == text == fields.read_text("utf-8")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Desk of &lt;b&gt;rates&lt;/b&gt; &amp; crypto" in page and "<b>rates" not in page
    assert "STATEMENTS OF OTHER EVIDENCE" not in page
    before = json.loads((dossier.folder / "page.json").read_text("utf-8"))["sections"]
    after = json.loads((folder / "page.json").read_text("utf-8"))["sections"]
    differ = [a["name"] for a, b in zip(before, after, strict=True) if a != b]
    assert differ == ["summary", "purpose"]
    opening = json.loads((folder / "page.json").read_text("utf-8"))["answer"][0]
    assert "The overall rating, as a person stated it, is: usable." in opening


def test_statements_about_other_evidence_are_told_in_red(folders, dossier, tmp_path):
    fields = tmp_path / "mine.toml"
    fields.write_text(filled(dossier, rating="usable"), encoding="utf-8")
    done = typed(
        "dossier", folders.run, "--model", "offset", "--fields", fields, "--out", tmp_path / "out",
        cwd=tmp_path,
    )  # fmt: skip
    # The grid's parameters are known without it; what it measured is not.
    assert done.returncode == 0, done.stderr
    page = (newest(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "STATEMENTS OF OTHER EVIDENCE" in page and "STATEMENTS OF OTHER" in done.stdout


def test_publishers_of_files_are_what_a_person_states(folders, tmp_path):
    fields = tmp_path / "mine.toml"
    fields.write_text(
        '[sources."btc_usd.csv"]\npublisher = "An Exchange"\nretrieved = 2026-08-21\n'
    )
    done = again(folders, fields, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    page = json.loads((newest(tmp_path / "out") / "page.json").read_text("utf-8"))
    (data,) = [section for section in page["sections"] if section["name"] == "data"]
    (table,) = [t for t in data["tables"] if t["caption"] == "Where the files come from"]
    rows = {name: [cell["text"] for cell in row[0]] for name, row in table["groups"]}
    assert rows["btc_usd.csv"] == ["An Exchange", TO_BE_COMPLETED, "2026-08-21", TO_BE_COMPLETED]
    assert rows["treasury_par_yields.csv"] == [TO_BE_COMPLETED] * 4


def test_answers_to_findings_stand_in_the_log_also_when_the_finding_is_gone(folders, tmp_path):
    fields = tmp_path / "mine.toml"
    fields.write_text(
        '[findings."sensitivity"]\nseverity = "low"\nowner = "A. Person"\ndue = 2027-01-31\n'
        'status = "open"\n[findings."coverage/small/gone"]\nstatus = "closed"\n'
        '[[more_findings]]\ntitle = "The roll of the future is not modelled."\nseverity = "high"\n'
        '[[signatures]]\nrole = "reviewer"\nname = "B. Reviewer"\ndate = "2026-12-01"\n',
        encoding="utf-8",
    )
    done = again(folders, fields, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    page = json.loads((newest(tmp_path / "out") / "page.json").read_text("utf-8"))
    sections = {section["name"]: section for section in page["sections"]}
    rows = {
        name: [cell["text"] for cell in row[0]]
        for name, row in sections["findings"]["tables"][1]["groups"]
    }
    by_key = {cells[0]: cells[1:] for cells in rows.values()}
    assert by_key["sensitivity"] == ["low", "A. Person", "2027-01-31, open", TO_BE_COMPLETED]
    assert by_key["coverage/small/gone"][2] == f"{TO_BE_COMPLETED}, closed"
    assert by_key["reviewer/1"][0] == "high"
    summary = {
        row[0][0]["text"]: severity for severity, row in sections["summary"]["tables"][1]["groups"]
    }
    log = sections["findings"]["tables"][0]["groups"]
    sentences = {row[0][1]["text"]: row[0][0]["text"] for _, row in log}
    # The one that a person holds to be low is no longer among the severe ones.
    (of_parameters,) = [words for words in sentences if "parameters move was not" in words]
    assert sentences[of_parameters] == "medium" and of_parameters not in summary
    own = "The roll of the future is not modelled."
    assert summary.pop(own) == "high"
    assert all(severity.endswith(", proposed") for severity in summary.values())
    facts = {name: row[0][0]["text"] for name, row in sections["summary"]["tables"][0]["groups"]}
    severities = [
        cells[1] if cells[1] != TO_BE_COMPLETED else proposed_of(log, number)
        for number, cells in rows.items()
        if cells[0] != "coverage/small/gone"
    ]
    high, medium, low = (severities.count(name) for name in ("high", "medium", "low"))
    told = f"{high} high, {medium} medium, {low} low, 1 of them their own"
    assert facts["findings as persons state them"] == told
    words = f"as persons state them, with 1 of their own, {high} are high and {medium} medium"
    assert words in page["answer"][1]
    told = [row[0][1]["text"] for _, row in sections["findings"]["tables"][0]["groups"]]
    assert "not found in these folders any more" in told
    assert "The roll of the future is not modelled." in told
    assert any(alarm.startswith("UNBOUND SIGNATURES") for alarm in page["alarms"])
    signed = dict(sections["sign-off"]["tables"][0]["groups"])
    assert [cell["text"] for cell in signed["reviewer"][0]] == [
        "B. Reviewer", "2026-12-01", TO_BE_COMPLETED,
    ]  # fmt: skip
    assert [cell["text"] for cell in signed["approver"][0]] == [TO_BE_COMPLETED] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[model]\nownr = "x"\n', "no key 'model.ownr' (it is 'x'); known: owner, developer"),
        ('[model]\nownr = "x"\n', "Did you mean 'owner'?"),
        ('[findings.a]\nsate = "x"\n', "known: severity, owner, due, status, response."),
        ('[[signatures]]\nrole = "x"\nwhen = "x"\n', "known: role, name, date, decision."),
        ('[monitoring]\nnext_review = "soon"\n', "is 'soon', which is no day; write one as 20"),
        ('[findings.a]\nstatus = "x"\n', "'open', 'accepted' or 'closed'"),
        ("[[more_findings]]\n", "more_findings.0.title is missing"),
        ("model = 3\n", "model is 3; give a table, [model]"),
        ('[findings.a]\nseverity = "huge"\n', "severity"),
        ('[findings.a]\ndue = "31.1.2027"\n', "due"),
        ('[sources."nothing.csv"]\nlicence = "x"\n', "'nothing.csv'"),
        ('[parameters.nothing]\nsource = "x"\n', "'nothing'"),
        ('[limitations.nothing]\ncontrol = "x"\n', "'nothing'"),
        ("[model\n", "is not TOML"),
        ("[model]\nowner = 3\n", "model.owner"),
    ],
)
def test_fields_that_cannot_be_are_one_line(folders, tmp_path, text, words):
    fields = tmp_path / "mine.toml"
    fields.write_text(text, encoding="utf-8")
    done = again(folders, fields, tmp_path / "out")
    assert words in one_line(done)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_file_of_fields_that_is_not_there_is_one_line(folders, tmp_path):
    assert "nowhere.toml" in one_line(again(folders, tmp_path / "nowhere.toml", tmp_path / "out"))


def test_a_date_of_toml_and_one_in_quotation_marks_are_the_same(tmp_path):
    file = tmp_path / "f.toml"
    file.write_text("[monitoring]\nnext_review = 2027-01-31\n", encoding="utf-8")
    bare = read_fields(file)[0]
    file.write_text('[monitoring]\nnext_review = "2027-01-31"\n', encoding="utf-8")
    assert read_fields(file)[0] == bare


def test_a_refusal_that_is_signed_is_told_in_the_opening(folders, tmp_path):
    fields = tmp_path / "mine.toml"
    fields.write_text(
        '[[signatures]]\nrole = "approver"\nname = "C. Head"\ndecision = "refused."\n'
        '[[signatures]]\nrole = "reviewer"\nname = "B. Reviewer"\n',
        encoding="utf-8",
    )
    made = study_dossier([folders.run], model="offset", fields=fields, progress=quiet)
    assert "Decisions signed: approver (C. Head): refused." in answer(made, open_statements=0)[0]
    bare = study_dossier([folders.run], model="offset", progress=quiet)
    assert "signed" not in answer(bare, open_statements=0)[0]


def test_a_decision_without_a_name_is_unbound_too(folders, tmp_path):
    fields = tmp_path / "mine.toml"
    fields.write_text(
        '[[signatures]]\nrole = "approver"\ndecision = "approved"\n', encoding="utf-8"
    )
    made = study_dossier([folders.run], model="offset", fields=fields, progress=quiet)
    (alarm,) = DossierOrigin(made, Software.now()).alarms()
    assert alarm.startswith("UNBOUND SIGNATURES")


def test_days_to_come_that_are_past_are_told(folders, tmp_path):
    fields = tmp_path / "mine.toml"
    text = (
        "[monitoring]\nnext_review = {review}\n[findings.sensitivity]\ndue = {due}\n"
        'status = "{status}"\n'
    )
    told = {}
    for name, values in {
        "past": {"review": "2020-01-31", "due": "2020-02-29", "status": "open"},
        "to come": {"review": "2999-01-31", "due": "2020-02-29", "status": "closed"},
    }.items():
        fields.write_text(text.format(**values), encoding="utf-8")
        stated, _ = read_fields(fields)
        dossier = replace(study_dossier([folders.run], model="offset"), fields=stated)
        told[name] = [
            alarm
            for alarm in DossierOrigin(dossier, Software.now()).alarms()
            if alarm.startswith("DAYS IN THE PAST")
        ]
    (alarm,) = told["past"]
    assert "next_review is 2020-01-31; due of sensitivity is 2020-02-29;" in alarm
    assert told["to come"] == []


def test_the_kind_of_a_model_is_told_from_its_name(folders, tmp_path):
    done = typed(
        "dossier", folders.run, "--model", "correlation_offset", "--out", tmp_path / "out",
        cwd=tmp_path,
    )  # fmt: skip
    said = "'correlation_offset' is a kind; its model goes by its name: --model offset."
    assert said in one_line(done)
