import re

import pytest

from devenv.base.errors import InputError
from devenv.plan import names

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lamp", "lamp"),
        ("My_App.2", "my-app-2"),
        ("--x--", "x"),
        ("2fast", "app-2fast"),
        ("", "app"),
        ("é", "app"),
        ("a" * 99, "a" * 42),
        ("a" * 41 + "-b", "a" * 41),
    ],
)
def test_labels(text: str, expected: str) -> None:
    assert names.label(text) == expected
    assert LABEL.fullmatch(expected)


@pytest.mark.parametrize("wished", ["lamp", "a", "lamp-pr-7", "a" * 42])
def test_names_of_envs(wished: str) -> None:
    assert names.env_name(wished) == wished


@pytest.mark.parametrize("wished", ["Lamp", "lamp_1", "-lamp", "lamp-", "1lamp", "", "a" * 43, "a.b", "läm", "a\n"])
def test_what_cannot_be_an_env_s_name(wished: str) -> None:
    with pytest.raises(InputError) as caught:
        names.env_name(wished)
    suggestion = re.findall("`(.*?)`", caught.value.hint or "", re.DOTALL)[-1]
    assert names.env_name(suggestion) == suggestion  # what is suggested must be taken


@pytest.mark.parametrize("taken", ["default", "kube-system", "kube-anything", "devenv-system", "local-path-storage"])
def test_namespaces_of_the_cluster_are_never_an_env(taken: str) -> None:
    with pytest.raises(InputError, match="namespace of the cluster"):
        names.env_name(taken)
    assert names.default_env(taken, None) != taken
    assert names.env_name(names.default_env(taken, None))


def test_a_folder_s_env() -> None:
    assert names.default_env("lamp", None) == "lamp"
    assert names.default_env("lamp", "blue") == "lamp-blue"
    assert names.default_env("lamp", "feature/Blue_1") == "lamp-feature-blue-1"


def test_two_long_worktrees_are_two_envs() -> None:
    one = names.default_env("a" * 30, "feature-with-a-long-name-1")
    other = names.default_env("a" * 30, "feature-with-a-long-name-2")
    assert one != other
    for name in (one, other, names.default_env("a" * 42, "b"), names.default_env("a" * 41, "b")):
        assert names.env_name(name) == name
    assert names.default_env("a" * 42, "b") != names.default_env("a" * 42, None)


def test_the_port_is_high_and_lasting() -> None:
    ports = {names.port(f"env-{number}") for number in range(200)}
    assert min(ports) >= 1024
    assert max(ports) < 65536
    assert len(ports) > 150  # not one for all
    assert names.port("lamp") == names.port("lamp")


def test_the_address_reaches_this_machine() -> None:
    assert names.host("lamp") == "lamp.localhost"
