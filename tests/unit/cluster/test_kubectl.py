"""kubectl's command lines."""

from pathlib import Path

from devenv.cluster import kubectl
from devenv.plan.model import Access

ACCESS = Access(Path("/k"), "kind-devenv")
BASE = ["kubectl", "--kubeconfig=/k", "--context=kind-devenv", "--namespace=lamp"]


def test_exec_on_a_terminal() -> None:
    argv = kubectl.exec_argv(ACCESS, "lamp", "web-1", "app", ["bash", "-c", "x"], tty=True, stdin=True)
    assert argv == [*BASE, "exec", "web-1", "--container=app", "--stdin", "--tty", "--", "bash", "-c", "x"]


def test_exec_on_a_pipe() -> None:
    argv = kubectl.exec_argv(ACCESS, "lamp", "web-1", None, ["ls"], tty=False, stdin=False)
    assert argv == [*BASE, "exec", "web-1", "--", "ls"]


def test_port_forward_listens_on_this_machine_only() -> None:
    argv = kubectl.port_forward_argv(ACCESS, "lamp", "service/postgres", 0, 5432)
    assert argv == [*BASE, "port-forward", "--address=127.0.0.1", "service/postgres", ":5432"]
