"""What a finding is about: bounds that were measured, and rejections that no offset caused."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from backtest.studies.dossier.outcome_findings import _of_the_base, bound_findings


def test_a_pool_that_no_world_is_like_is_not_counted_among_the_measured():
    ladder = pd.DataFrame(
        {"total_bound": 0.1, "unsafe": [0.02, np.nan], "unsafe_worst": 0.095},
        index=["pool", "control"],
    )
    told = {
        f.key: f.sentence for f in bound_findings(SimpleNamespace(label="s", ladder=ladder), "m")
    }
    assert "1 of 2 pools: 'control'" in told["bounds-unmeasured/s"]
    assert "for 1 of 1 pools" in told["bounds-unsafe/s"]


def test_a_rejection_is_of_the_base_where_the_margin_is_the_silos_every_day():
    days = pd.bdate_range("2024-01-01", periods=3)
    siloed = pd.DataFrame({"one silo": [1.0, 2.0, 3.0], "pool": [4.0, 5.0, 6.0]}, index=days)
    offset = siloed.assign(pool=[4.0, 5.0, 5.5])
    study = SimpleNamespace(required={"siloed": siloed, "offset": offset}, scored=days)
    each = SimpleNamespace(study=study, origin=SimpleNamespace(siloed_model="siloed"))
    assert "what is rejected is no offset" in _of_the_base(each, "offset", "one silo")
    assert _of_the_base(each, "offset", "pool") == _of_the_base(each, "siloed", "one silo") == ""
