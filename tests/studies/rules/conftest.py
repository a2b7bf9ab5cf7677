"""The packaged books, priced once."""

import pytest

from backtest.studies.rules.effects import PackagedBooks


@pytest.fixture(scope="session")
def packaged_books():
    return PackagedBooks.of(None)
