"""What keeps a process of a work tree running, run here by the shells there are: no cluster."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devenv.base import resources

pytestmark = pytest.mark.integration
SHELLS = [shell for shell in ("bash", "dash", "busybox") if shutil.which(shell)]
WEB = """
echo "start $$" >> {log}
trap 'echo "term $$" >> {log}; exit 0' TERM
sleep 1000 &
echo $! >> {pids}
echo $$ >> {pids}
while :; do sleep 0.05; done
"""
STUBBORN = """
echo "start $$" >> {log}
echo $$ >> {pids}
trap '' TERM
while :; do sleep 0.05; done
"""


def eventually(good: Callable[[], object], seconds: float = 30) -> None:
    """Wait until `good`."""
    deadline = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass
class Dyno:
    """A supervisor in a folder, and what its process notes there."""

    folder: Path
    shell: str
    process: "subprocess.Popen[bytes] | None" = None
    session: "subprocess.Popen[bytes] | None" = None

    def start(self, command: str, grace: int = 20) -> None:
        """Supervise `command`, a script that notes what happens to it."""
        script = self.folder / "script"
        script.write_text(command.format(log=self.folder / "log", pids=self.folder / "pids"))
        text = (resources.path("charts") / "app" / "files" / "supervise.sh").read_text()
        text = text.replace("/tmp/.devenv", str(self.folder / "state"))
        words = ["busybox", "sh"] if self.shell == "busybox" else [self.shell]
        profile = self.folder / "profile"
        head = f'devenv_prepare="[ ! -f {profile} ] || . {profile}"\n'
        head += f'devenv_shell=/bin/sh\ndevenv_grace={grace}\ndevenv_command="exec /bin/sh {script}"\n'
        self.process = subprocess.Popen([*words, "-c", head + text], start_new_session=True)

    def attach(self) -> None:
        """A session's loop, as far as a supervisor sees it."""
        (self.folder / "state").mkdir(exist_ok=True)
        self.session = subprocess.Popen(["sleep", "1000"], stdout=subprocess.PIPE)
        (self.folder / "state" / "loop").write_text(f"{self.session.pid}\n")

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def log(self) -> list[str]:
        """The words that the process noted."""
        file = self.folder / "log"
        return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []

    def pids(self) -> list[int]:
        """Every process that ever was."""
        file = self.folder / "pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def said(self) -> str:
        """The next line that the session got."""
        assert self.session
        assert self.session.stdout
        return self.session.stdout.readline().decode().strip()


@pytest.fixture(params=SHELLS)
def dyno(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dyno]:
    made = Dyno(tmp_path, str(request.param))
    yield made
    for process in (made.process, made.session):
        if process:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
    for pid in filter(alive, made.pids()):
        os.kill(pid, signal.SIGKILL)


def test_it_starts_again_in_place_and_the_whole_group_goes(dyno: Dyno) -> None:
    dyno.attach()
    dyno.start(WEB)
    eventually(lambda: len(dyno.pids()) == 2)
    assert dyno.process
    assert int((dyno.folder / "state" / "supervisor").read_text()) == dyno.process.pid
    for turn in range(1, 4):
        dyno.signal(signal.SIGUSR1)
        eventually(lambda turn=turn: len(dyno.pids()) == 2 * turn + 2)
        eventually(lambda turn=turn: not any(alive(pid) for pid in dyno.pids()[: 2 * turn]))
    assert dyno.log() == ["start", "term"] * 3 + ["start"]
    assert dyno.process.poll() is None
    assert [dyno.said().split()[0] for _ in range(4)] == ["up"] * 4


def test_its_profile_is_read_with_each_start_and_stays_in_there(dyno: Dyno) -> None:
    profile = dyno.folder / "profile"
    profile.write_text("set -eu; export NUMBER=one")
    dyno.start('echo "$NUMBER" >> {log}; echo $$ >> {pids}; while :; do sleep 0.05; done')
    eventually(dyno.pids)
    profile.write_text("set -eu; export NUMBER=two")
    dyno.signal(signal.SIGUSR1)
    eventually(lambda: len(dyno.pids()) == 2)
    assert dyno.log() == ["one", "two"]
    assert dyno.process
    assert dyno.process.poll() is None


def test_the_next_one_starts_only_when_the_one_before_has_ended(dyno: Dyno) -> None:
    dyno.start(
        "echo \"start $$\" >> {log}; echo $$ >> {pids}; trap 'sleep 0.5; echo end >> {log}; exit' TERM\nwhile :; do sleep 0.05; done"
    )
    eventually(dyno.pids)
    dyno.signal(signal.SIGUSR1)
    dyno.signal(signal.SIGUSR1)
    eventually(lambda: len(dyno.log()) >= 3)
    time.sleep(0.3)
    assert dyno.log() == ["start", "end", "start"], "one restart for what comes while it is under way"


def test_one_that_ignores_sigterm_is_killed(dyno: Dyno) -> None:
    dyno.start(STUBBORN, grace=1)
    eventually(dyno.pids)
    dyno.signal(signal.SIGUSR1)
    eventually(lambda: len(dyno.pids()) == 2)
    first, second = dyno.pids()
    assert (alive(first), alive(second)) == (False, True)
    time.sleep(1.5)
    assert alive(second), "the killer was meant for the first"


def test_one_that_ends_at_once_starts_again_at_once(dyno: Dyno) -> None:
    dyno.start("echo $$ >> {pids}; exec sleep 1000", grace=20)
    for turn in range(1, 9):
        eventually(lambda turn=turn: len(dyno.pids()) == turn, seconds=10)
        dyno.signal(signal.SIGUSR1)


def test_without_a_session_it_ends_with_its_process(dyno: Dyno) -> None:
    dyno.start("echo $$ >> {pids}; sleep 1000 & echo $! >> {pids}; exit 7")
    assert dyno.process
    assert dyno.process.wait(timeout=20) == 7
    assert not any(alive(pid) for pid in dyno.pids()), "a dyno ends whole"


def test_with_a_session_it_waits_for_the_next_save(dyno: Dyno) -> None:
    dyno.attach()
    dyno.start("echo start >> {log}; test -e {log}.good || exit 3; echo $$ >> {pids}; while :; do sleep 0.05; done")
    assert [dyno.said().split()[0], dyno.said()] == ["up", "exit 3"]
    assert dyno.process
    assert dyno.process.poll() is None
    (dyno.folder / "log.good").touch()
    dyno.signal(signal.SIGUSR1)
    eventually(dyno.pids)
    assert dyno.said().startswith("up ")
    assert alive(dyno.pids()[-1])


def test_it_tries_again_by_itself_while_a_session_is_there(dyno: Dyno) -> None:
    dyno.attach()
    dyno.start("echo start >> {log}; exit 3")
    eventually(lambda: len(dyno.log()) >= 2)
    assert dyno.session
    dyno.session.kill()
    dyno.session.wait()
    assert dyno.process
    assert dyno.process.wait(timeout=30) == 3, "Kubernetes takes over"


def test_a_session_ends_it_as_a_container_that_starts_anew(dyno: Dyno) -> None:
    dyno.attach()
    dyno.start(WEB)
    eventually(lambda: len(dyno.pids()) == 2)
    dyno.signal(signal.SIGUSR2)
    assert dyno.process
    dyno.process.wait(timeout=20)
    assert dyno.log() == ["start", "term"]
    eventually(lambda: not any(map(alive, dyno.pids())))


def test_it_ends_with_the_container(dyno: Dyno) -> None:
    """The preStop hook signals every process, the kubelet the supervisor."""
    dyno.attach()
    dyno.start(WEB)
    eventually(lambda: len(dyno.pids()) == 2)
    os.kill(dyno.pids()[1], signal.SIGTERM)
    dyno.signal(signal.SIGTERM)
    assert dyno.process
    assert dyno.process.wait(timeout=20) == 0
    assert dyno.log() == ["start", "term"]
    eventually(lambda: not any(map(alive, dyno.pids())))
