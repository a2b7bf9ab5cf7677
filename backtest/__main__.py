"""`python -m backtest`, and the `backtest` command; loading it can be interrupted, too."""

import os
import sys

# `python -m` puts the present folder first, where a file could stand in for an installed module.
if sys.path[0] in ("", os.getcwd()):
    sys.path[:] = [*sys.path[1:], ""]


def main() -> None:
    """Load the command line and run it; an interrupt while it loads is one line, too."""
    try:
        from backtest.cli import main as run
    except KeyboardInterrupt:
        print("backtest: interrupted; no result was written", file=sys.stderr, flush=True)
        os._exit(2)  # after an interrupted import Python would end by the signal instead
    run()


if __name__ == "__main__":
    main()
