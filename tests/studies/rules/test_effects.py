"""What a change of an agreement does: to whom, and to which of the packaged books."""

import pytest

import strategies as st
from backtest.studies.rules.effects import models_of, version_effects

CONTROL = "control: 10Y against 5Y at CME"  # the one packaged book with Treasuries at two houses


def test_models_are_asked_with_the_settings_that_they_name_too():
    asked = dict(models_of("cme_ficc"))
    assert asked == {
        "cross_margining": st.CrossMargining(),
        "cross_margining (a customer)": st.CrossMargining(account="customer"),
    }
    assert dict(models_of("emir_27"))["emir_27 (one default fund)"].losses == "one default fund"


def test_the_third_agreement_changes_a_customers_margin_of_treasuries_alone(packaged_books):
    effects = dict(version_effects(packaged_books, "cme_ficc/2025", "cme_ficc/2026"))
    house, customer = effects["cross_margining"], effects["cross_margining (a customer)"]
    assert all(before == after for before, after in house.values())
    changed = {book for book, (before, after) in customer.items() if before != after}
    assert changed == {CONTROL}
    before, after = customer[CONTROL]
    assert after == pytest.approx(house[CONTROL][1]) and after < 0.5 * before
