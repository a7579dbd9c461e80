"""A chart is put together with definitions that are checked against their pins."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from devenv.base import resources
from devenv.base.errors import BuildError
from devenv.images import crds

DEFINITION = b"""
kind: CustomResourceDefinition
spec:
  description: prose
  versions:
  - schema:
      properties:
        description: {type: string, description: what a field of that name is for}
"""


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A chart and its pins, with a cache of their own."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    chart, pins = tmp_path / "router", tmp_path / "crds.yaml"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: router\n")
    files = {"things.yaml": hashlib.sha256(DEFINITION).hexdigest()}
    pin = {"module": "example.org/things", "version": "v1.0.0", "folder": "crd", "files": files}
    pins.write_text(json.dumps({"sources": [pin]}))
    return chart, pins


def test_chart_with_its_definitions_is_made_once(parts: tuple[Path, Path]) -> None:
    asked: list[str] = []

    def read(pin: Mapping[str, Any], place: str) -> bytes:
        asked.append(f"{pin['module']}@{pin['version']} {place}")
        return DEFINITION

    made = crds.assemble(*parts, read)
    assert (made / "Chart.yaml").read_text() == "name: router\n"
    found = json.loads((made / "crds/things.yaml").read_text())
    assert found["spec"] == {"versions": [{"schema": {"properties": {"description": {"type": "string"}}}}]}
    assert crds.assemble(*parts, read) == made
    assert asked == ["example.org/things@v1.0.0 crd/things.yaml"]


def test_a_file_that_is_not_the_pinned_one(parts: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match=r"`things\.yaml` of example\.org/things v1\.0\.0 is not the file that was pinned"
    ):
        crds.assemble(*parts, lambda pin, place: b"kind: Other\n")
    assert list((tmp_path / "cache/charts").iterdir()) == []
    crds.assemble(*parts, lambda pin, place: DEFINITION)


def test_another_run_may_be_faster(parts: tuple[Path, Path], tmp_path: Path) -> None:
    def read(pin: Mapping[str, Any], place: str) -> bytes:
        crds.assemble(*parts, lambda pin, place: DEFINITION)
        return DEFINITION

    made = crds.assemble(*parts, read)
    assert (made / "crds/things.yaml").is_file()
    assert list((tmp_path / "cache/charts").iterdir()) == [made]


def test_another_chart_is_another_folder(parts: tuple[Path, Path]) -> None:
    before = crds.assemble(*parts, lambda pin, place: DEFINITION)
    (parts[0] / "values.yaml").write_text("nodePort: 30081\n")
    assert crds.assemble(*parts, lambda pin, place: DEFINITION) != before


def test_shipped_pins_are_whole() -> None:
    pins = resources.load_yaml(resources.path("offline/router/crds.yaml").read_text(), "crds.yaml")["sources"]
    programs = resources.path("offline/router/go/go.mod").read_text()
    for pin in pins:
        assert f"{pin['module']} {pin['version']} " in programs, "the definitions are of the version that is built"
        assert pin["raw"].endswith(f"/{pin['version']}")
        assert all(len(digest) == 64 for digest in pin["files"].values())
