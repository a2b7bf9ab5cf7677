"""The stress test of a run: of its named books, on the day that the study asks."""

from dataclasses import dataclass, replace

from backtest.config.structure import build_structure
from backtest.replay.study import Study
from backtest.stress import Backing, StressResult
from backtest.studies.inputs import Inputs
from backtest.studies.stress.asked import stress_plan, study_stress
from backtest.studies.stress.backing import stated_backing
from backtest.types import Progress


@dataclass(frozen=True, eq=False)
class RunStress:
    """A stress test that is asked for, or none.

    Parameters
    ----------
    inputs : of the run, with the stress test that can be made on its prices.
    backing : what the structure states of firms; None without a structure or a stress test.
    """

    inputs: Inputs
    backing: Backing | None

    @classmethod
    def of(cls, inputs: Inputs, path: int | None) -> "RunStress":
        """The stress test of a study; on a simulated path no day is what the calendar calls so.

        Raises
        ------
        StudyError : what these prices, or this structure, do not have.
        """
        config, backing = inputs.config, None
        if path is not None and config.stress is not None:
            table = config.stress.model_copy(update={"day": "", "days": ()})
            config = config.model_copy(update={"stress": table})
        if config.structure is not None and config.stress_terms() is not None:
            structure = build_structure(config.structure, config.beside)
            backing = stated_backing(structure.of(inputs.named_book))
        stress_plan(config, inputs.market, backing)
        return cls(replace(inputs, config=config), backing)

    def result(self, study: Study, progress: Progress) -> StressResult | None:
        """The tables, with the margins of the study; None where no test is asked for."""
        inputs, book = self.inputs, self.inputs.named_book
        names = list(book.portfolios)
        return study_stress(
            inputs.config,
            inputs.market,
            book,
            {model: margin[names].to_numpy() for model, margin in study.required.items()},
            base=inputs.base,
            backing=self.backing,
            progress=progress,
        )
