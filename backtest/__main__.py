"""`python -m backtest`, and the `backtest` command; loading it can be interrupted, too."""

import os
import sys
from contextlib import suppress

# `python -m` puts the present folder first, where a file could stand in for an installed module.
with suppress(OSError):  # the folder may be gone, which the command line says
    if sys.path[0] in ("", os.getcwd()):
        sys.path[:] = [*sys.path[1:], ""]


def main() -> None:
    """Load the command line and run it; an interrupt at any moment is one line."""
    from backtest.interrupts import came, last_words, listen

    listen()
    try:
        from backtest.cli import main as run

        run()
    except SystemExit:
        raise
    except BaseException:  # an import that is interrupted can fail in any way
        if not came():
            raise
        code, line = last_words()
        print(f"backtest: {line}", file=sys.stderr, flush=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
