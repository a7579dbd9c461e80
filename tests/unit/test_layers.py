"""The house rules that a parser can hold: imports point down, one door per outside thing, modules and functions stay small."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "devenv"
FILES = sorted(ROOT.rglob("*.py"))
# from the top; rooms of one row do not know each other
LAYERS = (("cli",), ("ops",), ("cluster", "build", "sync", "images"), ("plan",), ("heroku",), ("base",))
LEVEL = {room: level for level, row in enumerate(LAYERS) for room in row}
# outside thing -> the files that may import it, as patterns below devenv/
DOORS = {
    "typer": ("cli/*.py",),
    "click": (),
    "subprocess": ("base/proc.py",),
    "kubernetes": ("cluster/kube*.py",),
    "docker": ("cluster/engine.py",),
    "watchdog": ("sync/watch.py",),
    "dotenv": ("heroku/config_vars.py",),
    "yaml": ("base/resources.py",),
}
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(module: ast.AST, package: str = "devenv") -> Iterator[tuple[int, str]]:
    """Every import, those within functions and under TYPE_CHECKING too: line, dotted name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            head = ".".join(part for part in (package if node.level else "", node.module or "") if part)
            yield from ((node.lineno, f"{head}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in ("importlib.import_module", "import_module", "__import__"):
                yield node.lineno, str(node.args[0].value)


def room(file: Path) -> str | None:
    parts = file.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else None  # devenv/__init__.py and __main__.py belong to no room


def test_every_room_has_its_place() -> None:
    assert {found for file in FILES if (found := room(file))} <= set(LEVEL)


def test_they_are_drawn_for_contributors() -> None:
    drawn = " ──► ".join(" · ".join(row) for row in LAYERS)
    assert drawn in (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [file for file in FILES if room(file)], ids=place)
def test_imports_point_down(file: Path) -> None:
    own = room(file) or ""
    wrong = []
    for line, name in imports(tree(file)):
        parts = name.split(".")
        if parts[0] != "devenv" or len(parts) < 2 or parts[1] not in LEVEL or parts[1] == own:
            continue
        if LEVEL[parts[1]] <= LEVEL[own]:
            wrong.append(f"{place(file)}:{line}: {own} imports {name}")
    assert not wrong


def test_the_check_sees_imports_within_functions() -> None:
    source = "def f():\n    from devenv.ops import up\n    import devenv.cli.main\n    import_module('devenv.ops')\n"
    assert [name for _, name in imports(ast.parse(source))] == ["devenv.ops.up", "devenv.cli.main", "devenv.ops"]


def test_outside_things_have_one_door() -> None:
    wrong = []
    for file in FILES:
        for line, name in imports(tree(file)):
            allowed = DOORS.get(name.split(".")[0])
            if allowed is not None and not any(Path(place(file)).match(pattern) for pattern in allowed):
                wrong.append(f"{place(file)}:{line}: {name}")
    assert not wrong


def test_the_environment_and_the_exit_belong_to_cli_and_base() -> None:
    wrong = []
    for file in FILES:
        # a room's own `python -m` is an entry as cli/ is
        if room(file) in ("cli", "base") or file.name == "__main__.py":
            continue
        for node in ast.walk(tree(file)):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if is_print or text in ("os.environ", "os.getenv", "os.environb", "sys.exit", "os._exit"):
                wrong.append(f"{place(file)}:{node.lineno}: {text or 'print'}")
    assert not wrong


def test_no_bare_except() -> None:
    wrong = [
        f"{place(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not wrong


def test_no_names_that_say_nothing() -> None:
    said = ("utils", "util", "helpers", "helper", "manager", "common_utils", "misc")
    assert not [place(file) for file in FILES if file.stem.lower() in said]


def test_modules_are_small() -> None:
    lengths = {place(file): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_functions_are_small() -> None:
    long = {}
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{place(file)}:{node.name}"] = length
    assert not long


def test_public_names_say_what_they_are() -> None:
    silent = []
    for file in FILES:
        module = tree(file)
        if not ast.get_docstring(module) and file.name not in ("__init__.py", "__main__.py"):
            silent.append(place(file))
        for node in module.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{place(file)}:{node.lineno}: {node.name}")
    assert not silent
