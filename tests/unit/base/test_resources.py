import pytest

from devenv.base import resources
from devenv.base.errors import InputError

NASTY = "a\nb\t\x7f\u0085\u2028 é 😀 $X 'q' \"d\" # c: - {{ .x }} \\ end\n"


@pytest.mark.parametrize(
    "text", [NASTY, "", " ", "no", "0123", "1e3", "~", "- a", "a: b", "\n", "x\n\n", "2026-05-04", "=", "\x01"]
)
def test_every_byte_survives_the_way_back(text: str) -> None:
    value = {"config": {"A": text}, "list": [text, {text or "k": None}]}
    assert resources.load_yaml(resources.dump_yaml(value), "x") == value


def test_keys_keep_their_order() -> None:
    assert resources.dump_yaml({"b": 1, "a": 2}) == "b: 1\na: 2\n"


def test_a_broken_file_is_named_with_its_line() -> None:
    with pytest.raises(InputError, match=r"^profile\.yaml:2: "):
        resources.load_yaml("a: 1\nb: ]\nc: 1\n", "profile.yaml")


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.system ['true']", "!!python/name:os.system"])
def test_yaml_runs_nothing(text: str) -> None:
    with pytest.raises(InputError):
        resources.load_yaml(text, "x")


def test_text_as_written_with_lines() -> None:
    tree, lines = resources.load_yaml_text("a: no\nb:\n  - 0123\n  - {c: 1.10}\nd: ~\n", "x")
    assert tree == {"a": "no", "b": ["0123", {"c": "1.10"}], "d": None}
    assert lines["b", 1, "c"] == 4
    assert lines["d",] == 5


def test_a_file_that_unfolds_without_end_is_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 8):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    with pytest.raises(InputError):
        resources.load_yaml_text(bomb, "heroku.yml")


def test_a_file_that_is_not_shipped() -> None:
    with pytest.raises(InputError, match="`charts/nope` is missing"):
        resources.path("charts/nope")
    assert resources.path("profiles/default.yaml").is_file()
