"""Names and numbers that follow from the app's name."""

import hashlib
import re

from devenv.base.errors import InputError

ENV_NAME = re.compile(r"[a-z]([-a-z0-9]{0,40}[a-z0-9])?")
LIMIT = 42
RESERVED = ("default", "devenv-system", "kube-node-lease", "kube-public", "kube-system", "local-path-storage")


def label(text: str, limit: int = LIMIT) -> str:
    """`text` as a DNS label (RFC 1123) that starts with a letter: `My_App.2` becomes `my-app-2`."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"app-{name}".strip("-")
    return name[:limit].strip("-")


def env_name(wished: str) -> str:
    """`wished` when it can be an env's name: a namespace and a part of its address. Raises InputError."""
    if not ENV_NAME.fullmatch(wished):
        raise InputError(
            f"`{wished}` can't be an env's name",
            f"use lower-case letters, digits and hyphens, for example `{label(wished)}`",
        )
    if _is_reserved(wished):
        raise InputError(
            f"`{wished}` is a namespace of the cluster itself", f"use another name, for example `app-{wished}`"
        )
    return wished


def _is_reserved(name: str) -> bool:
    return name in RESERVED or name.startswith("kube-")


def default_env(app: str, worktree: str | None) -> str:
    """The env of a folder: the app's name, in another git worktree `<app>-<worktree>` (product.md section 1)."""
    whole = f"{app}-{worktree}" if worktree else app
    name = label(whole)
    if len(label(whole, len(whole) + 4)) > LIMIT:  # two long names that begin alike are two envs
        name = f"{label(whole, LIMIT - 7)}-{hashlib.sha256(whole.encode()).hexdigest()[:6]}"
    return label(f"app-{name}") if _is_reserved(name) else name


def port(env: str) -> int:
    """The PORT of an env's web processes: high and not to be guessed, as on Heroku, and always the same for an env."""
    return 20000 + int(hashlib.sha256(env.encode()).hexdigest(), 16) % 20000


def host(env: str) -> str:
    """The host name that the router serves an env at; browsers resolve `*.localhost` to this machine (RFC 6761)."""
    return f"{env}.localhost"
