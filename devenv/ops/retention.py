"""Which images stay in the registry: those of an env's last ten releases.

A release holds its image by a tag, `<cluster>.<env>.v<number>`, for all clusters of a machine share one storage and none
knows of the others' releases (decision 0008). What no tag holds any more is deleted.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from devenv.base.errors import DevenvError
from devenv.build import registry
from devenv.cluster.kube import METADATA_ONLY
from devenv.ops import rollout
from devenv.ops.env import Env
from devenv.plan import values
from devenv.plan.model import Release

KEPT = 10  # releases
CONFIG = "app.kubernetes.io/component=config"
SECRET = re.compile(r"app-config-v(\d+)")
HOLD = re.compile(r"(?P<owner>[a-z0-9-]+\.[a-z0-9-]+)\.v(?P<number>\d+)")


def images(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The images that a release's processes and its release command run."""
    return tuple(dict.fromkeys(str(item["image"]) for item in values.runs(content)))


def hold(env: Env, release: Release) -> None:
    """Keep the images of a release that is about to be made. Raises BuildError when the registry does not answer."""
    for name in images(release.values):
        registry.tag(name, f"{_owner(env)}.v{release.version}")


def collect(env: Env) -> int:
    """Delete the images that only releases before the last ten ran, their output and config vars; how many images.

    What is in the way is left for later.
    """
    served = env.served()
    numbers = {state.version for state in env.kube.revisions(env.name, values.APP)}
    kept = {*sorted(numbers)[-KEPT:], int(served.get("release", {}).get("version", 0))}
    count = 0
    try:
        _collect_outputs(env)
        _collect_config(env, kept)
        for repository in {name.rpartition(":")[0] for name in images(served)} if served else ():
            dead = expired(registry.tags(repository), _owner(env), kept)
            for digest in {registry.digest(f"{repository}:{tag}") for tag in dead} - {None}:
                assert digest
                if not any(registry.digest(f"{repository}:{tag}") == digest for tag in living(repository, dead)):
                    registry.delete(env.runner, repository, digest)
                    count += 1
    except DevenvError as error:
        env.console.detail(f"old images stay for now: {error.message}")
    return count


def _collect_outputs(env: Env) -> None:
    """Delete the release commands' pods, and with them their output, of releases before the last ten."""
    pods = {int(pod.labels[rollout.RELEASE]): pod.name for pod in env.kube.pods(env.name, "devenv.dev/kind=release")}
    for number in sorted(pods, reverse=True)[KEPT:]:
        env.kube.delete_pod(env.name, pods[number])


def _collect_config(env: Env, kept: Collection[int]) -> None:
    """Delete the Secrets with the config vars of other releases than `kept`."""
    path = f"/api/v1/namespaces/{env.name}/secrets"
    found = env.kube.http.json("GET", path, params={"labelSelector": CONFIG}, accept=METADATA_ONLY).get("items") or []
    for name in stale([item["metadata"]["name"] for item in found], kept):
        env.kube.http.json("DELETE", f"{path}/{name}")


def stale(secrets: Iterable[str], kept: Collection[int]) -> list[str]:
    """Those of `secrets` that hold config vars of other releases than `kept`."""
    found = ((name, SECRET.fullmatch(name)) for name in secrets)
    return [name for name, each in found if each and int(each[1]) not in kept]


def living(repository: str, dead: list[str]) -> list[str]:
    """The tags by which releases, of whatever env, still hold images."""
    return [tag for tag in registry.tags(repository) if HOLD.fullmatch(tag) and tag not in dead]


def expired(tags: Iterable[str], owner: str, kept: Collection[int]) -> list[str]:
    """Those of `tags` by which `owner` holds images of other releases than `kept`: older ones, and those of an env of that
    name that is gone."""
    found = ((tag, HOLD.fullmatch(tag)) for tag in tags)
    return [tag for tag, each in found if each and each["owner"] == owner and int(each["number"]) not in kept]


def _owner(env: Env) -> str:
    return f"{env.spec.name}.{env.name}"
