import re

import pytest

from devenv.heroku.naming import choose, dns_label, heroku_remote


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("lamp", "lamp"),
        ("My Cool App", "my-cool-app"),
        ("  --a__b..c--", "a-b-c"),
        ("Café Noir", "cafe-noir"),
        ("2048", "app-2048"),
        ("x" * 40, "x" * 30),
        ("a" * 29 + "-b", "a" * 29),
        ("漢字", None),
        ("", None),
        ("---", None),
    ],
)
def test_dns_label(text: str, label: str | None) -> None:
    assert dns_label(text) == label
    assert label is None or re.fullmatch(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", label)


@pytest.mark.parametrize(
    ("url", "app"),
    [
        ("https://git.heroku.com/my-app.git", "my-app"),
        ("https://me:key@git.heroku.com/my-app.git", "my-app"),
        ('"https://git.heroku.com/my-app"', "my-app"),
        ("git@heroku.com:my-app.git", "my-app"),
        ("ssh://git@heroku.com/my-app.git", "my-app"),
        ("https://github.com/me/my-app.git", None),
        ("https://evil.example/git.heroku.com/my-app.git", None),
    ],
)
def test_heroku_remote(url: str, app: str | None) -> None:
    origin = '[remote "origin"]\n\turl = https://git.heroku.com/other.git\n'
    config = f'[core]\n\tbare = false\n{origin}[remote "heroku"]\n\tfetch = x\n\turl = {url}\n'
    assert heroku_remote(config) == app


def test_no_remote() -> None:
    assert heroku_remote('[remote "origin"]\n\turl = https://git.heroku.com/other.git\n') is None
    assert heroku_remote("") is None


def test_the_first_usable_name_is_taken() -> None:
    assert choose(None, "漢", "B") == "b"
    assert choose(None, "") == "app"
