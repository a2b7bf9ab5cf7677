"""What documents are written with may be there and broken: that is told before any work."""

import pytest

from backtest.present.document import write
from backtest.types import ResultsError


@pytest.mark.parametrize("error", [ImportError("DLL\nload failed"), OSError("no such symbol")])
def test_an_extra_that_cannot_be_loaded_is_refused_in_one_line(monkeypatch, error):
    def fails(name):
        raise error

    monkeypatch.setattr(write, "import_module", fails)
    with pytest.raises(ResultsError, match="python-docx.* cannot be loaded .*install") as refused:
        write.need_report_extra()
    assert "\n" not in str(refused.value)


def test_both_packages_of_the_extra_are_loaded_before_any_work(monkeypatch):
    loaded = []
    monkeypatch.setattr(write, "import_module", loaded.append)
    write.need_report_extra()
    assert loaded == ["docx", "typst"]
