"""Names survive a CSV file, whatever they look like, and no spreadsheet computes one."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as h

from backtest.present.csv_table import FORMULA, read_csv, write_csv

AWKWARD = ["NA", "nan", "null", "None", "", "001", "002", "1e3", "True", "=1+1", "+x", "-x", "@a"]
AWKWARD += ["\r", "a\rb", "a\r\nb", "\x00"]
names = h.lists(
    h.text(h.characters(exclude_categories=("Cs",)), max_size=20) | h.sampled_from(AWKWARD),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(names=names)
def test_names_of_books_models_and_columns_come_back(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    wide = {f"c{name}": range(len(names)) for name in names}
    table = pd.DataFrame(wide, index=pd.Index(names, name="portfolio"))
    write_csv(table, path)
    back = read_csv(path)
    assert back["portfolio"].tolist() == names
    assert back.columns[1:].tolist() == list(wide)
    both = pd.DataFrame({"model": names, "portfolio": names[::-1], "reason": names, "x": 0.5})
    write_csv(both.set_index(["model", "portfolio"]), path)
    pd.testing.assert_frame_equal(read_csv(path), both, check_dtype=False)


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "=HYPERLINK(1)"])
def test_no_cell_begins_like_a_formula(tmp_path, name):
    path = tmp_path / "table.csv"
    index = pd.MultiIndex.from_tuples([(name, "a"), ("b", name)], names=["model", "portfolio"])
    table = pd.DataFrame({name: [name, "x"], "number": [-1.5, 2.0]}, index=index)
    write_csv(table, path)
    cells = [cell for line in path.read_text().splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell.startswith(FORMULA) and cell != "-1.5"]
    assert "-1.5" in cells  # a number stays one


def test_a_table_without_such_names_is_written_as_pandas_writes_it(tmp_path):
    table = pd.DataFrame({"a": [1.0, None], "b": ["x", None]}, index=pd.Index([3, 4], name="row"))
    write_csv(table, tmp_path / "ours.csv")
    table.to_csv(tmp_path / "theirs.csv", lineterminator="\n")
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()


def test_a_row_that_was_cut_off_is_no_table(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(ValueError, match="rows of"):
        read_csv(tmp_path / "table.csv")
