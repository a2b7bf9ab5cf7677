"""A small study with customers, firms and houses."""

from pathlib import Path

from tests.support.commands import write_prices, write_study

STRUCTURE = """
[books."hedged"]
risk = { UST10Y = 1, "ZN~curve" = -1 }

[structure]
draws = 20
accounts = [
  { account = "long both", firm = "A", resources = 0.0 },
  { account = "hedged", firm = "A" },
  { account = "coin", firm = "A", kind = "house" },
]
firms = { A = { capital = 1e5 } }
"""
STRESS = """
[stress]
worst_days = 2

[limits.account]
stress_loss = 1.0
concentration = 0.6

[limits.firm]
stress_loss = 1.0
leverage = 10.0
"""


def write_structured(folder: Path, *, structure: str = STRUCTURE, days: int = 300) -> Path:
    """Prices, and a study of three accounts of one firm at two houses."""
    write_prices(folder / "prices", days=days)
    study = write_study(folder, source=folder / "prices")
    study.write_text(study.read_text() + structure)
    return study
