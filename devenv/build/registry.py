"""The cluster's image registry over its HTTP interface, and pushing into it."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.base.errors import BuildError, CommandFailed
from devenv.base.proc import Runner
from devenv.build.output import OnLine
from devenv.plan.model import Image, ImageSpec

# distribution spec, "Pulling manifests": without Accept a registry answers in its oldest format
ACCEPT = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: the image, the bytes that moved and those of the whole image (compressed)."""

    image: Image
    moved: int
    total: int


def reference(registry: str, spec: ImageSpec) -> str:
    """What docker and a pod call the image: `localhost:5001/lamp/web:0a1b2c`."""
    return f"{registry}/{spec.name}:{spec.tag}"


def exists(registry: str, spec: ImageSpec) -> str | None:
    """The digest of the image when the registry has it, else None. Raises BuildError when no registry answers."""
    return digest(reference(registry, spec))


def digest(name: str) -> str | None:
    """The digest of an image by its whole name (`localhost:5001/lamp/web:0a1b`); None when its registry does not have it."""
    answer = _ask(*_place(name), "HEAD")
    return answer[0].get("docker-content-digest") if answer else None


def tags(repository: str) -> list[str]:
    """The tags of `localhost:5001/lamp/web`; empty when there is no such repository."""
    registry, _, path = repository.partition("/")
    answer = _ask(registry, f"{path}/tags/list", "GET")
    return list(answer[1].get("tags") or []) if answer else []


def tag(name: str, further: str) -> None:
    """Give an image of the registry a further tag. Raises BuildError when it is not there."""
    registry, path = _place(name)
    answer = _exchange(registry, path, "GET")
    if answer is None:
        raise BuildError(f"`{name}` is not in the registry", "run the same command again: it builds what is not there")
    headers, manifest = answer
    _exchange(registry, f"{path.rpartition('/')[0]}/{further}", "PUT", (headers["content-type"], manifest))


def delete(runner: Runner, repository: str, digest: str) -> None:
    """Delete an image with all its tags, from the engine too. Raises BuildError where the registry refuses."""
    registry, _, path = repository.partition("/")
    _ask(registry, f"{path}/manifests/{digest}", "DELETE")
    listing = [
        "docker",
        "image",
        "ls",
        "--digests",
        f"--filter=reference={repository}",
        "--format={{.Tag}} {{.Digest}}",
    ]
    rows = (row.split() for row in runner.run(listing).stdout.splitlines())
    if mine := [f"{repository}:{tag}" for tag, of in rows if of == digest and tag != "<none>"]:
        runner.run(["docker", "image", "rm", *mine], check=False)


def _place(name: str) -> tuple[str, str]:
    registry, _, path = name.partition("/")
    repository, _, tag = path.rpartition(":")
    return registry, f"{repository}/manifests/{tag}"


def total(registry: str, spec: ImageSpec) -> int:
    """The compressed bytes of an image that the registry has."""
    answer = _ask(*_place(reference(registry, spec)), "GET")
    return sum(int(layer["size"]) for layer in (answer[1] if answer else {}).get("layers", []))


def push(runner: Runner, registry: str, spec: ImageSpec, on_line: OnLine | None = None) -> Pushed:
    """Push the image tagged `reference(registry, spec)`; layers that the registry has stay where they are."""
    name = reference(registry, spec)
    moved: set[str] = set()

    def note(line: str) -> None:
        layer, _, state = line.partition(": ")
        if state.startswith("Pushed"):
            moved.add(layer)
        if on_line:
            on_line(line)

    try:
        runner.stream(["docker", "push", name], note)
    except CommandFailed as error:
        hint = f"does a registry answer at {registry}? `devenv doctor` looks at it"
        raise BuildError(f"`{name}` could not be pushed", hint, error.details) from error
    answer = _ask(*_place(name), "GET")
    if answer is None:
        raise BuildError(
            f"`{name}` was pushed, but the registry does not have it", "`devenv doctor` looks at the registry"
        )
    headers, manifest = answer
    sizes = [int(layer["size"]) for layer in manifest.get("layers", [])]
    return Pushed(Image(name, headers.get("docker-content-digest")), _bytes_of(runner, name, moved, sizes), sum(sizes))


def _bytes_of(runner: Runner, name: str, moved: set[str], sizes: list[int]) -> int:
    # `docker push` names layers by the start of their diff id; the manifest has them in the same order
    listing = runner.run(["docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", name]).stdout
    layers = [layer.removeprefix("sha256:")[:12] for layer in json.loads(listing)]
    return sum(size for layer, size in zip(layers, sizes, strict=False) if layer in moved)


def _ask(
    registry: str, path: str, method: str, body: tuple[str, bytes] | None = None
) -> tuple[Mapping[str, str], dict[str, Any]] | None:
    found = _exchange(registry, path, method, body)
    return (found[0], json.loads(found[1]) if found[1] else {}) if found else None


def _exchange(
    registry: str, path: str, method: str, body: tuple[str, bytes] | None = None
) -> tuple[Mapping[str, str], bytes] | None:
    own = registry.partition(":")[0] in ("localhost", "127.0.0.1")  # the ones that docker speaks HTTP with, too
    # a proxy of the host has no business between this machine and its own registry
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if own else []))
    headers = {"Accept": ACCEPT, **({"Content-Type": body[0]} if body else {})}
    address = f"{'http' if own else 'https'}://{registry}/v2/{path}"
    request = urllib.request.Request(address, body[1] if body else None, headers, method=method)
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return None
        raise BuildError(
            f"the registry at `{registry}` answers {error.code}",
            "devenv asks it without credentials"
            if error.code in (401, 403)
            else "`devenv doctor` looks at the registry",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise BuildError(
            f"no registry answers at `{registry}`", "`devenv cluster status` shows whether the cluster runs"
        ) from error
