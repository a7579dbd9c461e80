"""What `run` runs (heroku.md sections 1, 3.7, 6.3)."""

import pytest

from devenv.ops import oneoff

CONTENT = {
    "processes": [
        {"type": "web", "command": "gunicorn app:app"},
        {"type": "worker", "command": "python work.py --queue 'a b'"},
        {"type": "image", "command": ""},
    ]
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # one word is a command line of its own: `heroku run "rake test"`
        (["rake test"], "rake test"),
        (["echo $HOME && ls"], "echo $HOME && ls"),
        (["rake", "test"], "rake test"),
        (["echo", "$HOME"], "echo $HOME"),  # the dyno's shell expands it
        (["ls", "*.py"], "ls *.py"),
        (["echo", "a b"], 'echo "a b"'),
        (["echo", 'say "hi"'], 'echo "say \\"hi\\""'),
        (["python", "-c", "print(1, 2)"], 'python -c "print(1, 2)"'),
        (["psql", "$DATABASE_URL", "-c", "select 1"], 'psql $DATABASE_URL -c "select 1"'),
        (["echo", ""], 'echo ""'),
        (["echo", "a\nb"], 'echo "a\nb"'),
    ],
)
def test_joined(words: list[str], expected: str) -> None:
    assert oneoff.join(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["web"], "gunicorn app:app"),
        (["worker", "--once"], "python work.py --queue 'a b' --once"),
        (["worker", "x y"], "python work.py --queue 'a b' \"x y\""),
        (["console"], "irb"),
        (["console", "-r", "x"], "irb -r x"),
        (["bash"], "bash"),
        (["webs"], "webs"),
        (["ls", "web"], "ls web"),
        (["image"], "image"),  # a type without a command of its own stands for none
    ],
)
def test_a_process_type_stands_for_its_command(words: list[str], expected: str) -> None:
    assert oneoff.resolve(words, CONTENT, {"console": "irb"}) == expected


def test_an_env_without_processes() -> None:
    assert oneoff.resolve(["ls"], {}, {}) == "ls"
