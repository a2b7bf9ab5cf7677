"""Tests of many exceedance records at once, against one record after another."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import chi2

from backtest.kernels.compile import kernel
from backtest.scores.checks import column_blocks
from backtest.scores.exceedances.many_waits import between_statistics
from backtest.scores.exceedances.waiting import time_between_exceedances
from backtest.scores.overlapping.panel import PackedRecords, every_day, pack_records, panel_tests
from backtest.types import BoolArray, FloatArray
from tests.bench.timing import Table, timed

CONFIDENCE = 0.99


@kernel
def bare_words(words: NDArray[np.uint64]) -> np.uint64:
    """Read every word once: the least that counting can do."""
    total = np.uint64(0)
    for row in words:
        for word in row:
            total ^= word
    return total


def one_by_one(panel: BoolArray) -> FloatArray:
    """Kupiec and Christoffersen of each record in turn, as one writes them with scipy."""
    found = np.empty((3, panel.shape[1]))
    for r, hit in enumerate(panel.T):
        days, count = len(hit), hit.sum()
        before, after = hit[:-1], hit[1:]
        n11, n10 = (before & after).sum(), (before & ~after).sum()
        n01, n00 = (~before & after).sum(), (~before & ~after).sum()
        seen, rate = count / days, 1 - CONFIDENCE
        calm = n01 / max(n00 + n01, 1)
        stressed = n11 / max(n10 + n11, 1)
        overall = (n01 + n11) / (days - 1)
        kupiec = 2 * (xlogy(days - count, (1 - seen) / CONFIDENCE) + xlogy(count, seen / rate))
        chain = xlogy(n00, 1 - calm) + xlogy(n01, calm) + xlogy(n10, 1 - stressed)
        chain += xlogy(n11, stressed)
        alone = xlogy(n00 + n10, 1 - overall) + xlogy(n01 + n11, overall)
        independence = max(2 * (chain - alone), 0.0) if n10 + n11 else np.nan
        found[:, r] = (
            chi2.sf(kupiec, 1),
            chi2.sf(independence, 1),
            chi2.sf(kupiec + independence, 2),
        )
    return found


def panels(records: int, days: int, rng: np.random.Generator) -> Table:
    """Coverage tests of a million records, from bits and from bytes, against scipy's loop."""
    words = np.empty((-(-days // 64), records), np.uint64)
    for columns in column_blocks(days, records):
        block = rng.random((days, columns.stop - columns.start), dtype=np.float32) < 1 - CONFIDENCE
        words[:, columns] = pack_records(block).exceeded
    packed = PackedRecords(days, words, every_day(days))
    # Two records a thousand miss a day: the plane of known days is read as well.
    known = np.repeat(every_day(days), records, axis=1)
    known[0, ::500] &= ~words[0, ::500] & ~np.uint64(2)
    gaps = PackedRecords(days, words & known, known)
    few, some = 500, 20_000
    bits = np.unpackbits(words[:, :some].T.copy().view(np.uint8), axis=1, bitorder="little")
    panel = bits[:, :days].T == 1
    sample = np.ascontiguousarray(panel[:, :few])

    def ours() -> FloatArray:
        found = panel_tests(packed, confidence=CONFIDENCE)
        return np.array(
            [found.kupiec_p[:few], found.independence_p[:few], found.conditional_p[:few]]
        )

    np.testing.assert_allclose(ours(), one_by_one(sample), rtol=1e-9, atol=1e-300)
    return timed(
        f"Kupiec and Christoffersen, {records:,} records x {days} days, per record",
        {
            "panel_tests, from packed bits": (ours, records),
            "the same, some days missing": (lambda: panel_tests(gaps), records),
            f"packing and tests, {some:,} records": (
                lambda: panel_tests(pack_records(panel)),
                some,
            ),
            f"scipy, one by one ({few} records)": (lambda: one_by_one(sample), few),
            "bare pass (reads every word)": (lambda: bare_words(words), records),
        },
    )


def waits(records: int, days: int, rng: np.random.Generator) -> Table:
    """Tests of waiting times of all accounts of a validation, against one account after another."""
    marked = rng.random((days, records)) < 1 - CONFIDENCE
    few = marked[:, :200]

    def alone() -> FloatArray:
        results = [time_between_exceedances(record, confidence=CONFIDENCE) for record in few.T]
        return np.array([result.statistic for result in results])

    np.testing.assert_allclose(between_statistics(few, CONFIDENCE), alone(), rtol=1e-9)
    return timed(
        f"Waiting times, {records:,} records x {days} days, per record",
        {
            "all at once": (lambda: between_statistics(marked, CONFIDENCE), records),
            "one by one (200 records)": (alone, few.shape[1]),
        },
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield panels(1_000_000, 1000, rng)
    yield waits(10_000, 1250, rng)
