"""Where a Dockerfile puts the files of its context."""

import pytest

from devenv.build.copies import mounts

FOLDERS = {"src", "src/web", "lib"}


def found(text: str, target: str | None = None, **args: str) -> dict[str, str]:
    """Path of the context -> path in the image."""
    return dict(mounts(text, args, target, FOLDERS.__contains__))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("COPY . .", {"": "/"}),
        ("WORKDIR /app\nCOPY . .", {"": "/app/"}),
        ("WORKDIR /app\nWORKDIR sub\nCOPY . /srv/", {"": "/srv/"}),
        ("WORKDIR /app\nWORKDIR sub\nCOPY . .", {"": "/app/sub/"}),
        ("WORKDIR /app\nCOPY src dst", {"src": "/app/dst/"}),
        ("WORKDIR /app\nCOPY src/ ./", {"src": "/app/"}),
        ("WORKDIR /app\nCOPY a.py .", {"a.py": "/app/a.py"}),
        ("WORKDIR /app\nCOPY a.py b.py", {"a.py": "/app/b.py"}),
        ("COPY a.py b.py /app/", {"a.py": "/app/a.py", "b.py": "/app/b.py"}),
        ("COPY lib/a.py /app/lib/", {"lib/a.py": "/app/lib/a.py"}),
        ('COPY ["a b.py", "/to/"]', {"a b.py": "/to/a b.py"}),
        ('COPY --chown=1:1 ["src", "/to"]', {"src": "/to/"}),
        ("COPY --chown=app:app --chmod=755 src /to", {"src": "/to/"}),
        ("ADD src /to", {"src": "/to/"}),
        ("ADD https://example.org/x /to/", {}),
        ("COPY *.py /app/", {}),
        ("COPY /src /to", {"src": "/to/"}),
        ("COPY --from=other /x /y", {}),
        ("COPY a.py /app/\nCOPY . /app", {"a.py": "/app/a.py", "": "/app/"}),
        ("COPY lib /app/lib\nCOPY . /app", {"lib": "/app/lib/", "": "/app/"}),
        ("COPY a.py /usr/bin/\nCOPY . /app", {"a.py": "", "": "/app/"}),
        ("COPY lib /build/lib\nCOPY . /app", {"lib": "", "": "/app/"}),
        ("COPY . /build\nCOPY . /app", {"": ""}),
    ],
)
def test_copies(text: str, wanted: dict[str, str]) -> None:
    assert found(f"FROM debian\n{text}") == wanted


def test_the_longest_paths_come_first() -> None:
    made = mounts("FROM x\nCOPY . /app\nCOPY src/web /www\nCOPY src /src", {}, None, FOLDERS.__contains__)
    assert [path for path, _ in made] == ["src/web", "src", ""]


def test_args_and_env() -> None:
    text = "ARG BASE=debian\nFROM $BASE\nARG HOME_DIR=/srv\nENV TO=${HOME_DIR}/app\nWORKDIR $TO\nCOPY src $TO/src"
    assert found(text) == {"src": "/srv/app/src/"}
    assert found(text, HOME_DIR="/opt") == {"src": "/opt/app/src/"}


STAGES = """\
FROM node AS assets
WORKDIR /build
COPY src .
FROM python AS base
WORKDIR /app
COPY lib lib
FROM base AS web
COPY --from=assets /build/out static
COPY a.py .
FROM base
COPY b.py .
"""


def test_only_what_the_final_stage_keeps() -> None:
    assert found(STAGES) == {"lib": "/app/lib/", "b.py": "/app/b.py"}
    assert found(STAGES, "web") == {"lib": "/app/lib/", "a.py": "/app/a.py"}
    assert found(STAGES, "assets") == {"src": "/build/"}
