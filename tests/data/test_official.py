"""The Treasury and FRED: CSV made by hand, and a server on this machine that misbehaves."""

import threading
from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from backtest.data.guards import HostError
from backtest.data.official import Fred, Treasury
from backtest.data.sources import Settings, settings
from backtest.data.web import RateLimited, Web, patiently
from backtest.types import DataError, StudyError
from tests.support.hosts import reply, server
from tests.support.publishers import column_of

# Headings, order and date format of the two publishers' files; the values are made up.
CURVE_2023 = """Date,"1 Mo","3 Mo","10 Yr"
12/29/2023,5.60,5.40,3.88
12/28/2023,5.57,,3.84
"""
CURVE_2024 = """Date,"1 Mo","1.5 Month","3 Mo","4 Mo","10 Yr"
01/03/2024,5.54,5.53,5.48,5.41,3.91
01/02/2024,5.55,5.54,5.46,5.41,N/A
"""
DGS10 = "observation_date,DGS10\n2024-01-01,\n2024-01-02,3.95\n2024-01-03,.\n2024-01-04,3.99\n"


class Pages:
    """A `Web` that hands out pages by address and remembers which were asked for."""

    def __init__(self, **pages):
        self.pages, self.asked = pages, []

    def get(self, url):
        self.asked.append(url)
        page = self.pages[url]
        if isinstance(page, list):
            page = page.pop(0)
        if isinstance(page, BaseException):
            raise page
        return page


def treasury(**years):
    return Treasury(Pages(**{f"y{year[1:]}": page for year, page in years.items()}), "y{year}")


def maturity(heading, starts=date(2023, 1, 3)):
    return column_of(heading).model_copy(update={"starts": starts})


def test_the_curve_is_one_request_a_year_whatever_the_columns():
    source = treasury(_2023=CURVE_2023, _2024=CURVE_2024)
    ten = source.history(maturity("10 Yr"), date(2024, 1, 4))["value"].sort_index()
    assert [f"{d:%Y-%m-%d}" for d in ten.index] == [
        "2023-12-28",
        "2023-12-29",
        "2024-01-02",
        "2024-01-03",
    ]
    assert ten.dropna().tolist() == [3.84, 3.88, 3.91]
    four = source.history(maturity("4 Mo", date(2022, 10, 19).replace(year=2023)), date(2024, 1, 4))
    assert four["value"].dropna().tolist() == [5.41, 5.41]
    assert source.web.asked == ["y2023", "y2024"]


def test_a_year_is_not_asked_for_again_after_too_many_requests():
    source = treasury(_2023=CURVE_2023, _2024=[RateLimited(), CURVE_2024])
    waits: list[float] = []
    patiently(
        lambda: source.history(maturity("10 Yr"), date(2024, 1, 4)),
        who="treasury",
        back_off=(30,),
        sleep=waits.append,
    )
    assert source.web.asked == ["y2023", "y2024", "y2024"]
    assert waits == [30]


def test_the_running_year_may_be_empty_and_a_past_one_may_not():
    empty = 'Date,"1 Mo","10 Yr"\n'
    source = treasury(_2023=CURVE_2023, _2024=empty)
    assert len(source.history(maturity("10 Yr"), date(2024, 1, 1))) == 2
    with pytest.raises(DataError, match="no row for 2023"):
        treasury(_2023=empty).history(maturity("10 Yr"), date(2024, 1, 4))


def test_fred_sends_one_series_with_empty_holidays():
    column = maturity("DGS10")
    source = Fred(Pages(at=DGS10), "at")
    got = source.history(column, date(2024, 1, 5))["value"]
    assert got.dropna().to_dict() == {
        pd.Timestamp("2024-01-02"): 3.95,
        pd.Timestamp("2024-01-04"): 3.99,
    }
    old = Fred(Pages(at=DGS10.replace("observation_date", "DATE")), "at")
    pd.testing.assert_series_equal(old.history(column, date(2024, 1, 5))["value"], got)
    with pytest.raises(DataError, match=r"sent \['DGS2'\] when asked for DGS10"):
        Fred(Pages(at=DGS10.replace("DGS10", "DGS2")), "at").history(column, date(2024, 1, 5))


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><html>date of maintenance</html>",
        "",
        "observation_date,DGS10\n2024-01-02,3.95\n01/03/2024,3.9\n",
        "observation_date,DGS10\n2024-01-02,four\n",
    ],
)
def test_what_is_no_table_is_one_line(page):
    with pytest.raises(DataError, match="FRED .DGS10. sent") as caught:
        Fred(Pages(at=page), "at").history(column_of("DGS10"), date(2024, 1, 5))
    assert "\n" not in str(caught.value)


def test_each_answer_of_a_host_is_told_apart():
    waits: list[float] = []
    web = Web(5.0, pause=1.0, sleep=waits.append)
    with server(reply(200, "\ufeffDate,A\n".encode())) as url:
        assert web.get(url) == "Date,A\n"
    with server(reply(429)) as url, pytest.raises(RateLimited):
        web.get(url)
    with server(reply(404)) as url, pytest.raises(DataError, match="answered 404") as caught:
        web.get(url)
    assert not isinstance(caught.value, HostError)  # one series is gone, the host is not
    for status in (403, 500, 503):
        with server(reply(status)) as url, pytest.raises(HostError, match=f"answered {status}"):
            web.get(url)
    with server(reply(200, b"Date,A\n2024", length=500)) as url:
        with pytest.raises(HostError, match="cannot reach"):  # cut off half-way
            web.get(url)
    with server(reply(200, b"\xff\xfe\x00")) as url, pytest.raises(DataError, match="not text"):
        web.get(url)
    with pytest.raises(HostError, match="cannot reach 127.0.0.1"):
        web.get(url)  # nobody listens any more
    assert waits == [1.0] * 8


def test_a_host_that_is_silent_is_given_up():
    released = threading.Event()
    with server(lambda handler: released.wait(10)) as url:
        with pytest.raises(HostError, match="timed out"):
            Web(0.2, pause=0.0, sleep=float).get(url)
        released.set()


def test_settings_name_every_file_once_for_each_publisher():
    assert len({f.name for f in settings().chosen()}) == len(settings().chosen())
    assert [f.source for f in settings().chosen(("treasury_par_yields.csv",))] == ["treasury"]
    with pytest.raises(StudyError, match=r"no source has 'gold.csv'; known: treasury_par_yields"):
        settings().chosen(("gold",))
    with pytest.raises(StudyError, match="unknown yields 'yahoo'; known: treasury, fred"):
        settings().chosen(yields="yahoo")


def test_a_file_of_an_unknown_publisher_is_refused():
    fields = settings().model_dump(by_alias=True)
    del fields["publisher"]["fred"]
    with pytest.raises(ValidationError, match=r"no \[publisher.fred\], which a file names"):
        Settings.model_validate(fields)
