"""Where the registry is asked for an image."""

import urllib.request
from email.message import Message
from typing import Any
from urllib.error import HTTPError

import pytest

from devenv.base.errors import BuildError
from devenv.build import registry
from devenv.plan.model import ImageSpec

SPEC = ImageSpec("lamp/app", "0a1b", (), None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The addresses asked, and whether by way of a proxy of the host; each answers 401."""
    found: list[tuple[str, bool]] = []

    def refuse(self: urllib.request.OpenerDirector, request: urllib.request.Request, *_: Any, **__: Any) -> None:
        proxied = any(isinstance(each, urllib.request.ProxyHandler) for each in self.handlers)  # type: ignore[attr-defined]
        found.append((request.full_url, proxied))
        raise HTTPError(request.full_url, 401, "", Message(), None)

    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    return found


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("localhost:5001", "http://localhost:5001/v2/lamp/app/manifests/0a1b"),
        ("127.0.0.1:5001", "http://127.0.0.1:5001/v2/lamp/app/manifests/0a1b"),
        ("registry.example.com/team/dev", "https://registry.example.com/v2/team/dev/lamp/app/manifests/0a1b"),
    ],
)
def test_a_registry_is_asked_where_docker_pushes_to(asked: list[tuple[str, bool]], place: str, address: str) -> None:
    for ask in (registry.exists, registry.total):
        with pytest.raises(BuildError, match="answers 401") as caught:
            ask(place, SPEC)
        assert caught.value.hint == "devenv asks it without credentials"
    assert asked == [(address, address.startswith("https:"))] * 2
