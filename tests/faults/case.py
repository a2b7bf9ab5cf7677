"""One bad input, and how the program must end on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class End(StrEnum):
    """How a command ended."""

    REFUSED = "refused"  # one line on stderr, exit code 2
    ACCEPTED = "accepted"  # exit code 0, or the inputs were read and the run began
    FAILED = "failed"  # exit code 1: a gate failed or a rerun drifted
    TRACEBACK = "traceback"
    UNCLEAR = "unclear"  # any other exit code, or more than one line
    HANG = "hang"
    BLOW_UP = "blow-up"  # of memory


SANE = frozenset({End.REFUSED, End.ACCEPTED, End.FAILED})


@dataclass(frozen=True)
class Case:
    """Files in an empty folder, a command run in it, and the ends that are right.

    Parameters
    ----------
    kind : of fault; cases of a kind are counted together.
    name : of the case, with the value that makes it.
    arguments : of `backtest`.
    files : contents by name; None makes a folder of that name.
    right : ends that are right; any sane one where the case is there to be survived.
    must_say : words that the refusal has to hold.
    stop_at_inputs : end as accepted once the inputs are read; False runs the command to its end.
    seconds : after which it is taken for a hang; a refusal takes one where nothing else runs.
    prepare : done in the folder before the command, for what no content describes.
    shell : run in place of the arguments, in a process that begins afresh.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]
    files: dict[str, bytes | None] = field(default_factory=dict)
    right: frozenset[End] = SANE
    must_say: str = ""
    stop_at_inputs: bool = True
    seconds: float = 120.0
    prepare: Callable[[Any], None] | None = None
    shell: str = ""


REFUSE = frozenset({End.REFUSED})
ACCEPT = frozenset({End.ACCEPTED})
