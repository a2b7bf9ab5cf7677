"""Provenance: one shape for all commands, read back as it was written, in the words pages use."""

import json
from dataclasses import fields, replace

import pytest

import backtest as bt
import strategies as st
from backtest.estimators.fits import Certificate
from backtest.replay.origin import FileHash, Software
from backtest.replay.provenance import FORMAT, Provenance
from backtest.replay.seal import MANIFEST, SELF, _manifest_sha256
from backtest.replay.standard import Standard


@pytest.fixture(scope="module")
def study(small_market, small_book):
    models = {"siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)), "net": st.NetCapital()}
    account = bt.AccountTerms(call_lag=2, settlement="stablecoin", collateral=bt.Mix({"BTC": 1.0}))
    return bt.run(small_market, small_book, models, coverage=bt.Coverage(mpor=2), account=account)


def as_read(origin: Provenance) -> Provenance:
    return Provenance.from_json(json.loads(json.dumps(origin.to_json())))


def test_what_json_kept_is_what_was_written(study):
    origin = replace(
        study.provenance.of_study({"name": "small", "books": {"b": {}}}, (FileHash("x", "ab"),)),
        fits={"garch": {"GARCH-t": Certificate(6, 1, rivals=2, closest=0.1, least_gain=7.5)}},
        failed_gates=("no",),
        path=3,
        software=Software({"python": "3", "numpy": "2"}, "c" * 40, True),
    )
    again = as_read(origin)
    assert again.account.collateral["haircuts"] == list(origin.account.collateral["haircuts"])
    for field in fields(Provenance):
        if field.name != "account":  # JSON has no tuples: those inside a mix are lists
            assert getattr(again, field.name) == getattr(origin, field.name), field.name
    assert as_read(again) == again
    assert again.to_json()["format"] == FORMAT


def test_a_command_without_prices_has_no_days_and_no_standard():
    origin = Provenance(software=Software.now(), study={"name": "coverage"}, sha256="ab")
    assert as_read(origin) == origin
    assert origin.sentence() == "" and [name for name, _ in origin.facts()] == [
        "sha256",
        "software",
    ]
    for part in ("prices", "scored", "held_to", "terms", "confidence"):
        with pytest.raises(ValueError, match="no such part"):
            getattr(origin, part)


def test_one_sentence_says_source_days_and_standard(study):
    origin = study.provenance
    assert origin.sentence() == (
        f"SIMULATED: {origin.prices.source}; scored {origin.scored.first_scored} to "
        f"{origin.scored.last_scored}, n = {origin.scored.observations} days; 99 % coverage over "
        "an MPOR of 2 margin days; constant USD, rebalanced daily"
    )
    note = origin.footnote()
    assert note.startswith(
        f"Source: {origin.sentence()}. Models: siloed (Siloed), net (NetCapital)"
    )
    assert note.endswith(f" {origin.software.sentence()}.")
    assert "Models" not in origin.footnote(models=False)
    assert origin.models_sentence({"net"}) == "Models: net (NetCapital)."
    assert origin.terms.lag_words() == "call lag 2 calendar days"


def test_unequal_days_and_costs_are_said():
    table = {"table": "liquidation/2025", "dated": "2025-12-31"}
    assert Standard(0.975, {"FICC": 5, "CME": 2}, 5, "never", table).sentence() == (
        "97.5 % coverage over an MPOR of FICC 5, CME 2 margin days; units bought on the first day "
        "and held; losses include liquidation cost (approximate)"
    )


@pytest.mark.parametrize("form", [None, 1, 2, FORMAT + 1, "x", [3], "y" * 1000])
def test_a_folder_of_another_format_is_refused_by_name(study, tmp_path, form):
    folder = study.save(tmp_path / "older")
    sealed = json.loads((folder / MANIFEST).read_text())
    sealed.pop("format")
    if form is not None:
        sealed["format"] = form
    if form == 1:
        sealed.pop(SELF)  # format 1 had no seal
    sealed["software"] |= {"margin-backtest": "0.0.9", "commit": "c" * 40}
    (folder / MANIFEST).write_text(json.dumps(sealed))
    with pytest.raises(bt.ResultsError) as error:
        bt.Study.load(folder)
    said = str(error.value)
    assert "older' was written by another version (margin-backtest 0.0.9, commit ccc" in said
    assert ("no format" if form is None else f"format {form!r}"[:40]) in said
    assert f"this version reads {FORMAT}; read it with that version" in said
    assert "\n" not in said and len(said) < 500


SEALED_AGAIN = {
    "no files": lambda m: m.pop("files"),
    "files are a list": lambda m: m.update(files=["summary.csv"]),
    "a file elsewhere": lambda m: m["files"].update({"../secret.csv": "ab"}),
    "an absolute file": lambda m: m["files"].update({"/etc/passwd": "ab"}),
    "an opened file elsewhere": lambda m: m.update(
        opened=[{"name": "../../x", "sha256": "ab", "size": 1}]
    ),
    "no software": lambda m: m.update(software=None),
    "days are words": lambda m: m.update(window="x"),
}


@pytest.mark.parametrize("case", SEALED_AGAIN)
def test_a_forged_manifest_that_was_sealed_again_is_refused(study, tmp_path, case):
    folder = study.save(tmp_path / "forged")
    sealed = json.loads((folder / MANIFEST).read_text())
    sealed.pop(SELF)
    SEALED_AGAIN[case](sealed)
    sealed[SELF] = _manifest_sha256(sealed)
    (folder / MANIFEST).write_text(json.dumps(sealed))
    with pytest.raises(bt.ResultsError, match=r"manifest.json of .*forged' is not as the run"):
        bt.Study.load(folder)


def test_the_certificate_says_cuts_cover_and_limits(study):
    origin = study.provenance
    before = [audit.before_losses for audit in origin.causality.values()]
    words = origin.certificate()
    assert words.startswith("Causality: no margin of 2 models moved when the future was cut off")
    assert f"{min(before)}" in words and "before worst losses" in words
    assert "Covered: margins on the history" in words and "Not covered: a model that reads" in words
    facts = dict(origin.facts())
    assert "of them before worst losses" in facts["causality of siloed"]
    assert "--isolate" in facts["the audit cannot see"]
    stored = origin.to_json()["causality"]["net"]
    assert stored["covers"] and stored["cannot_see"] and not stored["isolated"]
    assert replace(origin, causality={}).certificate() == ""


def test_a_manifest_nested_without_end_is_no_manifest(tmp_path):
    (tmp_path / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(bt.ResultsError, match="it is not JSON"):
        bt.Study.load(tmp_path)
