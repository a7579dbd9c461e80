"""`down` stops an env and keeps all of it; `destroy` removes it with its data."""

from dataclasses import replace

from devenv.base.errors import DevenvError
from devenv.cluster.kube import refuse_foreign
from devenv.cluster.kube_model import HelmState
from devenv.ops import lock, shipped, traffic
from devenv.ops.env import Env
from devenv.plan import values

ENDING = 2  # seconds that processes have to end in when nothing of theirs will be left
PATIENCE = 30  # seconds for all of them to be gone


def down(env: Env) -> None:
    """Stop processes and add-ons; config, releases and volumes stay. Raises InputError when there is no such env."""
    env.require()
    with lock.changing(env), env.console.step(f"Stopping {env.name}"):
        installed = env.kube.releases(env.name)
        # the app first: a process must not see its database go
        for name in sorted(installed, key=lambda each: each != values.APP):
            if name != values.ENV:
                _stop(env, name, installed[name])
        env.kube.wait_gone(env.name, "devenv.dev/kind in (process,addon)", 60)


def _stop(env: Env, name: str, state: HelmState) -> None:
    content = env.served() if name == values.APP else env.helm.values(name, env.name)
    if not content:  # its first release failed, or was interrupted: nothing serves
        env.helm.recover(name, env.name)
        return
    if not content.get("running", True):
        return
    stopped = {**content, "running": False}
    version = state.version
    if "release" in content:
        version = int(content["release"]["version"])
        stopped["release"] = {**content["release"], "phase": False}
    chart = shipped.chart_of(name)
    release = replace(values.release(name, env.name, chart, stopped, env.facts({})), version=version)
    env.helm.upgrade(release, shipped.chart(chart), 120, wait=False)


def destroy(env: Env) -> None:
    """Remove the env: processes, add-ons, config, data."""
    env.require()
    with lock.changing(env), env.console.step(f"Destroying {env.name} and its data"):
        try:
            _empty(env)
        except DevenvError as error:
            env.console.detail(f"it takes its time: {error.message}")
        finally:
            env.kube.delete_namespace(env.name, wait=False)
        env.kube.delete_namespace(env.name)
        traffic.forget(env)


def _empty(env: Env) -> None:
    """End what runs: a namespace that is deleted with pods in it waits for their grace period, and then for as long again."""
    if (found := env.kube.namespace(env.name)) is None:
        return
    refuse_foreign(found)
    # Helm's records first: whatever ends this early, `up` does not take what is gone for what is there
    for kind, params in (
        ("api/v1/{}/secrets", {"labelSelector": "owner=helm"}),
        ("apis/apps/v1/{}/deployments", {}),
        ("apis/apps/v1/{}/statefulsets", {}),
        ("api/v1/{}/persistentvolumeclaims", {}),
    ):
        path = "/" + kind.format(f"namespaces/{env.name}")
        env.kube.http.json("DELETE", path, {"propagationPolicy": "Background"}, params=params)
    for pod in env.kube.pods(env.name):
        env.kube.delete_pod(env.name, pod.name, grace=ENDING)
    env.kube.wait_gone(env.name, "", PATIENCE)
