"""Command lines of kubectl, for what needs a terminal or a port of this machine. Pure."""

from collections.abc import Sequence

from devenv.plan.model import Access


def base_argv(access: Access, namespace: str, binary: str = "kubectl") -> list[str]:
    """`kubectl` with explicit kubeconfig, context and namespace."""
    return [binary, f"--kubeconfig={access.kubeconfig}", f"--context={access.context}", f"--namespace={namespace}"]


def exec_argv(
    access: Access,
    namespace: str,
    pod: str,
    container: str | None,
    argv: Sequence[str],
    *,
    tty: bool,
    stdin: bool,
    binary: str = "kubectl",
) -> list[str]:
    """Run `argv` in a container, on this terminal when `tty`."""
    words = [*base_argv(access, namespace, binary), "exec", pod]
    words += [f"--container={container}"] if container else []
    words += [flag for flag, on in (("--stdin", stdin), ("--tty", tty)) if on]
    return [*words, "--", *argv]


def port_forward_argv(
    access: Access, namespace: str, target: str, local: int, remote: int, *, binary: str = "kubectl"
) -> list[str]:
    """Forward 127.0.0.1:`local` to a port of `target` (`pod/NAME`, `service/NAME`); local 0 = any free port."""
    ports = f"{local or ''}:{remote}"
    return [*base_argv(access, namespace, binary), "port-forward", "--address=127.0.0.1", target, ports]
