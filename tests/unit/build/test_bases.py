"""The images a Dockerfile starts from."""

import pytest

from devenv.build import bases
from devenv.build.node_version import image_tag

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
ARG FLAVOUR="slim"
FROM --platform=$BUILDPLATFORM node:22 AS assets
RUN --mount=type=bind,from=busybox:1,target=/b true
FROM python:${VERSION}-${FLAVOUR} AS base
COPY --from=assets /x /x
COPY --chown=1:1 --from=ghcr.io/astral-sh/uv:0.5 \\
     /uv /bin/
FROM base
FROM scratch
COPY --from=0 / /
"""


def test_external_images_in_order() -> None:
    assert bases.external(DOCKERFILE, {}) == ("node:22", "busybox:1", "python:3.12-slim", "ghcr.io/astral-sh/uv:0.5")


def test_build_args_choose_the_base() -> None:
    assert "python:3.11-slim" in bases.external(DOCKERFILE, {"VERSION": "3.11"})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ARG V\nFROM a:${V:-1}\n", "a:1"),
        ("ARG V=2\nFROM a:${V:+x}\n", "a:x"),
        ("ARG A=1\nARG B=$A.2\nFROM a:$B\n", "a:1.2"),
        ("from a:1 as b\n", "a:1"),
    ],
)
def test_variables(text: str, name: str) -> None:
    assert bases.external(text, {}) == (name,)


@pytest.mark.parametrize(
    ("reference", "family", "version"),
    [
        ("python:3.12-slim", "python", "3.12"),
        ("docker.io/library/node:22.1.0-bookworm", "node", "22.1.0"),
        ("golang", "golang", ""),
        ("ubuntu:24.04", "debian", "24.04"),
        ("heroku/heroku:24-build", "debian", "24"),
        ("ruby:3.3@sha256:abc", "ruby", "3.3"),
    ],
)
def test_well_known_images(reference: str, family: str, version: str) -> None:
    found = bases.known(reference)
    assert found
    assert (found.family, found.version) == (family, version)


def test_other_images_are_not_known() -> None:
    assert bases.known("ghcr.io/acme/python:3") is None
    assert bases.known("postgres:17") is None


def test_the_syntax_line_goes_and_line_numbers_stay() -> None:
    text, image = bases.offline_text(DOCKERFILE)
    assert image == "docker/dockerfile:1"
    assert text.splitlines()[1:] == DOCKERFILE.splitlines()[1:]
    assert bases.offline_text("FROM a\n# syntax=x\n") == ("FROM a\n# syntax=x\n", None)


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("22.x", "22"),
        ("22.11.0", "22.11.0"),
        ("v20.1.0", "20.1.0"),
        ("^20.3", "20"),
        (">=20 <23", "22"),
        (">=18", "24"),
        ("<22", "20"),
        ("18 || 20", "18"),
        (">22.5 <23", "22"),
        ("*", "24"),
        ("lts/*", "24"),
    ],
)
def test_a_range_becomes_a_tag_of_the_official_image(version: str, tag: str) -> None:
    assert image_tag(version) == tag
