"""What a deploy says, in both manners."""

import io

import pytest

from devenv.base.console import Console
from devenv.ops.story import Dialect, Steps, Story


def told(has_phase: bool, verify: str, *, fails: bool = False) -> list[str]:
    err = io.StringIO()
    console = Console(io.StringIO(), err)
    story: Story = Dialect(console, lambda number, phase: console.say(f"Released v{number}"), verify)
    story.released(7, has_phase)
    if has_phase:
        story.phase_line("migrating")
    if fails:
        with pytest.raises(ValueError, match="no"), story.waiting():
            raise ValueError("no")
    else:
        with story.waiting() as step:
            step.note = "web 0/1"
    return err.getvalue().splitlines()


def test_a_push_without_a_release_command() -> None:
    assert told(False, "Verifying deploy...") == ["Released v7", "Verifying deploy... done."]


def test_a_push_with_a_release_command() -> None:
    phase = ["Verifying deploy... done.", "Running release command...", "", "migrating"]
    assert told(True, "Verifying deploy...") == ["Released v7", *phase, "Waiting for release.... done."]
    assert told(True, "Verifying deploy...", fails=True)[-1] == "Waiting for release.... failed."


def test_a_rollback_says_nothing_of_its_own_while_it_waits() -> None:
    assert told(False, "") == ["Released v7"]
    assert told(True, "")[1:] == ["Running release command...", "", "migrating", "Waiting for release.... done."]


def test_steps() -> None:
    err = io.StringIO()
    story: Story = Steps(Console(io.StringIO(), err))
    story.released(7, True)
    story.phase_line("migrating")
    story.phase_failed()
    with story.waiting():
        pass
    assert err.getvalue().startswith("Running release command...\n       migrating\n✓ Starting processes (")
