"""Built images put into a cluster's own registry, where pods pull them: only layers that are missing there move."""

import urllib.error
import urllib.request
from collections.abc import Iterable

from devenv.base.proc import Runner
from devenv.images import catalog, fingerprint
from devenv.plan.model import Source

MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in ("oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.v2")
)


def reference(key: str, source: Source, registry: str) -> str:
    """What a pod pulls for image `key`: the pinned official one, or the built one in the cluster's `registry`."""
    entry = catalog.get(key)
    if source == "official" and entry.official:
        return entry.official
    name = entry.built.split("/", 1)[1]
    return f"{registry}/devenv/{name}-{fingerprint.of_image(key)[:12]}"


def publish(runner: Runner, keys: Iterable[str], registry: str) -> None:
    """Push the built images `keys` to `registry`; those that are there already are not touched."""
    for key in keys:
        target = reference(key, "built", registry)
        if not present(target):
            runner.run(["docker", "tag", catalog.get(key).built, target])
            try:
                runner.run(["docker", "push", "--quiet", target])
            finally:
                runner.run(["docker", "rmi", target], check=False)  # only the name that the push needed


def present(target: str) -> bool:
    """Whether the registry that `target` names has it."""
    registry, _, path = target.partition("/")
    name, _, tag = path.rpartition(":")
    address = f"http://{registry}/v2/{name}/manifests/{tag}"
    request = urllib.request.Request(address, method="HEAD", headers={"Accept": MANIFESTS})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback: never through a proxy
    try:
        with opener.open(request, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
