"""Files shipped with devenv (charts, profiles, offline recipes), and YAML."""

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
        raise InputError(f"{where}{line}: {what}") from error


def dump_yaml(value: Mapping[str, Any] | list[Any]) -> str:
    """YAML with the keys in their order; every byte of a string survives the way back."""
    import yaml

    text: str = yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, allow_unicode=True, width=4096)
    return text
