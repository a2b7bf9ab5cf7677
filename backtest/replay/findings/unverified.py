"""Which models rest on parameters that nobody has verified, and the mark they carry in tables."""

from backtest.replay.study import Study

MARK = "†"


def unverified_parameters(study: Study) -> dict[str, list[str]]:
    """Parameter files not verified, whole or in part, by model; verified models are absent."""
    marks = {
        model: [source.name for source in sources if source.mark != "verified"]
        for model, sources in study.provenance.parameters.items()
    }
    return {model: names for model, names in marks.items() if names}


def marked_name(study: Study, model: str) -> str:
    """Name of a model as tables show it: with a mark where its parameters are not all verified.

    Examples
    --------
    >>> import pandas as pd
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e8]}, index=["long"]), market)
    >>> study = bt.run(market, book, {"scan": st.Span(), "siloed": st.Siloed()})
    >>> marked_name(study, "scan"), marked_name(study, "siloed")
    ('scan †', 'siloed')
    """
    return f"{model} {MARK}" if model in unverified_parameters(study) else model


def unverified_sentence(study: Study) -> str:
    """What the mark means and which files it points to; empty where all is verified."""
    marks = unverified_parameters(study)
    if not marks:
        return ""
    files = "; ".join(f"{model}: {', '.join(names)}" for model, names in marks.items())
    return f"{MARK} Rests on parameters that are not verified, in whole or in part ({files})."
