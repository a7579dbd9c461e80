"""One-off dynos: a pod of the app's image for one command (heroku.md section 3.7)."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devenv.base.errors import InputError
from devenv.cluster import kubectl
from devenv.cluster.kube_model import Pod
from devenv.ops import back, shipped
from devenv.ops.env import Env
from devenv.plan import profile, values
from devenv.sync import frame

DAY = 24 * 3600  # one-offs are cycled like all dynos (heroku.md section 3.2)
CONTAINER = "run"
START = 120.0
# waits for the command that `exec` brings, and ends at once when the pod is deleted
HOLD = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
PROFILE = 'for f in .profile.d/*.sh; do [ -f "$f" ] && . "$f"; done; [ -f .profile ] && . ./.profile; exec bash -c "$1"'


@dataclass(frozen=True, slots=True)
class OneOff:
    """A one-off dyno that is up."""

    name: str  # run.1234
    pod: str
    shell: str  # bash, sh or none
    key: str  # whose edits are laid over its image; empty for a release


def join(words: Sequence[str]) -> str:
    """The command line of `run`: one word as it is, of several those with blanks or quotes quoted (heroku.md 6.3).

    `$NAME` and `*` stay for the dyno's shell, as the Heroku CLI leaves them (src/lib/run/helpers.ts, buildCommand).
    """
    return words[0] if len(words) == 1 else " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace('"', '\\"')
    return f'"{escaped}"' if word == "" or any(mark in word for mark in ' "\t\n') else word


def resolve(words: Sequence[str], content: Mapping[str, Any], one_offs: Mapping[str, str]) -> str:
    """A first word that is a process type stands for its command (heroku.md section 1)."""
    types = {item["type"]: item["command"] for item in content.get("processes", [])} | dict(one_offs)
    if words and (command := types.get(words[0])):
        return " ".join([command, *map(_quoted, words[1:])])
    return join(words)


def start(
    env: Env, *, command: str, size: str | None, extra: Mapping[str, str], kind: str | None, hold: bool
) -> OneOff:
    """Start the pod: holding still for `attach`, or running `command` by itself. Raises InputError without a release."""
    env.require()
    content = _content(env)
    process = _process(content, kind)
    memory = profile.size(env.profile.sizes, size, "--size").memory if size else int(process["memory"])
    number = secrets.randbelow(9999) + 1
    manifest = _manifest(env, content, process, number, memory, extra, command, hold)
    env.kube.create_pod(env.name, manifest)
    name = manifest["metadata"]["name"]
    try:
        env.kube.wait_pod(env.name, name, _started, START)
    except BaseException:
        env.kube.delete_pod(env.name, name, 0)
        raise
    return OneOff(f"run.{number}", name, process["shell"], process.get("sync", ""))


def _content(env: Env) -> dict[str, Any]:
    if content := env.served():
        return content
    raise InputError(f"`{env.name}` has no release yet", "`devenv up` makes the first one")


def _started(pod: Pod) -> bool:
    return pod.phase in ("Running", "Succeeded", "Failed")


def _process(content: Mapping[str, Any], kind: str | None) -> Mapping[str, Any]:
    processes = values.runs(content)
    if not processes:
        raise InputError("the app has no process type to take the image of", "add one to the Procfile")
    wanted = kind or "web"
    found = next((item for item in processes if item["type"] == wanted), None)
    if kind and found is None:
        raise InputError(
            f"there is no process type `{kind}`", f"types: {', '.join(item['type'] for item in processes)}"
        )
    return found or processes[0]


def _manifest(
    env: Env,
    content: Mapping[str, Any],
    process: Mapping[str, Any],
    number: int,
    memory: int,
    extra: Mapping[str, str],
    command: str,
    hold: bool,
) -> dict[str, Any]:
    key = process.get("sync", "")
    argv = ["sh", "-c", HOLD] if hold else _argv(process["shell"], command, key)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"run-{number}",
            "labels": {
                "app.kubernetes.io/name": content["app"],
                "app.kubernetes.io/part-of": env.name,
                "app.kubernetes.io/component": "run",
                "app.kubernetes.io/managed-by": "devenv",
                "devenv.dev/env": env.name,
                "devenv.dev/kind": "run",
                "devenv.dev/process": "run",
            },
            "annotations": {"devenv.dev/command": command},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DAY,
            "terminationGracePeriodSeconds": 1 if hold else 30,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "shareProcessNamespace": True,
            "containers": [_container(content, process, number, memory, extra, argv)],
            **({"volumes": [{"name": "sync", "persistentVolumeClaim": {"claimName": "sync"}}]} if key else {}),
        },
    }


def _container(
    content: Mapping[str, Any],
    process: Mapping[str, Any],
    number: int,
    memory: int,
    extra: Mapping[str, str],
    argv: list[str],
) -> dict[str, Any]:
    own = {name: value for name, value in process["env"].items() if name not in content["config"]}
    given = {**own, "DYNO": f"run.{number}", **({"HOME": process["home"]} if process["home"] else {}), **extra}
    return {
        "name": CONTAINER,
        "image": process["image"],
        "command": argv,
        "env": [{"name": name, "value": value.replace("$", "$$")} for name, value in given.items()],
        "envFrom": [{"secretRef": {"name": f"app-config-v{content['release']['version']}"}}],
        **(
            {"volumeMounts": [{"name": "sync", "mountPath": "/.devenv", "readOnly": True}]}
            if process.get("sync")
            else {}
        ),
        **({"workingDir": process["home"]} if process["home"] else {}),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": f"{2 * memory}Mi"}},
    }


def in_shell(command: str) -> list[str]:
    """What to exec in a process's container to run `command` as its one-off would, without a pod of its own."""
    choose = 'command -v bash > /dev/null && exec bash -c "$1" run "$2"; exec sh -c "$2"'
    return ["sh", "-c", choose, "run", PROFILE, command]


def _argv(shell: str, command: str, key: str) -> list[str]:
    argv = ["bash", "-c", PROFILE, "run", command] if shell == "bash" else ["sh", "-c", command]
    if not key:
        return argv
    # as the chart does it for every process: what was edited since the image was built comes first
    overlay = (shipped.chart("app") / "files" / "overlay.sh").read_text()
    return [
        "sh",
        "-c",
        f'devenv_key=$1; shift\n{overlay}mkdir -p {frame.STATE}; : > {back.START}\nexec "$@"',
        "run",
        key,
        *argv,
    ]


def attach(env: Env, dyno: OneOff, command: str, *, tty: bool) -> int:
    """Run `command` in the waiting pod on this terminal or pipe; its exit status. The pod goes when it ends, however it ends."""
    argv = kubectl.exec_argv(
        env.access,
        env.name,
        dyno.pod,
        CONTAINER,
        _argv(dyno.shell, command, dyno.key),
        tty=tty,
        stdin=True,
        binary=str(env.tool("kubectl")),
    )
    began = time.time()
    try:
        status = env.runner.interactive(argv)
        if dyno.key:
            back.after_run(env, dyno.pod, CONTAINER, dyno.key, began)
        return status
    finally:
        env.kube.delete_pod(env.name, dyno.pod, 1)


def command_line(env: Env, words: Sequence[str]) -> str:
    """What `run` runs: a process type's command with the rest appended, else the words."""
    content = _content(env)
    one_offs = {item.name: item.command for item in env.app.one_offs} if env.options.env is None else {}
    return resolve(words, content, one_offs)
