"""The wheel holds devenv and its data: what git tracks, all of it and nothing else."""

import importlib
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ("charts", "profiles", "offline")

pytestmark = pytest.mark.e2e  # runs other programs


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(into), str(ROOT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = into.glob("*.whl")
    return made


def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def tracked(*folders: str) -> set[str]:
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", *folders], capture_output=True, check=True)
    return {name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).exists()}


@pytest.mark.parametrize("folder", DATA)
def test_data(wheel: Path, folder: str) -> None:
    prefix = "devenv/_data/"
    packed = {name.removeprefix(prefix) for name in members(wheel) if name.startswith(f"{prefix}{folder}/")}
    expected = tracked(folder)
    assert packed - expected == set(), "not tracked by git, yet in the wheel"
    assert expected - packed == set(), "tracked by git, yet not in the wheel"
    assert packed


def test_code(wheel: Path) -> None:
    packed = {name for name in members(wheel) if name.startswith("devenv/") and not name.startswith("devenv/_data/")}
    assert packed == tracked("devenv")


def test_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in members(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"devenv"}


def test_files_are_the_same_and_stay_executable(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in tracked(*DATA):
            packed = archive.getinfo(f"devenv/_data/{name}")
            assert archive.read(packed) == (ROOT / name).read_bytes(), name
            executable = bool((ROOT / name).stat().st_mode & 0o100)
            assert bool(packed.external_attr >> 16 & 0o100) == executable, name


def test_what_it_says_of_itself(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as archive:
        (meta,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA")]
        (entries,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert f"Version: {project['version']}" in meta
    for needed in project["dependencies"]:
        assert f"Requires-Dist: {needed}" in meta
    module, _, function = project["scripts"]["devenv"].partition(":")
    assert f"devenv = {module}:{function}" in entries
    assert callable(getattr(importlib.import_module(module), function))


def test_the_version_is_one(wheel: Path) -> None:
    from devenv import __version__

    assert wheel.name.split("-")[1] == __version__


def test_it_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Charts, profiles and the catalog are found where no checkout is."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        "import devenv; from devenv.base import resources; from devenv.ops import shipped\n"
        "assert len(shipped.catalog().hosted) > 30; shipped.profile(None, 'small', {})\n"
        "print(devenv.__file__, resources.path('charts/app'), resources.path('offline/images.yaml'), sep='\\n')"
    )
    argv = [sys.executable, "-c", script]
    env = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(tmp_path)) for line in done.stdout.splitlines()), done.stdout
