"""A process under its language's debugger: started again in its pod, its port brought to this machine."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from devenv.base.errors import ClusterError, DevenvError, InputError
from devenv.cluster import kubectl
from devenv.cluster.kube_model import Pod
from devenv.ops.env import Env
from devenv.ops.status import KEY, dyno_name
from devenv.sync import frame

FOLDER = f"{frame.STATE}/debug"
FORWARD = 15.0  # seconds for kubectl to listen
TRIES = 100  # looks at the port, a fifth of a second apart
# Programs of the same names before the real ones in PATH: whatever starts the app, a script or `npm start`, ends in one of them.
# The first one to start listens; debugpy sees to the processes that it forks. It refuses Python's own switches, which stay before it.
PYTHON = """\
set -e
mkdir -p $d/bin
[ -d $d/lib/debugpy ] || python -c 'import debugpy' 2>/dev/null ||
  python -m pip install --quiet --disable-pip-version-check --target $d/lib debugpy
for name in python python3 gunicorn uvicorn hypercorn daphne celery flask django-admin; do
  real=$(command -v $name) || continue
  case $name in
    python*) run='at=switch
      for word do
        shift
        case $at:$word in
          value:*) at=switch ;;
          switch:-[WX]) at=value ;;
          switch:-[WX]*) ;;
          switch:-|switch:-*c) at=program ;;
          switch:-?*m) set -- "$@" "${word%m}" DEBUGPY; word=-m at=program ;;
          switch:-m|switch:[!-]*) set -- "$@" DEBUGPY; at=program ;;
        esac
        set -- "$@" "$word"
      done
      exec REAL "$@"' ;;
    *) run="exec $(command -v python) DEBUGPY REAL \\"\\$@\\"" ;;
  esac
  { echo '#!/bin/sh'
    echo "PATH=\\${PATH#$d/bin:} PYTHONPATH=$d/lib\\${PYTHONPATH:+:\\$PYTHONPATH} PYDEVD_DISABLE_FILE_VALIDATION=1"
    echo "export PATH PYTHONPATH PYDEVD_DISABLE_FILE_VALIDATION"
    echo "$run" | sed "s|REAL|$real|g; s|DEBUGPY|-m debugpy --listen 127.0.0.1:5678|"; } > $d/bin/$name
  chmod +x $d/bin/$name
done
"""
NODE = """\
set -e
mkdir -p $d/bin
real=$(command -v node)
{ echo '#!/bin/sh'
  echo 'case $1 in *npm*|*npx*|*yarn*|*pnpm*|*corepack*|-v|--version|-e|-p|"") exec REAL "$@";; esac'
  echo 'exec REAL --inspect=127.0.0.1:9229 "$@"'; } | sed "s|REAL|$real|g" > $d/bin/node
chmod +x $d/bin/node
"""


@dataclass(frozen=True, slots=True)
class Language:
    """How a language is debugged: the port that its debugger listens on, what prepares the pod, the editor's entry."""

    port: int
    prepare: str
    entry: dict[str, Any]


LANGUAGES = {
    "python": Language(
        5678,
        PYTHON,
        {
            "type": "debugpy",
            "connect": {"host": "127.0.0.1"},
            "pathMappings": [{"localRoot": "${workspaceFolder}", "remoteRoot": "/app"}],
            "justMyCode": True,
        },
    ),
    "nodejs": Language(
        9229,
        NODE,
        {"type": "node", "address": "127.0.0.1", "localRoot": "${workspaceFolder}", "remoteRoot": "/app"},
    ),
}


@dataclass(frozen=True, slots=True)
class Debugged:
    """A process under a debugger: its dyno, the port on this machine, the entry for .vscode/launch.json."""

    dyno: str
    port: int
    launch: dict[str, Any]


@contextmanager
def debugged(env: Env, kind: str, port: int) -> Iterator[Debugged]:
    """Have a process of type `kind` under its debugger, with `port` (0 = the debugger's own) forwarded; it ends as it was.

    Raises InputError when that type can't be debugged, ClusterError when the debugger does not listen.
    """
    language = _language(env)
    pod, container = _pod(env, kind)
    local, over = port or language.port, threading.Event()
    try:
        with env.console.step(f"Starting {dyno_name(pod)} under its debugger"):
            _exec(env, pod, container, f"d={FOLDER}\n{language.prepare}{_again()}")
        with env.console.step(f"Waiting for its port {language.port}"):
            _wait(env, pod, container, language.port)
        argv = kubectl.port_forward_argv(
            env.access, env.name, f"pod/{pod.name}", local, language.port, binary=str(env.tool("kubectl"))
        )
        _forward(env, argv, over)
        yield Debugged(dyno_name(pod), local, _entry(env, kind, language, local))
    finally:
        over.set()
        # what prepares goes on when nobody waits for it any more: without the folder its next step fails
        with env.console.step(f"Starting {dyno_name(pod)} as it was"):
            _exec(env, pod, container, f"rm -rf {FOLDER}; {_again()}")


def _language(env: Env) -> Language:
    name = env.app.buildpacks[-1].language if env.app.buildpacks else ""
    if name not in LANGUAGES:
        raise InputError(
            f"devenv has no debugger for {name or 'an image of your own'}",
            "Python and Node apps have one; start your own in the Procfile and reach it with `kubectl port-forward`",
        )
    return LANGUAGES[name]


def _pod(env: Env, kind: str) -> tuple[Pod, str]:
    env.require()
    pods = [
        pod
        for pod in env.kube.pods(env.name, f"devenv.dev/kind=process,devenv.dev/process={kind}")
        if not pod.deleting and pod.phase == "Running"
    ]
    if not pods:
        raise InputError(f"no process of type `{kind}` runs on {env.name}", "`devenv ps` lists what runs")
    if not pods[0].annotations.get(KEY):
        raise InputError(
            f"`{env.name}` runs a release, as production would",
            "`devenv up` runs this work tree, which can be debugged",
        )
    return pods[0], next(each.name for each in pods[0].containers if not each.init)


def _forward(env: Env, argv: list[str], over: threading.Event) -> None:
    """Forward the port until the end; comes back once it can be connected to. Raises ClusterError when it is taken."""
    settled, failed = threading.Event(), list[DevenvError]()

    def heard(line: str) -> None:
        env.console.detail(line)
        if line.startswith("Forwarding from"):
            settled.set()

    def forward() -> None:
        try:
            env.runner.stream(argv, heard)
        except DevenvError as error:
            failed.append(error)
            if settled.is_set() and not over.is_set():
                env.console.warn(f"the port is no longer forwarded: {' '.join(error.details) or error.message}")
        settled.set()

    threading.Thread(target=forward, daemon=True).start()
    settled.wait(FORWARD)
    if failed:
        raise ClusterError("the port is not forwarded", "--port takes another one", failed[0].details)


def _again() -> str:
    return f"read -r p < {frame.STATE}/supervisor && kill -USR1 $p"


def _wait(env: Env, pod: Pod, container: str, port: int) -> None:
    # in /proc/net/tcp ports are in hexadecimal, and 0A is a socket that listens (proc(5))
    look = f"grep -qi ':{port:04X} 00000000:0000 0A' /proc/net/tcp"
    for _ in range(TRIES):
        if env.kube.exec(env.name, pod.name, ["sh", "-c", look], container=container).code == 0:
            return
        time.sleep(0.2)
    raise ClusterError(
        f"no debugger listens in {dyno_name(pod)}", f"`devenv logs -d {dyno_name(pod)}` shows what it does instead"
    )


def _exec(env: Env, pod: Pod, container: str, script: str) -> None:
    done = env.kube.exec(env.name, pod.name, ["sh", "-c", script], container=container, timeout=180)
    if done.code:
        raise ClusterError(
            f"the debugger could not be set up in {dyno_name(pod)}",
            "debugpy in requirements.txt spares the download",
            (done.stdout + done.stderr).strip().splitlines()[-6:],
        )


def _entry(env: Env, kind: str, language: Language, local: int) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(json.dumps(language.entry))
    where = entry.get("connect", entry)
    where["port"] = local
    return {"name": f"devenv: {kind} of {env.name}", "request": "attach", **entry}
