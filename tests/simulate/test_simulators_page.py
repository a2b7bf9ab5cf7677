"""The tables of the page of simulators are what the program computes of real prices."""

import re

import pytest

from backtest.simulate import SIMULATORS
from tests.support.places import PRICES, needs_prices
from tests.tools.write_simulators import PAGE, tables, written


def test_every_simulator_has_a_row():
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^(?:\| |- )`(\w+)`", text, re.MULTILINE)
    assert set(rows) == set(SIMULATORS)


@pytest.mark.slow
@needs_prices
def test_the_tables_are_those_that_the_program_prints():
    page = PAGE.read_text(encoding="utf-8")
    assert written(page, tables(PRICES)) == page
