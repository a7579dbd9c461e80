"""Files shipped with devenv (charts, profiles, offline recipes), and YAML."""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from devenv.base.errors import InputError


def path(name: str) -> Path:
    """The folder or file `name` (`charts/app`, `profiles/default.yaml`): in the wheel, else in the checkout."""
    package = Path(str(files("devenv")))
    for root in (package / "_data", package.parent):
        if (root / name).exists():
            return root / name
    raise InputError(f"`{name}` is missing from this installation", "reinstall devenv")


def load_yaml(text: str, where: str) -> Any:
    """Parse YAML; raises InputError naming file and line. `where` is the file's name in messages."""
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "not valid YAML"
        raise InputError(f"{where}{line}: {what}", "mend that line and run the same command again") from error


def dump_yaml(value: Mapping[str, Any] | list[Any]) -> str:
    """YAML with the keys in their order; every byte of a string survives the way back, to Go's readers too."""
    import yaml

    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("Dumper", (base,), {})
    dumper.add_representer(str, _quoted_if_unclear)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=4096)
    return text


def _quoted_if_unclear(dumper: Any, text: str) -> Any:
    # plain `1e3`, `0o17` and `y` are strings to PyYAML, numbers and a boolean to Go (https://yaml.org/type/bool.html)
    style = '"' if re.fullmatch(r"[-+]?\.?\d[\w.+:-]*|[yYnN]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def load_yaml_text(text: str, where: str) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """Parse YAML with every scalar as written (null is None), and the line of each key and item by its path."""
    import yaml

    lines: dict[tuple[str | int, ...], int] = {}
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return (None if node is None else _as_written(loader, node, (), lines)), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(f"{where}{line}: {getattr(error, 'problem', None) or 'not valid YAML'}") from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error


def _as_written(loader: Any, node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    import yaml

    if len(lines) > 10_000:  # aliases of aliases can unfold without end
        raise yaml.MarkedYAMLError(problem="too many nodes", problem_mark=node.start_mark)
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_as_written(loader, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return None if node.tag == "tag:yaml.org,2002:null" else node.value
    loader.flatten_mapping(node)  # applies `<<: *anchor`
    result: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be plain text", problem_mark=key.start_mark)
        lines[(*path, key.value)] = key.start_mark.line + 1
        result[key.value] = _as_written(loader, value, (*path, key.value), lines)
    return result
