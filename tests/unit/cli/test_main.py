"""The entry: every verb loads and explains itself; whatever happens ends in a message and an exit status."""

import errno
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devenv import __version__
from devenv.cli import common, main
from devenv.cli.main import VERBS

ROOT = Path(__file__).parents[3]
VERB_NAMES = sorted(VERBS)
GLOBAL = [
    ["--env", "x"],
    ["--app-dir", "/tmp"],
    ["--cluster", "x"],
    ["--provider", "kind"],
    ["--profile", "small"],
    ["--quiet"],
    ["--verbose"],
    ["--no-color"],
    ["--json"],
]


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main.main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def command(name: str) -> common.VerbCommand:
    found = main.typer.main.get_command(main.app)
    made = found.get_command(None, name)  # type: ignore[attr-defined]
    assert isinstance(made, common.VerbCommand)
    return made


class Stream(io.StringIO):
    """A stdout on which the first write ends in `error`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    def go(error: BaseException, *argv: str) -> tuple[int, str]:
        told = io.StringIO()
        closed: list[str] = []
        told.close = lambda: closed.append(told.getvalue())  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdout", Stream(error))
        monkeypatch.setattr(sys, "stderr", told)
        return main.main(argv or ("version",)), told.getvalue()

    return go


# ---- the verbs


def test_the_verbs_of_the_product() -> None:
    wanted = "up down destroy plan ps ps:scale ps:restart ps:stop logs run run:detached config config:set config:get"
    wanted += " config:unset config:edit addons addons:create addons:destroy addons:mode pg:psql pg:info redis:cli"
    wanted += " mqtt:sub mqtt:pub es:curl releases open doctor cluster:create cluster:delete cluster:status version"
    assert set(wanted.split()) <= set(VERBS)


@pytest.mark.parametrize("name", VERB_NAMES)
def test_every_verb_takes_every_global_option(capsys: pytest.CaptureFixture[str], name: str) -> None:
    options = [option for option in GLOBAL if [name, *option] != ["completion", "--json"]]
    code, out, err = run(capsys, name, *(word for option in options for word in option), "--help")
    assert (code, err) == (0, "")
    for option, *_ in options:
        assert option in out


@pytest.mark.parametrize("name", VERB_NAMES)
def test_every_verb_s_help_begins_with_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    made = command(name)
    assert made.examples
    assert all("devenv" in line for line in made.examples)
    words = name.replace(":", "[: ]")
    assert any(re.search(rf"devenv {words}\b", line) for line in made.examples)
    help_text = (made.help or "").strip()
    assert help_text
    code, out, _ = run(capsys, "help", name)
    assert code == 0
    first = help_text.splitlines()[0]
    shown = re.sub(r"\s+", " ", out)
    assert shown.index("Examples:") < shown.index(first)


@pytest.mark.parametrize("name", VERB_NAMES)
def test_no_option_means_two_things(name: str) -> None:
    flags = [flag for parameter in command(name).params for flag in (*parameter.opts, *parameter.secondary_opts)]
    flags = [flag for flag in flags if flag.startswith("-")]
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize("name", [name for name in VERB_NAMES if ":" in name])
def test_the_colon_may_be_a_blank(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(capsys, *name.split(":"), "--help") == run(capsys, name, "--help")
    assert run(capsys, "help", *name.split(":")) == run(capsys, "help", name)


@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, err) == (0, "")
    for name in VERB_NAMES:
        assert re.search(rf"^ +{re.escape(name)} ", out, re.MULTILINE), name


@pytest.mark.parametrize(("wrong", "near"), [("pss", "ps"), ("confg", "config"), ("addons:creat", "addons:create")])
def test_a_misspelt_verb(capsys: pytest.CaptureFixture[str], wrong: str, near: str) -> None:
    for argv in ((wrong,), ("help", wrong)):
        code, out, err = run(capsys, *argv)
        assert (code, out) == (2, "")
        assert f"Error: there is no verb `{wrong}`" in err
        assert f"did you mean `{near}`?" in err


def test_a_verb_like_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "zzzzzzzz")
    assert code == 2
    assert "`devenv --help` lists the verbs" in err


@pytest.mark.parametrize("argv", [("version", "--nope"), ("config:set",), ("logs", "-n", "many"), ("--nope",)])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert "Hint: " in err


# ---- version


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"devenv/{__version__}\n", "")
    code, out, err = run(capsys, "version")
    assert (code, err) == (0, "")
    assert out.startswith(f"devenv/{__version__} ")


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "version", "--json")
    assert code == 0
    assert json.loads(out)["devenv"] == __version__


# ---- the error boundary


def test_an_error_the_user_can_act_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "config:set", "A")
    assert (code, out) == (2, "")
    assert err == "Error: `A` has no value\n\nHint: write A=value; `devenv config:unset A` removes it\n"


def test_quiet_hides_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Error: " in run(capsys, "config:set", "A", "--quiet")[2]


def test_a_bug_ends_in_one_message(broken: Callable[..., tuple[int, str]]) -> None:
    code, told = broken(ValueError("what went wrong"))
    assert code == 1
    assert "this is a bug in devenv: ValueError: what went wrong" in told
    assert "Traceback" not in told
    assert "--verbose" in told


def test_verbose_shows_the_traceback(broken: Callable[..., tuple[int, str]]) -> None:
    assert "Traceback" in broken(ValueError("x"), "version", "--verbose")[1]


def test_ctrl_c(broken: Callable[..., tuple[int, str]]) -> None:
    code, told = broken(KeyboardInterrupt())
    assert code == 130
    assert "Interrupted" in told
    assert "Traceback" not in told


def test_a_full_disk_is_no_bug(broken: Callable[..., tuple[int, str]]) -> None:
    code, told = broken(OSError(errno.ENOSPC, "No space left on device"))
    assert code == 9
    assert "bug" not in told
    assert "no room is left" in told


def test_the_reader_has_gone(broken: Callable[..., tuple[int, str]]) -> None:
    assert broken(BrokenPipeError(errno.EPIPE, "Broken pipe")) == (141, "")


def test_an_error_shows_no_secret(broken: Callable[..., tuple[int, str]]) -> None:
    class Telling(ValueError):
        def __init__(self) -> None:
            super().__init__("cannot reach postgres://u:hunter22hunter22@x")

        def __str__(self) -> str:
            # what a verb masks as soon as it has read the config vars
            common.consoles[-1].mask = lambda text: text.replace("hunter22hunter22", "***")
            return super().__str__()

    for argv in (("version",), ("version", "--verbose")):
        code, told = broken(Telling(), *argv)
        assert code == 1
        assert "cannot reach" in told
        assert "hunter22" not in told


# ---- the real program


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize("argv", [["version"], ["help", "up"]])
def test_nothing_heavy_is_loaded(argv: list[str]) -> None:
    script = "import sys; from devenv.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script, *argv], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    heavy = {"kubernetes", "docker", "yaml", "rich", "pydantic", "urllib3", "requests", "watchdog", "ssl", "asyncio"}
    assert not loaded & heavy
    assert not [name for name in loaded if name.startswith(("devenv.ops", "devenv.cluster", "devenv.build"))]


@pytest.mark.usefixtures("may_run")
def test_a_closed_pipe_is_silent() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "devenv", "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), told) == (141, b"")


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_completion(shell: str) -> None:
    argv = [sys.executable, "-m", "devenv", "completion", shell]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "_DEVENV_COMPLETE" in done.stdout
    assert "devenv" in done.stdout


@pytest.mark.usefixtures("may_run")
def test_completion_of_a_verb() -> None:
    env = {"_DEVENV_COMPLETE": "complete_bash", "COMP_WORDS": "devenv ps:s", "COMP_CWORD": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-m", "devenv"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ps:scale", "ps:stop"]


def test_the_example_of_mqtt_pub_reaches_the_lamp() -> None:
    (topic,) = re.findall(r'^COMMANDS, STATE = "(\S+)"', (ROOT / "examples/lamp/backends.py").read_text(), re.MULTILINE)
    assert f"-t {topic} -m on" in command("mqtt:pub").examples[0]
