"""The stress test of a protection study: its accounts, firms, and what stands behind them."""

from backtest.clearing.setting import Setting
from backtest.model.asking import required_margin
from backtest.present.exhibit import Section
from backtest.replay.protection import Protection
from backtest.replay.provenance import Provenance
from backtest.stress import StressResult
from backtest.studies.inputs import Inputs
from backtest.studies.protect.arranged import ArrangedStress
from backtest.studies.stress.asked import stress_plan, study_stress
from backtest.studies.stress.backing import assumed_backing
from backtest.studies.stress.sections import stress_sections
from backtest.studies.stress.tables import furthest
from backtest.types import Progress

ABOUT = (
    "Margins in the tables up to the limits are those that each model asks for the whole account, "
    "times the firm's multiplier, whatever the arrangement; the two sections after them tell "
    "arrangements apart. What is not stated of accounts, firms and houses is assumed."
)


def protect_stress(inputs: Inputs, setting: Setting, progress: Progress) -> StressResult | None:
    """The stress test that a study asks for; None where it asks for none.

    setting : of any arrangement: resources, capital and funds are the same in all.

    Raises
    ------
    StudyError : what these prices do not have.
    """
    if inputs.config.stress_terms() is None:
        return None
    market, book, coverage = inputs.market, inputs.book, inputs.config.standard()
    backing = assumed_backing(setting)
    stress_plan(inputs.config, market, backing)  # refuses before any margin is computed
    required = {
        name: required_margin(model, market, book, coverage) * setting.multiplier
        for name, model in inputs.models.items()
    }
    return study_stress(
        inputs.config, market, book, required, base=inputs.base, backing=backing, progress=progress
    )


def arranged_stress(
    inputs: Inputs, protection: Protection, progress: Progress
) -> ArrangedStress | None:
    """The same by arrangement, through close-out and waterfall; None where no test is asked for."""
    setting = next(iter(protection.settings.values()))
    plan = stress_plan(inputs.config, inputs.market, assumed_backing(setting))
    return None if plan is None else ArrangedStress.of(protection, plan, progress)


def protect_stress_sections(result: StressResult | None, provenance: Provenance) -> list[Section]:
    """The sections of `backtest protect` that a stress test fills; none without one."""
    if result is None:
        return []
    return stress_sections(
        result,
        furthest(result),
        scenarios=provenance.study["stress"]["parameters"],
        footnote=provenance.footnote(),
        simulated=provenance.prices.simulated,
        about=ABOUT,
    )
