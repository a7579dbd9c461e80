"""The generated Dockerfile: one golden file for each kind of app. `DEVENV_UPDATE_GOLDEN=1` rewrites them."""

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from devenv.base.errors import InputError
from devenv.build import stack
from devenv.build.buildkit import with_mounts
from devenv.build.golang import toolchain
from devenv.heroku.model import Buildpack

GOLDEN = Path(__file__).parent / "dockerfiles"
STACK = "devenv.local/stack:24"


@dataclass(frozen=True)
class Tree:
    """A tree in memory."""

    contents: dict[str, str]

    @property
    def files(self) -> frozenset[str]:
        return frozenset(self.contents)

    def text(self, path: str) -> str:
        return self.contents.get(path, "")


def python(version: str | None = "3.13", manager: str = "pip") -> Buildpack:
    return Buildpack("python", version, ".python-version" if version else None, manager)


def node(version: str | None = "22.x", manager: str = "npm") -> Buildpack:
    return Buildpack("nodejs", version, "package.json engines.node" if version else None, manager)


def package(**fields: object) -> str:
    return json.dumps({"name": "x", **fields})


BUILD = {"build": "vite build", "heroku-cleanup": "rm -rf tmp"}
RAILS = "GEM\n  specs:\n    execjs (2.9)\n    rails (8.0.1)\n"
CASES: dict[str, tuple[tuple[Buildpack, ...], dict[str, str], str | None]] = {
    "django": (
        (python(),),
        {"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "django\n", "manage.py": ""},
        STACK,
    ),
    "python-hooks": ((python(None),), {"requirements.txt": "", "bin/pre_compile": "", "bin/post_compile": ""}, STACK),
    "python-uv": (
        (python(manager="uv"),),
        {"pyproject.toml": "[build-system]\n", "uv.lock": "", ".python-version": "3.13"},
        STACK,
    ),
    "python-poetry": ((python(manager="poetry"),), {"pyproject.toml": "", "poetry.lock": ""}, STACK),
    "python-pipenv": ((python(manager="pipenv"),), {"Pipfile": "", "Pipfile.lock": ""}, STACK),
    "python-official": ((python("3.12.7"),), {"requirements.txt": "flask\n"}, None),
    "node-build": ((node(),), {"package.json": package(scripts=BUILD), "package-lock.json": "", ".npmrc": ""}, STACK),
    "node-plain": ((node(">=20 <23"),), {"package.json": package(), "package-lock.json": ""}, STACK),
    "node-postinstall": ((node(None),), {"package.json": package(scripts={"postinstall": "x"})}, STACK),
    "node-yarn-berry": (
        (node(manager="yarn"),),
        {"package.json": package(packageManager="yarn@4.9.2"), "yarn.lock": "__metadata:\n"},
        STACK,
    ),
    "node-yarn-official": ((node(None, "yarn"),), {"package.json": package(), "yarn.lock": ""}, None),
    "node-pnpm-official": (
        (node(manager="pnpm"),),
        {"package.json": package(engines={"pnpm": "9"}), "pnpm-lock.yaml": ""},
        None,
    ),
    "go": (
        (Buildpack("go", "1.25", "go.mod", "go"),),
        {"go.mod": "module example.com/x\n\ngo 1.25\n", "main.go": ""},
        STACK,
    ),
    "go-install": (
        (Buildpack("go", "1.24", "go.mod", "go"),),
        {"go.mod": "module x\n// +heroku install ./cmd/... ./web\n"},
        STACK,
    ),
    "ruby": (
        (Buildpack("ruby", "3.3.8", "Gemfile.lock", "bundler"),),
        {"Gemfile": "", "Gemfile.lock": "", "vendor/cache/a.gem": ""},
        STACK,
    ),
    "rails": (
        (Buildpack("ruby", "3.4.1", "Gemfile.lock", "bundler"),),
        {"Gemfile": 'gem "rails"', "Gemfile.lock": RAILS},
        STACK,
    ),
    "node-then-python": (
        (node(), python()),
        {"package.json": package(scripts=BUILD), "package-lock.json": "", "requirements.txt": ""},
        STACK,
    ),
    "node-then-python-official": (
        (node(), python("3.12")),
        {"package.json": package(scripts=BUILD), "requirements.txt": ""},
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    packs, files, image = CASES[case]
    text = stack.dockerfile_text(packs, Tree(files), image)
    file = GOLDEN / f"{case}.Dockerfile"
    if os.environ.get("DEVENV_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("line", ["-e .", "./lib", ".", "file:lib", "vendor/x.whl", "--editable=./lib", ".[web]"])
def test_requirements_that_name_the_app_need_its_source_first(line: str) -> None:
    text = stack.dockerfile_text((python(),), Tree({"requirements.txt": f"flask\n{line}\n"}), STACK)
    assert text.index("COPY --chown=1001 . .") < text.index("pip install")


@pytest.mark.parametrize(
    "fields",
    [
        {"workspaces": ["a"]},
        {"dependencies": {"a": "file:./a"}},
        {"scripts": {"prepare": "x"}},
        {"scripts": {"heroku-prebuild": "x"}},
    ],
)
def test_packages_that_need_the_source_first(fields: dict[str, object]) -> None:
    text = stack.dockerfile_text((node(),), Tree({"package.json": package(**fields)}), STACK)
    assert text.index("COPY --chown=1001 . .") < text.index("npm install --cache /var/cache/devenv/npm ")


def test_a_broken_package_json_names_its_line() -> None:
    with pytest.raises(InputError, match=r"package\.json:2:"):
        stack.dockerfile_text((node(),), Tree({"package.json": '{"name":\n}'}), STACK)


def test_a_language_without_builder_says_what_to_do() -> None:
    with pytest.raises(InputError, match="heroku/php has no built-in builder") as caught:
        stack.dockerfile_text((Buildpack("php", None, None, None),), Tree({}), STACK)
    assert "Dockerfile" in (caught.value.hint or "")


def test_a_version_the_stack_has_not_is_told() -> None:
    parts = stack.recipes((python("3.12"),), Tree({"requirements.txt": ""}), stack=True)
    assert parts[0].lines == ("-----> Using Python 3.13", " !     Python 3.12 was asked for; this stack has 3.13")


@pytest.mark.parametrize(
    ("version", "value"),
    [
        ("1.24", "auto"),
        ("1.23.4", "go1.23.4+auto"),
        ("1.25", "go1.25.0+auto"),
        ("1.20", "auto"),
        ("1.22.0", "go1.22.0+auto"),
    ],
)
def test_go_toolchains(version: str, value: str) -> None:
    assert toolchain(version, "1.24") == value


@pytest.mark.usefixtures("may_run")
def test_config_reaches_the_shell_byte_for_byte() -> None:
    value = 'it\'s $HOME `x` "q" \\ #\nsecond line é'
    text = stack.secret({"VALUE": value, "PATH": "/evil", "BAD-NAME": "x"}, "heroku-24", "abc")
    assert "PATH" not in text
    assert "BAD-NAME" not in text
    shown = subprocess.run(
        ["bash", "-c", f'{text}printf %s "$VALUE|$STACK|$SOURCE_VERSION"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"{value}|heroku-24|abc"


def test_mounts_for_engines_with_slow_secrets() -> None:
    packs, files, image = CASES["django"]
    text = with_mounts(stack.dockerfile_text(packs, Tree(files), image))
    assert "type=secret" not in text
    before, after = text.split("\nCOPY --chown=1001 . .\n")
    assert "source=early" in before
    assert "source=late" in after
    assert "source=late" not in before


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize("case", CASES)
def test_run_steps_are_valid_shell(case: str) -> None:
    packs, files, image = CASES[case]
    joined = stack.dockerfile_text(packs, Tree(files), image).replace("\\\n", "")
    for line in joined.splitlines():
        if line.startswith("RUN "):
            words = shlex.split(line[4:], posix=False)
            while words and words[0].startswith("--mount"):
                words.pop(0)
            command = line[line.index(words[0]) :]
            subprocess.run(["bash", "-n", "-c", command], check=True)
