"""Python apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

import posixpath
import re

from devenv.build.output import heading, warning
from devenv.build.recipe import CACHE, Recipe, Run, Tree, present, quoted, using
from devenv.heroku.model import Buildpack

DEFAULT = "3.13"
ENV = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "random",
    "PYTHONPATH": "/app",
    "PYTHONUNBUFFERED": "true",
    "FORWARDED_ALLOW_IPS": "*",
}
VENV = "/app/.venv"
MANIFESTS = {
    "uv": ("pyproject.toml", "uv.lock", ".python-version"),
    "poetry": ("pyproject.toml", "poetry.lock"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
}


def recipe(buildpack: Buildpack, tree: Tree, stack: str | None) -> Recipe:
    """The Python share. `stack` is the Python version of the base image, None with official images."""
    manager = buildpack.package_manager or "pip"
    asked = (buildpack.version or "").removeprefix("python-")
    manifests = _requirements(tree) if manager == "pip" else present(tree, *MANIFESTS[manager])
    if "bin/pre_compile" in tree.files:
        manifests = ()
    return Recipe(
        title="Python",
        lines=_lines(asked, buildpack.version_source, stack),
        image=f"python:{asked or DEFAULT}-bookworm",
        env=ENV,
        path=(f"{VENV}/bin",),
        manifests=manifests,
        install=(*_hook(tree, "pre_compile"), _install(manager, tree)),
        build=(*_project(manager, tree), *_collectstatic(tree), *_hook(tree, "post_compile")),
    )


def _lines(asked: str, where: str | None, stack: str | None) -> tuple[str, ...]:
    if stack and asked and not (asked + ".").startswith(stack + "."):
        return heading(f"Using Python {stack}"), warning(f"Python {asked} was asked for; this stack has {stack}")
    return (using("Python", asked, where, stack or DEFAULT),)


def _install(manager: str, tree: Tree) -> Run:
    title = f"Installing dependencies using {manager}"
    venv = f"python3 -m venv {VENV}"
    pip = f"export PIP_CACHE_DIR={CACHE}/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off"
    if manager == "pip":
        what = "-r requirements.txt" if "requirements.txt" in tree.files else "."
        return Run(title, (pip, venv, f"{VENV}/bin/pip install {what}"), ("pip",))
    # the tool itself is no part of the image: a venv of its own, gone when the step ends
    tool = ("python3 -m venv /tmp/tool", f"/tmp/tool/bin/pip install -q {manager}")
    install = {
        "uv": f"UV_CACHE_DIR={CACHE}/uv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy "
        "/tmp/tool/bin/uv sync --locked --no-default-groups --no-install-project --color never",
        "poetry": f"VIRTUAL_ENV={VENV} POETRY_CACHE_DIR={CACHE}/poetry /tmp/tool/bin/poetry sync --only main --no-root --no-interaction --no-ansi",
        "pipenv": f"VIRTUAL_ENV={VENV} PIPENV_VERBOSITY=-1 PIPENV_NOSPIN=1 /tmp/tool/bin/pipenv sync",
    }[manager]
    return Run(title, (pip, venv, *tool, install, "rm -rf /tmp/tool"), ("pip", manager))


def _project(manager: str, tree: Tree) -> tuple[Run, ...]:
    """A uv project that is a package itself is installed after its source is there."""
    if manager != "uv" or "[build-system]" not in tree.text("pyproject.toml"):
        return ()
    pip = f"export PIP_CACHE_DIR={CACHE}/pip PIP_DISABLE_PIP_VERSION_CHECK=1"
    sync = f"UV_CACHE_DIR={CACHE}/uv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy /tmp/tool/bin/uv sync --locked --no-default-groups --color never"
    tool = ("python3 -m venv /tmp/tool", "/tmp/tool/bin/pip install -q uv")
    return (Run("Installing the app as a package", (pip, *tool, sync, "rm -rf /tmp/tool"), ("pip", "uv")),)


def _requirements(tree: Tree) -> tuple[str, ...]:
    """requirements.txt and the files it includes; nothing when a line names a folder of the app."""
    if "requirements.txt" not in tree.files:
        return ()
    found: list[str] = []
    queue = ["requirements.txt"]
    while queue:
        path = queue.pop(0)
        if path in found:
            continue
        found.append(path)
        for line in tree.text(path).splitlines():
            if include := re.match(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", line):
                place = posixpath.normpath(posixpath.join(posixpath.dirname(path), include[1]))
                if place in tree.files:
                    queue.append(place)
            elif re.match(
                r"\s*((-e|--editable)[\s=]+)?(file:|\.{1,2}(/|\s*$|\[)|[\w./-]+\.(whl|tar\.gz|zip)\s*$)", line
            ):
                return ()
    return tuple(found)


def _collectstatic(tree: Tree) -> tuple[Run, ...]:
    scripts = sorted(
        (path for path in tree.files if posixpath.basename(path) == "manage.py"),
        key=lambda path: (path.count("/"), path),
    )
    if not scripts or scripts[0].count("/") > 2:
        return ()
    command = f"python {quoted(scripts[0])} collectstatic --noinput"
    # an app without django.contrib.staticfiles has no such command: that is no failure
    step = (
        'if [ "${DISABLE_COLLECTSTATIC:-0}" = 0 ] && python -c "import django" 2>/dev/null; then '
        f"echo '-----> $ {command.replace(chr(39), '')}'; "
        f"if ! {command} > /tmp/collectstatic.log 2>&1 && ! grep -q 'Unknown command' /tmp/collectstatic.log; "
        "then cat /tmp/collectstatic.log; exit 1; fi; cat /tmp/collectstatic.log; rm /tmp/collectstatic.log; fi"
    )
    return (Run(None, (step,)),)


def _hook(tree: Tree, name: str) -> tuple[Run, ...]:
    path = f"bin/{name}"
    return (Run(f"Running {name} hook", (f"chmod +x {path}", path)),) if path in tree.files else ()
