"""What people see, and what they must not see."""

import io
import re
import threading

import pytest

from devenv.base.console import Console, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(*, terminal: bool = False, **options: bool) -> tuple[Console, io.StringIO, io.StringIO]:
    kind = Terminal if terminal else io.StringIO
    out, err = kind(), kind()
    return Console(out, err, **options), out, err


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_stdout_is_data_stderr_the_story() -> None:
    shown, out, err = console()
    shown.out("data")
    shown.say("story")
    shown.warn("careful")
    assert out.getvalue() == "data\n"
    assert err.getvalue() == "story\n ›   Warning: careful\n"


def test_quiet_and_verbose() -> None:
    shown, out, err = console(quiet=True)
    shown.say("story")
    shown.detail("detail")
    shown.warn("careful")
    shown.out("data")
    with shown.step("working"):
        pass
    assert out.getvalue() == "data\n"
    assert err.getvalue() == " ›   Warning: careful\n"
    talking, _, told = console(verbose=True)
    talking.detail("detail")
    assert told.getvalue() == "       detail\n"
    assert console()[2].getvalue() == ""


def test_secrets_are_masked_in_all_but_data() -> None:
    shown, out, err = console(verbose=True)
    shown.mask = lambda text: text.replace("hunter2", "***")
    shown.say("say hunter2")
    shown.warn("warn hunter2")
    shown.detail("detail hunter2")
    with shown.step("step hunter2") as step:
        step.result = "hunter2"
    shown.out("hunter2")
    assert "hunter2" not in err.getvalue()
    assert err.getvalue().count("***") == 5
    assert out.getvalue() == "hunter2\n"  # `config` shows values because it was asked to


def test_the_spinner_s_small_print_is_masked_too() -> None:
    shown, _, err = console(terminal=True)
    shown.mask = lambda text: text.replace("hunter2", "***")
    with shown.step("working hunter2") as step:
        shown.detail("output hunter2")
        step.note = step.note or "note"
        threading.Event().wait(0.35)
    assert "hunter2" not in err.getvalue()


@pytest.mark.parametrize(
    ("terminal", "environment", "option", "colored"),
    [
        (True, {}, None, True),
        (False, {}, None, False),
        (True, {"NO_COLOR": "1"}, None, False),
        (True, {"NO_COLOR": ""}, None, True),  # no-color.org: when present and not an empty string
        (True, {}, False, False),
        (True, {"TERM": "dumb"}, None, False),
    ],
)
def test_color(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], option: bool | None, colored: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    kind = Terminal if terminal else io.StringIO
    shown = Console(kind(), kind(), color=option)
    assert shown.style("x", "red") == ("\x1b[31mx\x1b[0m" if colored else "x")
    if environment.get("TERM") != "dumb":
        assert shown.style("x", "red", "bold", out=True) == ("\x1b[31;1mx\x1b[0m" if colored else "x")


def test_a_step_leaves_one_line() -> None:
    shown, _, err = console()
    with shown.step("building image") as step:
        step.result = "abc"
    assert re.fullmatch(r"✓ building image abc \(\d\.\d s\)\n", err.getvalue())


def test_a_failed_step_says_so() -> None:
    shown, _, err = console()
    with pytest.raises(ValueError, match="x"), shown.step("building image"):
        raise ValueError("x")
    assert err.getvalue() == "✗ building image (0.0 s)\n"


def test_a_silent_step_says_nothing_unless_it_fails() -> None:
    shown, _, err = console()
    with shown.step("looking") as step:
        step.silent = True
    assert err.getvalue() == ""
    with pytest.raises(ZeroDivisionError), shown.step("looking") as step:
        step.silent = bool(1 / 0)
    assert "✗ looking" in err.getvalue()


def test_a_step_within_a_step_is_its_small_print() -> None:
    shown, _, err = console()
    with shown.step("outer"), shown.step("inner"):
        pass
    assert re.fullmatch(r"✓ outer \(\d\.\d s\)\n", err.getvalue())  # one line
    with shown.step("next"):
        pass
    assert "✓ next" in err.getvalue()


def test_a_step_on_a_terminal_takes_its_line_back() -> None:
    shown, _, err = console(terminal=True)
    with shown.step("building"):
        threading.Event().wait(0.25)
        shown.say("a line between")
    text = err.getvalue()
    assert "building" in text
    assert "\r\x1b[2Ka line between\n" in text
    assert text.rstrip("\n").rpartition("\x1b[2K")[2].startswith("\x1b[32m✓\x1b[0m building")


def test_tables() -> None:
    text = table([("a", "1"), ("long\n └─ as X", "")], ("Name", "N"))
    assert text == "Name      N\n────────  ─\na         1\nlong\n └─ as X"
    assert table([], ("Name", "N")) == "Name  N\n────  ─"
