"""Python apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

import posixpath
import re

from devenv.build.output import heading, warning
from devenv.build.recipe import CACHE, Recipe, Run, Tree, present, quoted, using
from devenv.heroku.model import Buildpack

DEFAULT = "3.13"
# Heroku says en_US.UTF-8; neither the stack nor the official images have that locale, and a missing one means ASCII
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
TOOL = "/tmp/tool"
PIP = f"export PIP_CACHE_DIR={CACHE}/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off"
UV = (
    f"export UV_CACHE_DIR={CACHE}/uv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_PROGRESS=1"
    # the interpreter there is, even when .python-version names another one
    f" UV_PYTHON={VENV}/bin/python UV_PROJECT_ENVIRONMENT={VENV}"
)
SYNC = {
    "uv": (UV, f"{TOOL}/bin/uv sync --locked --no-default-groups --no-install-project --color never"),
    "poetry": (
        f"export VIRTUAL_ENV={VENV} POETRY_CACHE_DIR={CACHE}/poetry",
        f"{TOOL}/bin/poetry sync --only main --no-root --no-interaction --no-ansi",
    ),
    "pipenv": (
        f"export VIRTUAL_ENV={VENV} PIPENV_VERBOSITY=-1 PIPENV_NOSPIN=1 PIPENV_CACHE_DIR={CACHE}/pipenv",
        f"{TOOL}/bin/pipenv sync",
    ),
}
# a line of requirements.txt that names a folder or a file of the app
LOCAL = re.compile(r"\s*(?:(?:-e|--editable)[\s=]+)?(?:file:|\.{1,2}(?:/|\s*$|\[)|[\w./-]+\.(?:whl|tar\.gz|zip)\s*$)")
# an app without django.contrib.staticfiles has no such command, which is no failure
COLLECTSTATIC = """\
if [ "${DISABLE_COLLECTSTATIC:-0}" = 0 ] && python -c 'import django' 2>/dev/null; then \\
      echo '-----> $ python @script@ collectstatic --noinput'; log=/tmp/collectstatic.log; \\
      python @script@ collectstatic --noinput > $log 2>&1 || grep -q 'Unknown command' $log || { cat $log; exit 1; }; \\
      cat $log; rm $log; \\
    fi"""


def recipe(buildpack: Buildpack, tree: Tree, stack: str | None) -> Recipe:
    """The Python share. `stack` is the Python version of the base image, None with official images."""
    manager = buildpack.package_manager or "pip"
    asked = (buildpack.version or "").removeprefix("python-")
    manifests = _requirements(tree) if manager == "pip" else present(tree, *MANIFESTS[manager])
    if "bin/pre_compile" in tree.files:
        manifests = ()  # the hook may write what is installed
    venv = Run(f"Installing Python {stack or asked or DEFAULT}", (f"python3 -m venv {VENV}",), config=False)
    return Recipe(
        title="Python",
        lines=_lines(asked, buildpack.version_source, stack),
        image=f"python:{asked or DEFAULT}-bookworm",
        env=ENV,
        path=(f"{VENV}/bin",),
        prepare=(venv,),
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
    if manager == "pip":
        what = "-r requirements.txt" if "requirements.txt" in tree.files else "."
        return Run(title, (PIP, f"{VENV}/bin/pip install {what}"), ("pip",))
    return Run(title, (PIP, *_with_tool(manager, *SYNC[manager])), ("pip", manager))


def _with_tool(tool: str, *commands: str) -> tuple[str, ...]:
    # the package manager itself is no part of the image: a virtualenv of its own, gone when the step ends
    return (f"python3 -m venv {TOOL}", f"{TOOL}/bin/pip install -q {tool}", *commands, f"rm -rf {TOOL}")


def _project(manager: str, tree: Tree) -> tuple[Run, ...]:
    """A uv project that is a package itself is installed after its source is there."""
    if manager != "uv" or "[build-system]" not in tree.text("pyproject.toml"):
        return ()
    sync = f"{TOOL}/bin/uv sync --locked --no-default-groups --color never"
    return (Run("Installing the app as a package", (PIP, *_with_tool("uv", UV, sync)), ("pip", "uv")),)


def _requirements(tree: Tree) -> tuple[str, ...]:
    """requirements.txt and the files it includes; nothing when a line names a folder or file of the app."""
    found: list[str] = []
    queue = list(present(tree, "requirements.txt"))
    while queue:
        path = queue.pop(0)
        if path in found:
            continue
        found.append(path)
        for line in tree.text(path).splitlines():
            if include := re.match(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", line):
                place = posixpath.normpath(posixpath.join(posixpath.dirname(path), include[1]))
                queue += present(tree, place)
            elif LOCAL.match(line):
                return ()
    return tuple(found)


def _collectstatic(tree: Tree) -> tuple[Run, ...]:
    scripts = [path for path in tree.files if posixpath.basename(path) == "manage.py" and path.count("/") <= 2]
    if not scripts:
        return ()
    script = min(scripts, key=lambda path: (path.count("/"), path))
    return (Run(None, (COLLECTSTATIC.replace("@script@", quoted(script).replace("'", '"')),)),)


def _hook(tree: Tree, name: str) -> tuple[Run, ...]:
    path = f"bin/{name}"
    return (Run(f"Running {name} hook", (f"chmod +x {path}", path)),) if path in tree.files else ()
