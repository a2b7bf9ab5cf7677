"""docs/cases.md tells the numbers of today, computed again from real prices."""

import pytest

from tests.support.case_numbers import NAMES, told
from tests.support.commands import typed
from tests.support.places import ROOT

DOC = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")


def rows(mark: str) -> list[str]:
    """Rows of a table of the page, without its head."""
    part = DOC.split(f"<!-- {mark} -->")[1].split(f"<!-- end of {mark} -->")[0]
    return part.strip().splitlines()[2:]


@pytest.mark.slow
def test_every_table_of_the_page_is_that_of_today(real_data, tmp_path):
    folders = {}
    for name in NAMES:
        done = typed("protect", name, "--data", real_data, "--out", tmp_path / name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (folders[name],) = (tmp_path / name).iterdir()
    lines = told(folders)
    assert len(lines) == DOC.count("<!-- end of ")
    for mark, of_today in lines.items():
        assert rows(mark) == of_today, mark
