"""Thin images over a base: with the host's certificate authorities, or made to stand in for an official image.

BuildKit puts them in a FROM's place by a named context, so that the user's Dockerfile stays as it is.
"""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.base.errors import BuildError
from devenv.base.proc import Runner
from devenv.build import authorities, bases, buildkit
from devenv.build.bases import Base
from devenv.build.golang import toolchain
from devenv.build.node import DEFAULT as NODE
from devenv.build.node import runtime
from devenv.build.output import OnLine, warning
from devenv.build.recipe import render

STACK_GO = "1.24"
REPOSITORY = "devenv.local/adapted"

# Bundles are appended to, because update-ca-certificates is not in every base; where it comes later with the package
# ca-certificates, it finds the files in their usual place.
TRUST = (
    "RUN --mount=type=bind,from=authorities,target=/run/authorities"
    " mkdir -p /usr/local/share/ca-certificates /etc/ssl/certs"
    " && cp /run/authorities/*.crt /usr/local/share/ca-certificates/"
    " && for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do"
    ' if [ -f "$bundle" ]; then cat /run/authorities/*.crt >> "$bundle"; fi; done'
    f" && if [ ! -f {authorities.BUNDLE} ]; then cp /run/authorities/bundle {authorities.BUNDLE}; fi"
)


def contexts(runner: Runner, names: Sequence[str], stack: str | None, on_line: OnLine) -> Mapping[str, str]:
    """For each image name of FROM that needs another in its place: the named context.

    `stack` is the image that stands in for official ones, set where none can be pulled.
    """
    extra = authorities.on_host()
    found = {}
    for name in names:
        local = _inspect(runner, name)
        base = bases.known(name) if stack and local is None else None
        if base and stack:
            on_line(warning(f"{name} can't be pulled here: built on {stack} instead"))
            found[name] = f"docker-image://{_make(runner, stack, _stand_in(stack, base, bool(extra)), (), on_line)}"
        elif name == stack and extra:
            found[name] = f"docker-image://{_make(runner, stack, _environment(stack), (), on_line)}"
        elif extra and (local is not None or not stack) and (adapted := _trusting(runner, name, local, extra, on_line)):
            found[name] = f"docker-image://{adapted}"
    return found


def _trusting(runner: Runner, name: str, user: str | None, extra: tuple[str, ...], on_line: OnLine) -> str | None:
    if user is None:
        runner.stream(["docker", "pull", "--quiet", name], lambda line: None, check=False)
        user = _inspect(runner, name)
    if user is None:
        return None  # the build itself tells best why it cannot be had
    # the rest of the user's Dockerfile goes on as the base's own user
    text = f"FROM {name}\nUSER 0\n{TRUST}\n{_variables()}\n" + (f"USER {user}\n" if user else "")
    try:
        return _make(runner, name, text, extra, on_line)
    except BuildError:
        on_line(warning(f"{name} has no shell: it goes without this machine's certificate authorities"))
        return None


def _environment(stack: str) -> str:
    return f"FROM {stack}\n{_variables()}\n"


def _variables() -> str:
    return "ENV " + " \\\n    ".join(f"{name}={value}" for name, value in authorities.ENV.items())


def _stand_in(stack: str, base: Base, extra: bool) -> str:
    """The stack in the shape of an official image: root, its home and folder, the language where such images have it."""
    lines = [f"FROM {stack}", "USER 0", "ENV HOME=/root", "WORKDIR /"]
    if extra:
        lines.append(_variables())
    lines.append('SHELL ["/bin/bash", "-ec"]')
    if base.family == "node":
        lines += [render(runtime(base.version or NODE, "yarn@1")), "ENV PATH=/opt/node/node_modules/.bin:$PATH"]
        lines.append("RUN getent passwd node > /dev/null || useradd --create-home --shell /bin/bash node")
    elif base.family == "golang":
        version = base.version or STACK_GO
        lines += [f"ENV GOPATH=/go GOTOOLCHAIN={toolchain(version, STACK_GO)}", "ENV PATH=/go/bin:$PATH", "WORKDIR /go"]
    elif base.family == "python":
        lines.append("RUN ln -sf /usr/bin/python3 /usr/local/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED")
    return "\n".join([*lines, 'SHELL ["/bin/sh", "-c"]', 'CMD ["bash"]', ""])


def _make(runner: Runner, base: str, text: str, extra: tuple[str, ...], on_line: OnLine) -> str:
    """Build the thin image unless it is there; its tag names all that goes into it."""
    identity = runner.run(["docker", "image", "inspect", "--format", "{{.Id}}", base], check=False).stdout.strip()
    tag = hashlib.blake2b("\0".join([identity, text, *extra]).encode(), digest_size=6).hexdigest()
    name = f"{REPOSITORY}:{tag}"
    if _inspect(runner, name) is not None:
        return name
    with tempfile.TemporaryDirectory(prefix="devenv-authorities-") as folder:
        for number, certificate in enumerate(extra):
            (Path(folder) / f"devenv-{number}.crt").write_text(certificate)
        system = Path(authorities.BUNDLE)
        (Path(folder) / "bundle").write_text(system.read_text() if system.is_file() else "".join(extra))
        job = buildkit.Job(text, Path(folder), name, contexts={"authorities": folder} if extra else {})
        buildkit.build(runner, job, f"the base `{base}`", on_line, steps=False)
    return name


def _inspect(runner: Runner, name: str) -> str | None:
    """The user an image runs as ("" for root); None when the engine does not have the image."""
    done = runner.run(["docker", "image", "inspect", "--format", "user={{.Config.User}}", name], check=False)
    return None if done.code else done.stdout.strip().removeprefix("user=")
