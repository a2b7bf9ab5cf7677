"""The declarations of the study that was read last: what names of columns and factors mean.

Names are looked up where a study is read: books hold the instruments themselves, so that workers
and later readings do not depend on what is in force here.
"""

from collections.abc import Mapping

from backtest.instruments.contracts import Contract, contract_terms
from backtest.instruments.declared.bond import SpreadBond, YieldBond
from backtest.instruments.declared.price import DeclaredPrice
from backtest.instruments.declared.table import NO_ROLL, Declaration
from backtest.instruments.protocol import Instrument
from backtest.workers import at_start

_in_force: dict[str, Declaration] = {}


def declare(declarations: Mapping[str, Declaration]) -> None:
    """Let names mean these instruments, here and in workers, and no others declared before.

    Examples
    --------
    >>> declare({"SOL": Declaration(kind="coin")})
    >>> declared_instrument("SOL", None).asset_class, list(in_force())
    ('crypto', ['SOL'])
    >>> declare({})
    """
    given = dict(declarations)
    _in_force.clear()
    _in_force.update(given)
    at_start[declare] = (given,)


def in_force() -> Mapping[str, Declaration]:
    """The declarations by name."""
    return dict(_in_force)


def declared_instrument(name: str, silo: str | None) -> Instrument | None:
    """The instrument of that name, at `silo` or at home; None where none is declared."""
    terms = _in_force.get(name)
    if terms is None:
        return None
    if terms.kind != "bond":
        return DeclaredPrice(name, terms, silo or terms.silo)
    bond = YieldBond if terms.duration is None else SpreadBond
    return bond(name, terms, silo or terms.silo)


def declaration_of_factor(factor: str) -> Declaration | None:
    """The declaration that says where a factor is found; None where none does."""
    return next((d for name, d in _in_force.items() if (d.factor or name) == factor), None)


def contract_of(factor: str) -> Contract | None:
    """Terms of a declared future that rolls, by its factor; None of anything else."""
    terms = declaration_of_factor(factor)
    if terms is None or terms.roll == NO_ROLL:
        return None
    return Contract(
        title=factor,
        reference=terms.reference,
        multiplier=terms.multiplier or 1.0,
        last_trading=terms.roll,
        cycle=terms.months,
    )


def terms_of_future(factor: str) -> Contract:
    """Terms of a future that rolls, declared or of `contracts.toml`; StudyError if there are none.

    Examples
    --------
    >>> terms_of_future("ZN").reference
    '7Y'
    """
    return contract_of(factor) or contract_terms(factor)
