"""Which tags hold images of releases that nobody goes back to."""

from devenv.ops import retention


def tags(owner: str, *numbers: int) -> list[str]:
    return [f"{owner}.v{number}" for number in numbers]


def test_what_is_kept_stays_and_the_rest_goes() -> None:
    found = tags("devenv.lamp", *range(1, 13))
    assert retention.expired(found, "devenv.lamp", {1, *range(3, 13)}) == ["devenv.lamp.v2"]


def test_what_an_env_of_that_name_left_behind_goes_too() -> None:
    assert retention.expired(tags("devenv.lamp", 1, 2, 51), "devenv.lamp", {1, 2}) == ["devenv.lamp.v51"]


def test_other_envs_and_plain_tags_are_not_touched() -> None:
    others = tags("devenv.lamp-pr-7", *range(1, 30)) + tags("other.lamp", *range(1, 30)) + ["0a1b2c3d4e5f", "latest"]
    assert retention.expired(others, "devenv.lamp", {1}) == []


def test_the_images_of_a_release() -> None:
    process = {"image": "localhost:5001/lamp/web:1"}
    other = {"image": "localhost:5001/lamp/release:1"}
    assert retention.images({"processes": [process, process], "releasePhase": other}) == (
        "localhost:5001/lamp/web:1",
        "localhost:5001/lamp/release:1",
    )
    assert retention.images({"processes": [process], "releasePhase": None}) == ("localhost:5001/lamp/web:1",)


def test_config_vars_of_releases_that_are_not_kept_go() -> None:
    secrets = [f"app-config-v{number}" for number in range(1, 13)]
    assert retention.stale([*secrets, "app-config-release"], {1, *range(3, 13)}) == ["app-config-v2"]
