"""The prices of a study file: how its files are read, and what an examination of them finds."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from backtest.config.load import load_study, position_names, study_factors
from backtest.config.schema import StudyFile
from backtest.data.columns import factor_column
from backtest.data.inspection import Inspection, inspect_factors
from backtest.data.layouts.how import How
from backtest.data.load import DEFAULT_FACTORS, load_with_sources
from backtest.data.raw_columns import SourceFile
from backtest.data.sample import sample_market
from backtest.instruments import parse_instrument
from backtest.instruments.contracts import known_contracts
from backtest.instruments.names import known_form
from backtest.market.calendars import Clock
from backtest.market.examination import Accepted
from backtest.market.market import Market
from backtest.types import DataError, StudyError


def said_of_files(config: StudyFile) -> dict[str, How]:
    """What a study file says of how files are read, and its declarations do, by file name."""
    hows = {name: How(**table.model_dump()) for name, table in config.data.files.items()}
    factors = study_factors(config)
    for name, declared in config.instruments.items():
        factor = declared.factor or name
        if declared.file and factor in factors:
            how = hows.get(declared.file, How())
            hows[declared.file] = replace(
                how,
                columns={factor: declared.column, **how.columns},
                unit=how.unit or ("percent" if declared.is_yield else "USD"),
            )
    return hows


def load_prices(config: StudyFile, *, clock: Clock) -> tuple[Market, list[SourceFile]]:
    """Prices of a study file on a clock, with the files they were read from."""
    try:
        return load_with_sources(
            config.data.source,
            factors=study_factors(config) or None,
            start=config.data.start,
            end=config.data.end,
            clock=clock,
            calendar=config.clock.calendar,
            contracts=config.data.contracts,
            files=said_of_files(config),
            accept=_accepted(config),
            earlier=config.data.earlier,
        )
    except DataError:
        _refuse_unknown(config)
        _refuse_on_sample(config)
        raise


def _refuse_on_sample(config: StudyFile) -> None:
    """Say of a factor that the sample does not have where its prices are to come from."""
    if config.data.source != "sample":
        return
    known = sample_market().factors
    missing = [factor for factor in study_factors(config) if factor not in known]
    if missing:
        files = dict.fromkeys(factor_column(factor).file for factor in missing)
        raise DataError(
            f"the simulated sample has no factor {missing[0]!r}; pass --data FOLDER, a folder of "
            f"prices that holds {' and '.join(files)}. The sample has {', '.join(known)}."
        )


def inspect_study(path: Path) -> Inspection:
    """How the prices of a study file are read, and what an examination finds; nothing is run."""
    config, _ = load_study(path)
    return inspect_factors(
        Path(config.data.source),
        study_factors(config) or DEFAULT_FACTORS,
        files=said_of_files(config),
        contracts=config.data.contracts,
        accept=_accepted(config),
        end=config.data.end,
    )


def _accepted(config: StudyFile) -> list[Accepted]:
    return [Accepted(**entry.model_dump()) for entry in config.data.accept]


def _refuse_unknown(config: StudyFile) -> None:
    """Name the position, in a study that declares some, that is neither declared nor in a file."""
    folder = Path(config.data.source)
    if not config.instruments or not folder.is_dir():
        return
    for name, where in position_names(config).items():
        instrument = parse_instrument(name)
        code = name.partition("@")[0]
        if code in config.instruments or known_form(code):
            continue
        file = factor_column(instrument.factor).file
        if not (folder / file).exists():
            close = get_close_matches(code, [*config.instruments, *known_contracts()], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise StudyError(
                f"{where}: unknown instrument {code!r}; it is not declared, and {folder.name}/ has "
                f"no {file}. Declared: {', '.join(config.instruments)}.{hint}"
            )
