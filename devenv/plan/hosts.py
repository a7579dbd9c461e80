"""The hosts that a config var's value points at, and the same value pointed at a stand-in instead."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

# several hosts of one URL, but not the next URL of a list
_AUTHORITY = re.compile(r"://(?:[^\s/]*@)?((?:[^\s/?#,]|,(?![A-Za-z][\w+.-]*://))+)")
_BARE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+(?::\d+)?")
_LOCAL = ("0.0.0.0", "localhost.localdomain", "host.docker.internal", "kubernetes.docker.internal")
_SECRET_NAME = re.compile(r"(PASSWORD|TOKEN|SECRET|KEY|CREDENTIALS)(_KEY)?$")
# a password this long was drawn by a machine; a shorter one may be a word that is found anywhere
_DRAWN = 16


def hosts(value: str) -> frozenset[str]:
    """Every host named in `value`: of URLs (`jdbc:` and comma lists too), or bare as `host`, `host:port`; no names without a dot there."""
    found = [part for authority in _AUTHORITY.findall(value) for part in authority.split(",")]
    parts = [part.strip() for part in value.split(",")]
    if all(_BARE.fullmatch(part) for part in parts):
        found += parts
    return frozenset(name for part in found if (name := re.sub(r":\d*$", "", part).strip("[]").lower()))


def is_remote(host: str) -> bool:
    """Whether `host` can be somebody's server elsewhere, not this machine or a neighbour without a domain."""
    return "." in host and host not in _LOCAL and not host.startswith("127.") and not host.endswith(".localhost")


def scheme(value: str) -> str | None:
    """The URL scheme without a driver (`postgresql+asyncpg://` is `postgresql`), or None when `value` is no URL with a host."""
    head, separator, rest = value.partition("://")
    return head.lower().partition("+")[0] if separator and rest and re.fullmatch(r"[A-Za-z][\w+.-]*", head) else None


def secrets(values: Mapping[str, str]) -> frozenset[str]:
    """The drawn passwords and keys among the values of an add-on's variables."""
    found = {value for name, value in values.items() if _SECRET_NAME.search(name)}
    for value in values.values():
        for login in re.findall(r"://([^\s/]*)@", value):
            password = login.partition(":")[2]
            found |= {password, unquote(password)}
    return frozenset(secret for secret in found if len(secret) >= _DRAWN)


def point(original: str, ours: Iterable[str], schemes: Iterable[str], host: str, port: int) -> str | None:
    """`original` pointed at a stand-in that sets the values `ours`; None when it has a form that the stand-in cannot take.

    Path and query stay where the stand-in's URL has none: a Redis database, an index, a client's options.
    """
    if (kind := scheme(original)) is None:
        if not _BARE.fullmatch(original):
            return None
        return f"{host}:{port}" if ":" in original else host
    urls = {own: value for value in ours if (own := scheme(value))}
    known = set(urls) | set(schemes)
    if "http" in urls or "https" in urls:
        known |= {"http", "https"}
    if not urls or kind not in known or len(_AUTHORITY.findall(original)) > 1:
        return None
    own = kind if kind in urls else next(iter(urls))
    given, taken = urlsplit(original), urlsplit(urls[own])
    # rediss for redis is another port; postgresql+driver for postgres is the same server to another client
    written = own if kind == own or kind.rstrip("s") == own.rstrip("s") else kind
    if kind == written:
        written = given.scheme
    query = "" if "pass" in given.query.lower() or "user" in given.query.lower() else given.query
    return f"{written}://{taken.netloc}{taken.path or given.path}" + (f"?{query}" if query else "")
