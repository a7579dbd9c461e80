"""The formation: how many of each type, restarts."""

from dataclasses import replace

from devenv.base.errors import InputError
from devenv.heroku import formation as grammar
from devenv.heroku.model import Quantity
from devenv.ops import config, deploy, lock, rollout
from devenv.ops.env import Env
from devenv.ops.status import KIND, dyno_name
from devenv.plan import profile
from devenv.plan.settings import Settings

Row = tuple[str, int, str]  # type, quantity, size


def formation(env: Env) -> tuple[Row, ...]:
    """The formation that the running release asks for. Raises InputError when there is none."""
    env.require()
    content = env.served()
    if not content:
        raise InputError(f"no process types on {env.name}", "`devenv up` makes the first release")
    return tuple((item["type"], int(item["quantity"]), item["size"]) for item in content["processes"])


def scale(env: Env, changes: tuple[str, ...]) -> tuple[Row, ...]:
    """Change quantities and sizes (`web=2`, `web+1`, `web=1:Standard-2X`); the new rows. Raises InputError on a bad one."""
    now = {name: (count, size) for name, count, size in formation(env)}
    wanted: dict[str, Quantity] = {}
    for change in grammar.parse(changes):
        if change.type not in now:
            raise InputError(f"there is no process type `{change.type}`", f"types: {', '.join(now)}")
        count, size = now[change.type]
        if change.size:
            size = profile.size(env.profile.sizes, change.size, change.type).name
        wanted[change.type] = Quantity(change.apply(count), size)

    def edit(settings: Settings) -> Settings:
        return replace(settings, formation={**settings.formation, **wanted})

    text = " ".join(f"{name}@{item.quantity}:{item.size}" for name, item in wanted.items())
    config.update(env, edit, f"Scaled to {text}", keep=True)
    return tuple((name, item.quantity or 0, item.size or "") for name, item in wanted.items())


def restart(env: Env, target: str | None) -> int:
    """Restart everything, a type, or one dyno, and wait; how many. No request is lost: what takes over is up before.

    Raises InputError when nothing matches, ReleaseError when the fresh processes do not come up; the old ones stay then.
    """
    env.require()
    with lock.changing(env):
        pods = [pod for pod in env.kube.pods(env.name, "devenv.dev/kind in (process,run)") if not pod.deleting]
        chosen = [
            pod
            for pod in pods
            if (target is None and pod.labels[KIND] == "process")
            or target in (dyno_name(pod), pod.labels.get(rollout.PROCESS), pod.name)
        ]
        if not chosen:
            raise InputError(f"no {target or 'running'} dynos on {env.name}", "`devenv ps` lists them")
        processes = [pod for pod in chosen if pod.labels[KIND] == "process"]
        for pod in chosen:
            if pod not in processes:
                env.kube.delete_pod(env.name, pod.name)
        if processes:
            deploy.succeed(env, processes, pods)
    return len(chosen)
