"""The app's name, as a valid DNS label (product.md section 1)."""

import re
import unicodedata

LIMIT = 30

_REMOTE = re.compile(r"\s*\[\s*remote\s+\"heroku\"\s*\]\s*(?:[#;].*)?")
_HOST = r"(?:https://(?:[^@/]*@)?git\.heroku\.com/|(?:ssh://)?git@heroku\.com[:/])"
_URL = re.compile(rf"\s*url\s*=\s*\"?{_HOST}([A-Za-z0-9-]+?)(?:\.git)?/?\"?\s*")


def dns_label(text: str) -> str | None:
    """`text` as lower-case letters, digits and `-`, letter first, at most 30 characters; None when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if label and not label[0].isalpha():
        label = f"app-{label}"
    return label[:LIMIT].strip("-") or None


def heroku_remote(git_config: str) -> str | None:
    """The Heroku app of the `heroku` remote in the text of a git config, or None."""
    inside = False
    for line in git_config.splitlines():
        if line.lstrip().startswith("["):
            inside = _REMOTE.fullmatch(line) is not None
        elif inside and (match := _URL.fullmatch(line)):
            return match[1]
    return None


def choose(*candidates: str | None) -> str:
    """The first candidate that makes a label."""
    return next((label for text in candidates if text and (label := dns_label(text))), "app")
