"""The cluster itself: what it is, deleting it."""

from dataclasses import dataclass

from devenv.ops import lock
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESS
from devenv.plan import values


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """A cluster as people want to see it; None = not to be told while it does not run."""

    name: str
    provider: str
    state: str
    kubernetes: str | None
    images: str | None
    router: str | None
    registry: str | None
    kubeconfig: str | None
    memory: int | None  # MB used by all pods
    envs: tuple[str, ...]
    detail: str


def info(env: Env) -> ClusterInfo:
    """The cluster as it is now."""
    status = env.status
    running = status.state == "running"
    return ClusterInfo(
        name=env.spec.name,
        provider=env.spec.provider,
        state=status.state,
        kubernetes=status.kubernetes,
        images={"built": "built here from package registries", "official": "official"}[status.source]
        if status.state != "absent"
        else None,
        router=f"http://localhost:{status.http_port}" if status.http_port else None,
        registry=status.registry or None,
        kubeconfig=str(env.access.kubeconfig) if running else None,
        memory=sum(pod.memory for pod in env.kube.node_stats()) // 2**20 if running else None,
        envs=envs(env) if running else (),
        detail=status.detail,
    )


def envs(env: Env) -> tuple[str, ...]:
    """The envs on the cluster; none when it does not run."""
    if env.status.state != "running":
        return ()
    return tuple(sorted(each.name for each in env.kube.namespaces() if "devenv.dev/env" in each.labels))


def delete(env: Env) -> None:
    """Delete the cluster with everything in it."""
    with lock.hold(f"cluster-{env.spec.name}", env.console), env.console.step(f"Deleting cluster {env.spec.name}"):
        env.provider.delete(env.spec)
        env.forget()


@dataclass(frozen=True, slots=True)
class EnvRow:
    """A row of `devenv envs`."""

    name: str
    app: str
    state: str  # running, down, not deployed
    version: int
    url: str


def rows(env: Env) -> tuple[EnvRow, ...]:
    """Every env of the cluster with its state."""
    found = []
    for name in envs(env):
        if (namespace := env.kube.namespace(name)) is None:
            continue  # destroyed meanwhile
        labels = namespace.labels
        state = env.kube.releases(name).get(values.APP)
        running = any(item.desired for item in env.kube.deployments(name, PROCESS))
        word = "not deployed" if state is None else "running" if running else "down"
        found.append(
            EnvRow(
                name,
                labels.get("devenv.dev/app", name),
                word,
                state.version if state else 0,
                env.address(name),
            )
        )
    return tuple(found)
