"""What meets a published number, and what a miss says."""

import numpy as np
import pytest

from backtest.anchors.anchor import Anchor, half_unit
from backtest.types import DataError


def compared(published, ours, **terms):
    return Anchor("a question", "a book, p. 1", published, lambda: ours, **terms).compare()


@pytest.mark.parametrize(
    ("published", "ours", "is_met"),
    [
        ("0.46147", 0.461474, True),
        ("0.46147", 0.461465, True),
        ("0.46147", 0.4614751, False),
        ("0.46147", 0.46146, False),
        ("0.5", 0.5499, True),
        ("0.5", 0.5501, False),
        ("0.500", 0.5006, False),
        ("9,166,804,066.41", 9166804066.4149, True),
        ("9,166,804,066.41", 9166804066.42, False),
        ("-3,330", -3330.4, True),
        ("-3,330", 3330.0, False),
        ("14200000000", 14200000000.4, True),
        ("14200000000", 14200000001.0, False),
        ("1086219.458910127", 1086219.4589101272, True),
        ("1086219.458910127", 1086219.458910130, False),
        ("3.4583457264592e-07", 3.4583457264592e-07, True),
        ("3.4583457264592e-07", 3.4583457264593e-07, False),
        ("green", "green", True),
        ("green", "red", False),
        ("green", 1.0, False),
        ("1", "green", False),
        ("NA", float("nan"), True),
        ("", float("nan"), False),
        ("NA", 0.0, False),
        ("0", float("nan"), False),
        ("Inf", float("inf"), True),
        ("-Inf", float("inf"), False),
        ("1.5", float("inf"), False),
        ("word", float("nan"), False),
    ],
)
def test_half_a_unit_of_the_last_printed_digit_meets(published, ours, is_met):
    assert compared(published, ours).is_met is is_met


def test_another_difference_may_be_allowed():
    assert compared("3,330", 3333.4, within=5.0).is_met
    assert not compared("3,330", 3335.1, within=5.0).is_met
    assert not compared("3.498", 3.49878, within=1e-4).is_met


def test_what_is_endless_is_near_nothing():
    assert not compared("Inf", 1.0, within=float("inf")).is_met
    assert not compared("1.0", float("inf"), within=float("inf")).is_met
    assert compared("Inf", float("inf"), within=0.0).is_met


def test_the_tolerance_is_that_of_the_digits_and_never_of_the_answer():
    assert half_unit("0.0813") == pytest.approx(5e-5)
    assert half_unit("100") == pytest.approx(0.5)
    assert half_unit("100.00") == pytest.approx(0.005)
    assert Anchor("", "", "1.0", lambda: 1.0, within=0.25).allowed == 0.25


def test_an_error_is_a_miss_and_says_itself():
    def refuse():
        raise DataError("row 3: no bucket 99.")

    def break_off():
        raise KeyError("bucket")

    refused = Anchor("a margin", "a book", "1.0", refuse).compare()
    broken = Anchor("a margin", "a book", "1.0", break_off).compare()
    assert not refused.is_met and "row 3: no bucket 99." in str(refused)
    assert not broken.is_met and "KeyError: 'bucket'" in str(broken)


def test_a_miss_names_both_numbers_the_difference_and_the_source():
    assert str(compared("0.46147", 0.47)) == (
        "a question: published is 0.46147, ours 0.4700000, +0.0085 away (at most 5e-06); "
        "a book, p. 1"
    )


@pytest.mark.parametrize(
    ("published", "ours", "shown"),
    [
        ("0.46147", 0.4614664, "0.4614664"),
        ("6", 6.0, "6"),
        ("6", 6.25, "6.25"),
        ("10,000", 9999.996, "10,000.00"),
        ("3.458e-07", 3.4583457264592e-07, "3.4583457264592e-07"),
        ("1086219.458910127", 1086219.458910127, "1086219.458910127"),
        ("green", "red", "red"),
        ("NA", float("nan"), "nan"),
        ("2.5", np.float64(2.5), "2.500"),
    ],
)
def test_ours_has_two_digits_more(published, ours, shown):
    assert compared(published, ours).answer == shown
