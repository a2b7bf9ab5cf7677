"""What the footnotes of an offset study's figures share."""

from typing import TYPE_CHECKING

from backtest.present.words import source_words, standard_words, version_words

if TYPE_CHECKING:
    from backtest.studies.offset.study import OffsetStudy

BOUND_WORDS = "one-sided 95 % lower bounds (stationary bootstrap of days, mean block 20)"


def offset_footnote(study: "OffsetStudy", *notes: str, models: bool = False) -> str:
    """Join a figure's notes with what all share: source, window, n, standard, base model, seed."""
    manifest, file = study.manifest, study.manifest["study"]
    confidence, mpor = file["coverage"]["confidence"], file["coverage"]["mpor"]
    standard = standard_words(
        {
            "coverage": {
                "confidence": confidence,
                "mpor": mpor if isinstance(mpor, dict) else {"every silo": mpor},
            },
            "rebalance": file["rebalance"],
            **{key: manifest[key] for key in ("liquidation",) if key in manifest},
        }
    )
    data = manifest["data"]
    named = ""
    if models:
        kinds = {name: table["kind"] for name, table in file["models"].items()}
        shown = set(study.granted["series"])
        named = " Models: " + ", ".join(f"{n} ({k})" for n, k in kinds.items() if n in shown) + "."
    return " ".join(
        [
            *notes,
            f"Source: {source_words(manifest)}, {data['first']} to {data['last']}; scored n = "
            f"{int(study.ladder['observations'].max()):,} days; {standard}. "
            f"Base model of each silo: {manifest['base']}; seed {manifest['seed']}.{named} "
            f"{version_words(manifest)}.",
        ]
    )
