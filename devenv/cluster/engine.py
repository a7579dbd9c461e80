"""The Docker engine: the one door to its SDK. Containers, their files and ports, images, the registry of a cluster."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devenv.base.errors import ClusterError, ToolMissing

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container as Handle

LABEL = "devenv.dev/cluster"
REGISTRY_PORT = 5000  # both the official image and Debian's package listen there, with data in REGISTRY_DATA
# content-addressed, so registries may share it: a new cluster need not be sent a gigabyte of base layers again
LAYERS = "devenv-layers"
REGISTRY_DATA = "/var/lib/registry"
# A process that is frozen does not end under cgroup v1, not even by SIGKILL, and the node's own runtime freezes each container
# for moments while it makes it. $0: the node's id. https://docs.kernel.org/admin-guide/cgroup-v1/freezer-subsystem.html
THAW = 'find /host/freezer -path "*/$0/*" -name freezer.state | while read -r file; do echo THAWED > "$file"; done'
START_HINT = "start it (Docker Desktop, `colima start`, or `sudo systemctl start docker`) and try again"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, running or not. `ports` maps `5000/tcp` to the host port it is bound to."""

    name: str
    image: str
    running: bool
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    networks: tuple[str, ...]


class Engine:
    """The Docker engine that DOCKER_HOST or the current Docker context names. Connects on first use."""

    def __init__(self) -> None:
        self._connected: DockerClient | None = None

    @property
    def _client(self) -> "DockerClient":
        import docker

        if self._connected is None:
            try:
                client = docker.from_env(timeout=120)
                client.ping()
            except (docker.errors.DockerException, OSError) as error:
                raise stopped(error) from error
            self._connected = client
        return self._connected

    def check(self) -> None:
        """Raises ToolMissing when the engine cannot be used."""
        with _told("asked whether it runs"):
            self._client.ping()

    def container(self, name: str) -> Container | None:
        """The container of that name, or None."""
        handle = self._handle(name)
        return None if handle is None else _container(handle.attrs)

    def bound_ports(self) -> dict[int, str]:
        """Host port -> name of the container that has it, stopped ones included: they want it back when they start."""
        found: dict[int, str] = {}
        with _told("asked for its containers"):
            for handle in self._client.containers.list(all=True, ignore_removed=True):
                container = _container(handle.attrs)
                found |= dict.fromkeys(container.ports.values(), container.name)
        return found

    def has_image(self, reference: str) -> bool:
        """Whether the image is on this machine."""
        import docker

        with _told(f"asked for the image `{reference}`"):
            try:
                self._client.images.get(reference)
            except docker.errors.ImageNotFound:
                return False
            return True

    def start(self, name: str) -> None:
        """Start a stopped container; nothing to do when it runs."""
        with _told(f"told to start `{name}`"):
            self._client.containers.get(name).start()

    def remove(self, name: str) -> None:
        """Remove a container; nothing to do when it is not there."""
        with _told(f"told to remove `{name}`"):
            if handle := self._handle(name):
                handle.remove(force=True, v=True)

    def thaw(self, name: str) -> None:
        """Let what a node has frozen go on, so that it can end; nothing to do when there is no such container."""
        with _told(f"told to thaw `{name}`"):
            if handle := self._handle(name):
                self._client.containers.run(
                    handle.attrs["Image"],
                    ["-c", THAW, str(handle.id)],
                    entrypoint="sh",
                    privileged=True,
                    network_mode="none",
                    remove=True,
                    volumes={"/sys/fs/cgroup": {"bind": "/host", "mode": "rw"}},
                )

    def run_registry(self, name: str, cluster: str, image: str, port: int) -> None:
        """Run a cluster's registry, bound to 127.0.0.1:`port` only. Layers are in a volume that all registries share."""
        with _told(f"told to run the registry `{name}`"):
            if not self.has_image(image):
                self._client.images.pull(image)
            made = self._client.containers.create(
                image,
                name=name,
                labels={LABEL: cluster},
                environment={"REGISTRY_STORAGE_DELETE_ENABLED": "true"},
                ports={f"{REGISTRY_PORT}/tcp": ("127.0.0.1", port)},
                volumes={LAYERS: {"bind": REGISTRY_DATA, "mode": "rw"}},
                restart_policy={"Name": "unless-stopped"},  # type: ignore[arg-type]  # the stubs lack it
            )
            try:
                made.start()
            except Exception:
                made.remove(force=True)  # else the next run would try the same port again
                raise

    def connect(self, network: str, name: str) -> None:
        """Connect a container to a network; nothing to do when it is."""
        with _told(f"told to connect `{name}` to the network `{network}`"):
            handle = self._client.containers.get(name)
            if network not in _container(handle.attrs).networks:
                self._client.networks.get(network).connect(handle)

    def read_file(self, name: str, path: str) -> bytes | None:
        """A file of a container, running or not; None when there is none."""
        import docker

        with _told(f"asked for `{path}` of `{name}`"):
            try:
                chunks, _ = self._client.containers.get(name).get_archive(path)
            except docker.errors.NotFound:
                return None
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                file = archive.extractfile(archive.getmembers()[0])
                return file.read() if file else None

    def write_file(self, name: str, path: str, data: bytes) -> None:
        """Write a file into a container, running or not, with the folders above it."""
        with _told(f"told to write `{path}` into `{name}`"):
            self._client.containers.get(name).put_archive("/", _archive(path, data))

    def _handle(self, name: str) -> "Handle | None":
        import docker

        with _told(f"asked for the container `{name}`"):
            try:
                return self._client.containers.get(name)
            except docker.errors.NotFound:
                return None


def _container(attrs: Mapping[str, Any]) -> Container:
    # HostConfig has the bindings of stopped containers too; NetworkSettings knows what a binding to port 0 became
    wished = attrs["HostConfig"].get("PortBindings") or {}
    actual = (attrs.get("NetworkSettings") or {}).get("Ports") or {}
    ports = {
        key: _host_port(bindings) for key, bindings in {**wished, **{k: v for k, v in actual.items() if v}}.items()
    }
    return Container(
        name=attrs["Name"].lstrip("/"),
        image=attrs["Config"]["Image"],
        running=bool(attrs["State"]["Running"]),
        labels=attrs["Config"].get("Labels") or {},
        ports={key: port for key, port in ports.items() if port},
        networks=tuple((attrs.get("NetworkSettings") or {}).get("Networks") or {}),
    )


def _host_port(bindings: list[Mapping[str, str]] | None) -> int:
    return int(bindings[0].get("HostPort") or 0) if bindings else 0


def _archive(path: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        parts = path.strip("/").split("/")
        for depth in range(2, len(parts)):  # the first folder is there, and must keep its own mode
            folder = tarfile.TarInfo("/".join(parts[:depth]))
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        file = tarfile.TarInfo("/".join(parts))
        file.size, file.mode = len(data), 0o644
        archive.addfile(file, io.BytesIO(data))
    return buffer.getvalue()


@contextmanager
def _told(what: str) -> Iterator[None]:
    import docker
    import requests

    try:
        yield
    except requests.exceptions.ConnectionError as error:
        raise stopped(error) from error
    except docker.errors.DockerException as error:
        reason = getattr(error, "explanation", None) or str(error)
        raise ClusterError(
            f"the Docker engine failed when {what}", "`docker info` and `docker ps -a` tell more", [str(reason)]
        ) from error


def stopped(error: Exception) -> ToolMissing:
    """The error for an engine that does not answer, with how to get it to."""
    text = str(error)
    if "Permission denied" in text or "PermissionError" in text:
        hint = "`sudo usermod -aG docker $USER`, then log in again"
        return ToolMissing("this user may not use the Docker engine", hint)
    if (
        "No such file" in text
        or "FileNotFoundError" in text
        or "Connection refused" in text
        or "ConnectionRefused" in text
    ):
        return ToolMissing("the Docker engine is not running", START_HINT)
    return ToolMissing("the Docker engine cannot be used", START_HINT, [text.strip()[:300]])
