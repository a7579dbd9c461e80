import pytest

from devenv.base.errors import InputError
from devenv.heroku.procfile import parse


def commands(text: str) -> dict[str, str]:
    return {type_.name: type_.command for type_ in parse(text).types}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: npm start", {"web": "npm start"}),
        ("web:npm start\n", {"web": "npm start"}),
        ("web: a\nworker: b\nrelease: c\n", {"web": "a", "worker": "b", "release": "c"}),
        ("\ufeffweb: a\r\nworker: b\r\n", {"web": "a", "worker": "b"}),
        ("web: a\rworker: b\r", {"web": "a", "worker": "b"}),
        ("web: a   \t\n", {"web": "a"}),
        ("# hi\n  # there\n// dokku\n\n \nweb: a", {"web": "a"}),
        ("web: a # kept, the shell drops it", {"web": "a # kept, the shell drops it"}),
        (
            "web: A=1 node x.js --url http://h:${PORT:-5000}/ | cat",
            {"web": "A=1 node x.js --url http://h:${PORT:-5000}/ | cat"},
        ),
        ("web: bash -c 'a: b'", {"web": "bash -c 'a: b'"}),
        ("2nd: x", {"2nd": "x"}),
        ("web: é漢\u2028🙂\n", {"web": "é漢\u2028🙂"}),
        ("worker: first\nweb: x\nworker: last", {"worker": "last", "web": "x"}),
    ],
)
def test_commands_are_read_verbatim(text: str, expected: dict[str, str]) -> None:
    assert commands(text) == expected


def test_order_and_lines_are_kept() -> None:
    types = parse("# c\nworker: w\n\nweb: x\n", "sub/Procfile").types
    assert [(type_.name, type_.source) for type_ in types] == [("worker", "sub/Procfile:2"), ("web", "sub/Procfile:4")]


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("Worker: x", 1, "`worker` on Fir"),
        ("my_worker: x", 1, "`my-worker` on Fir"),
        ("my-worker: x", 1, "`heroku local`"),
        ("  web: x", 1, "blanks before `web`"),
        ("web: x\n\nweb: y", 3, "declared before, in Procfile:1: the last one wins"),
    ],
)
def test_what_not_every_parser_takes_is_a_warning(text: str, at: int, says: str) -> None:
    (warning,) = parse(text).warnings
    assert warning.startswith(f"Procfile:{at}: ")
    assert says in warning


def test_a_plain_procfile_warns_of_nothing() -> None:
    assert parse("web: a\nworker2: b\nrelease: c").warnings == ()


@pytest.mark.parametrize("text", ["", "# only\n\n"])
def test_a_procfile_of_comments_is_as_none(text: str) -> None:
    found = parse(text)
    assert found.types == ()
    assert found.warnings == ("Procfile: declares no process type; write a line such as `web: <command>`",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web:", "Procfile:1: `web` has no command; write `web: <command>`"),
        ("\nweb:   \r\n", "Procfile:2: `web` has no command; write `web: <command>`"),
        ("web npm start", "Procfile:1: not a process type; write `<type>: <command>`"),
        ("web = http://x", "Procfile:1: not a process type"),
        ("web : npm start", "write `web: <command>`"),
        ("my.worker: x", "write `my-worker: <command>`"),
        ("wörker: x", "write `w-rker: <command>`"),
        ("-web: x", "`-web` must begin and end with a letter or digit"),
        ("web_: x", "`web_` must begin and end"),
        ("w" * 64 + ": x", "at most 63 characters"),
        ("web: a \\\n  --b", "write the command on one line"),
        ("web: a\nmy-job: b\nmy_job: c", "Procfile:3: `my_job` and `my-job` are one name on Kubernetes; rename one"),
    ],
)
def test_problems_say_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert any(problem in line for line in caught.value.details), caught.value.details


def test_every_problem_is_raised_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse("web:\nnonsense\nworker: ok\n.x: y")
    assert caught.value.message == "3 problems in Procfile"
    assert [line.split(": ")[0] for line in caught.value.details] == ["Procfile:1", "Procfile:2", "Procfile:4"]
