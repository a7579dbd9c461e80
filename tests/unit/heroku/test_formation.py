import pytest

from devenv.base.errors import InputError
from devenv.heroku.formation import Change, parse, spell_size


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("web=2", Change("web", "=", 2)),
        ("web+1", Change("web", "+", 1)),
        ("web-1", Change("web", "-", 1)),
        ("my-worker-1", Change("my-worker", "-", 1)),
        ("my_worker=0", Change("my_worker", "=", 0)),
        ("web=2:Standard-1X", Change("web", "=", 2, "Standard-1X")),
        ("web=2:standard-2x", Change("web", "=", 2, "Standard-2X")),
        ("web+1:PERFORMANCE-L-RAM", Change("web", "+", 1, "Performance-L-RAM")),
    ],
)
def test_arguments(argument: str, change: Change) -> None:
    assert parse([argument]) == (change,)


@pytest.mark.parametrize(
    "argument", ["web", "web=", "=2", "web=-1", "web=two", "web=1.5", "web 2", "web=2:", "", "web==2", "wéb=1"]
)
def test_other_arguments_are_refused(argument: str) -> None:
    with pytest.raises(InputError):
        parse([argument])


def test_every_bad_argument_is_named() -> None:
    with pytest.raises(InputError) as caught:
        parse(["web", "worker=1:huge", "clock=1"])
    assert len(caught.value.details) == 2
    assert "`huge` is not a dyno size" in caught.value.details[1]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [("web=2", 5, 2), ("web+2", 1, 3), ("web-1", 3, 2), ("web-5", 1, 0), ("web=0", 1, 0)],
)
def test_apply(change: str, before: int, after: int) -> None:
    assert parse([change])[0].apply(before) == after


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("eco", "Eco"),
        ("BASIC", "Basic"),
        ("standard-1x", "Standard-1X"),
        ("Performance-M", "Performance-M"),
        ("performance-2xl", "Performance-2XL"),
        ("private-s", "Private-S"),
        ("shield-l", "Shield-L"),
        ("dyno-1c-0.5gb", "dyno-1c-0.5gb"),
        ("DYNO-2C-4GB", "dyno-2c-4gb"),
        ("free", "Eco"),
        ("hobby", "Basic"),
        ("2X", "Standard-2X"),
        (" basic ", "Basic"),
        ("standard-3x", None),
        ("large", None),
        ("", None),
    ],
)
def test_sizes_are_spelled_as_the_cli_does(written: str, spelled: str | None) -> None:
    assert spell_size(written) == spelled
