"""Commands that are killed leave no half result, process, line or file; `__main__` kills more."""

import pytest

from tests.signals.kills import COMMANDS, WAYS, Place, plan


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_are_killed_leave_nothing_behind(tmp_path, command):
    place = Place(tmp_path)
    for i, kill in enumerate(plan(place, COMMANDS[command], len(WAYS), seed=2)):
        ended = place.end(kill, f"results-{i}")
        assert not ended.faults, ended
