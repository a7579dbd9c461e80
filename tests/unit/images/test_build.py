"""What is to be made, and what `devenv images` lists."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from devenv.base.console import Console
from devenv.base.errors import BuildError
from devenv.images import build, catalog, fingerprint
from tests.fakes import Answer, FakeRunner


def here(*keys: str, recipe: str | None = None) -> FakeRunner:
    """An engine that has the built images `keys`, made by their present recipes or by `recipe`."""
    lines = [
        "\t".join(
            [
                json.dumps([catalog.get(key).built]),
                "[]",
                json.dumps({"devenv.recipe": recipe or fingerprint.of_image(key)}),
                "5000000",
            ]
        )
        for key in keys
    ]
    return FakeRunner(
        {
            ("docker", "inspect"): Answer("\n".join(lines), "No such image: x", 1),
            ("docker", "version"): Answer("26.1"),
        }
    )


def test_only_what_is_missing_is_made() -> None:
    assert [entry.key for entry in build.stale(here("debian"), ["valkey"])] == ["valkey"]
    assert build.stale(here("debian", "valkey"), ["valkey"]) == []


def test_a_changed_recipe_is_made_again() -> None:
    assert [entry.key for entry in build.stale(here("debian", recipe="old"), ["debian"])] == ["debian"]


def test_nothing_to_do_touches_nothing() -> None:
    runner = here("debian", "valkey")
    done = build.build(runner, Console(quiet=True), ["valkey"])
    assert done.made == ()
    assert done.present == ("debian", "valkey")
    assert {call.argv[1] for call in runner.calls} == {"version", "image"}


def test_the_list_tells_present_stale_and_missing() -> None:
    rows = {row.key: row for row in build.listing(here("debian", recipe="old"), "built")}
    assert (rows["debian"].state, rows["debian"].size) == ("stale", 5000000)
    assert rows["valkey"].state == "missing"
    assert set(rows) == set(catalog.entries())


def test_the_list_of_official_images_leaves_out_parts_of_the_built_node() -> None:
    rows = {row.key: row for row in build.listing(here(), "official")}
    assert "kube-apiserver" not in rows
    assert "stack" not in rows
    assert {row.source for row in rows.values()} == {"official"}


def test_static_contexts_hold_the_program_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/etcd").write_text("binary")
    build._lay_out(catalog.get("etcd"), tmp_path / "context", tmp_path / "programs")
    found = {str(path.relative_to(tmp_path / "context")) for path in (tmp_path / "context").rglob("*")}
    assert found == {"Dockerfile", "bin", "bin/etcd"}
    assert 'ENTRYPOINT ["/usr/local/bin/etcd"]' in (tmp_path / "context/Dockerfile").read_text()


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1))
    runner = FakeRunner({("docker", "info"): Answer("/nowhere\n")})
    with pytest.raises(BuildError, match=r"0\.0 GB free") as raised:
        build._check_room(runner, [catalog.get("node")])
    assert "DEVENV_CACHE" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "about 5 s"), (42, "about 40 s"), (55, "about 1 min"), (610, "about 10 min")]
)
def test_estimates_are_rough(seconds: int, text: str) -> None:
    assert build._about(seconds) == text
