"""What overlays take from the rules: Article 28 of EMIR, and settings that no rule fixes."""

from backtest.parameters.terms import Terms


class Article28(Terms):
    """The numbers of the three options of Article 28(1)."""

    buffer: float
    stress_weight: float
    floor_years: int


class Assumed(Terms):
    """Settings of this package, in margin days and shares."""

    year_days: int
    anchor_days: int
    stress_days: int
    floor_step: int
    most_up: float
    most_down: float
    participation: float
    minimum_rate: float
    break_windows: int
    break_days: int
    break_deviations: float
    cap_quantile: float
    cap_days: int
