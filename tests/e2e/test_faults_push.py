"""A push that fails, is interrupted, or meets a broken machine: the release before it serves on, its config unchanged."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import App, Done, MakeApp, eventually
from tests.e2e.repository import Repository, greets, outcomes, said, version
from tests.e2e.test_faults_interrupt import Process, begun, interrupt, phase_runs, wait_for

pytestmark = pytest.mark.e2e
GOOD = "web: python web.py\nworker: python worker.py\n"
SECRET = "hunter2-very-secret-value"


@pytest.fixture(scope="module")
def shared(make_module_app: MakeApp) -> App:
    """An app whose first commit serves."""
    app = make_module_app("python-plain", env="faults-push")
    (app.folder / ".devenv").mkdir()
    app.write(".devenv/profile.yaml", "timeouts: {boot: 10, stop: 3, release: 15}\n")
    app.write(".gitignore", ".devenv\n.env\n")
    repository = Repository(app)
    repository.commit(greeting_txt="good\n")
    app("config:set", f"SECRET={SECRET}")
    app("git:remote")
    repository.push()
    return app


@pytest.fixture
def app(shared: App) -> Iterator[App]:
    """The same app: whatever a test pushes, the release before serves on with its config, and a good commit follows."""
    repository = Repository(shared)
    good = repository("rev-parse", "HEAD").stdout.strip()
    before, config = version(shared), shared("config", "--json").json
    yield shared
    assert shared("config", "--json").json == config
    greets(shared, "good\n")
    assert shared.http("/env/SECRET").text == SECRET
    assert version(shared) >= before
    repository("reset", "--quiet", "--hard", good)
    if repository.deployed() == good:
        assert shared("push").stderr.endswith("Everything up-to-date\n")
    else:
        shared("push")
    assert repository.deployed() == good
    dynos = [each for each in shared("ps", "--json").json["dynos"] if each["state"] != "down"]
    assert [each["state"] for each in dynos] == ["up", "up"]


@pytest.fixture
def repository(app: App) -> Repository:
    """The app's repository."""
    return Repository(app)


def rejected(app: App, repository: Repository) -> Done:
    """`git push` of the last commit is rejected: the ref stays, no secret is told, the same release serves."""
    before, ref = version(app), repository.deployed()
    done = repository.push(status=1)
    assert SECRET not in done.stdout + done.stderr, str(done)
    assert "! [remote rejected] main -> main (pre-receive hook declined)" in done.stderr, str(done)
    assert "error: failed to push some refs to 'devenv://" in done.stderr, str(done)
    assert (version(app), repository.deployed()) == (before, ref)
    return done


def test_a_build_that_fails(app: App, repository: Repository) -> None:
    newest = max(outcomes(app))
    repository.commit(requirements_txt="gunicorn==0.0.0\n")
    lines = said(rejected(app, repository).stderr)
    place = lines.index(" !     Push rejected, failed to compile Python app.")
    assert lines[place + 1 : place + 6] == [
        "",
        " !     Push failed",
        "Verifying deploy...",
        "",
        "!\tPush rejected to faults-push.",
    ]
    assert any(line.startswith(" !     Hint: ") and "gunicorn" in line for line in lines)
    assert max(outcomes(app)) == newest, "no release without an image"
    done = app("push", status=6)
    assert " !     Push rejected, failed to compile Python app.\n\n !     Push failed\n" in done.stderr


def test_a_release_command_that_fails(app: App, repository: Repository) -> None:
    repository.commit(Procfile=GOOD + "release: echo migrating; echo column exists >&2; exit 3\n")
    lines = said(rejected(app, repository).stderr)
    place = lines.index("Running release command...")
    assert lines[place - 1] == "Verifying deploy... done."
    assert lines[place + 1] == ""
    assert set(lines[place + 2 : place + 4]) == {"migrating", "column exists"}
    assert lines[place + 4] == "Waiting for release.... failed."
    table = outcomes(app)
    assert table[max(table)] == "release command failed"
    assert "column exists" in app("releases:output").stdout
    assert "release command failed: it exited with status 3" in app("releases:retry", status=7).stderr
    table, before = outcomes(app), version(app)
    for count in (2, 1):
        app("ps:scale", f"worker={count}")
        assert sorted(app.pods().values()) == ["web", *["worker"] * count]
    assert (outcomes(app), version(app)) == (table, before), "scaling is no release, whatever failed before it"


def test_scaling_rolls_out_nothing_that_failed(app: App, repository: Repository) -> None:
    before = version(app)
    app("config:set", "PYTHONHOME=/nowhere", status=7)
    app("ps:scale", "worker=2")
    assert version(app) == before
    assert app.http("/env/PYTHONHOME").status == 404
    app("config:unset", "PYTHONHOME")
    app("ps:scale", "worker=1")


def test_a_release_command_that_takes_too_long(app: App, repository: Repository) -> None:
    repository.commit(Procfile=GOOD + "release: echo begun; sleep 100\n")
    done = app("push", status=7)
    assert "begun\nWaiting for release.... failed.\n" in done.stderr
    assert "release command failed: it did not end within 15 s" in done.stderr, str(done)


def test_a_crash_at_boot(app: App, repository: Repository) -> None:
    repository.commit(web_py="import os, sys\nprint('secret is', os.environ['SECRET'])\nsys.exit('no flux')\n")
    done = app("push", status=7)
    assert SECRET not in done.stderr
    assert "Verifying deploy... failed.\n" in done.stderr
    assert "web: App crashed: the process exited with status 1" in done.stderr
    assert "no flux" in done.stderr
    table = outcomes(app)
    assert table[max(table)] == "did not start"
    assert f"v{max(table)} can't be rolled back to" in app("rollback", f"v{max(table)}", status=2).stderr


def test_a_web_process_that_never_binds_its_port(app: App, repository: Repository) -> None:
    repository.commit(Procfile="web: sleep 600\nworker: python worker.py\n")
    lines = said(rejected(app, repository).stderr)
    assert any(
        "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 10 seconds" in line for line in lines
    )
    assert any("bind 0.0.0.0:$PORT" in line for line in lines if line.startswith(" !     Hint: "))


def change(repository: Repository, command: str = "") -> None:
    release = f"release: {command}\n" if command else ""
    repository.commit(greeting_txt=f"bad at {time.time()}\n", Procfile=GOOD + release)


@pytest.mark.parametrize("program", ["buildx build", "docker push", " upgrade app "])
def test_ctrl_c_while_a_program_runs(app: App, repository: Repository, program: str) -> None:
    change(repository)
    process = begun(app, "push")
    interrupt(process, wait_for(process, program))


def test_ctrl_c_in_the_release_command(app: App, repository: Repository) -> None:
    change(repository, "sleep 14")
    process = begun(app, "push")
    interrupt(process, phase_runs(app, process))


def new_pod(app: App, before: int) -> None:
    """Returns when the first pod of a newer release than `before` is there."""

    def newer() -> bool:
        pods = app.cluster.kube.pods(app.env, "devenv.dev/kind=process")
        return any(int(pod.labels["devenv.dev/release"]) > before for pod in pods)

    eventually(newer, timeout=90)


def test_ctrl_c_in_the_roll_out(app: App, repository: Repository) -> None:
    repository.commit(greeting_txt="bad\n", web_py="import time\ntime.sleep(600)\n")
    before = version(app)
    process = begun(app, "push")
    new_pod(app, before)
    interrupt(process, [])
    assert version(app) == before
    table = outcomes(app)
    assert table[max(table)] in ("did not start", "interrupted"), "helm may still be at work when the pod appears"


def test_ctrl_c_of_git(app: App, repository: Repository) -> None:
    """A terminal sends it to git and to its helper alike."""
    change(repository, "sleep 14")
    process = subprocess.Popen(
        ["git", "push", "devenv", "main"],
        cwd=app.folder,
        env=repository.environ,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    phase_runs(app, process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode, err
    assert "Traceback" not in err


def killed(process: "subprocess.Popen[str]", children: list[Process]) -> None:
    """As by a power cut: devenv and all that it started."""
    process.kill()
    for each in children:
        with suppress(ProcessLookupError):
            os.kill(each.id, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("program", ["buildx build", "docker push"])
def test_a_power_cut_while_a_program_runs(app: App, repository: Repository, program: str) -> None:
    change(repository)
    process = begun(app, "push")
    killed(process, wait_for(process, program))


def test_a_power_cut_in_the_release_command_leaves_helm_pending(app: App, repository: Repository) -> None:
    change(repository, "sleep 14")
    process = begun(app, "push")
    killed(process, phase_runs(app, process))
    assert app.cluster.kube.releases(app.env)["app"].status == "pending-upgrade"
    newest = max(outcomes(app))
    repository.commit(greeting_txt="good\n", Procfile=GOOD)
    done = app("push")
    assert "Ending the release command of an interrupted run" in done.stderr
    table = outcomes(app)
    assert (table[newest], table[newest + 1]) == ("interrupted", "succeeded")


def test_a_kill_in_the_roll_out(app: App, repository: Repository) -> None:
    """Nobody is there to take it back: what can't boot never gets a request, and the next push goes on from there."""
    repository.commit(web_py="import time\ntime.sleep(600)\n")
    before = version(app)
    process = begun(app, "push")
    new_pod(app, before)
    process.kill()
    process.communicate()
    greets(app, "good\n")
    repository.commit(web_py=repository("show", "HEAD~1:web.py").stdout)
    app("push")


def test_two_at_once(app: App, repository: Repository) -> None:
    newest = max(outcomes(app))
    repository.commit(greeting_txt="good\n")
    both = [begun(app, "push") for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert sum("Waiting for another devenv" in err for _, err in ends) == 1, ends
    assert sum("Everything up-to-date" in err for _, err in ends) == 1, ends
    assert max(outcomes(app)) == newest + 1


def test_two_clones_at_once(app: App, repository: Repository, tmp_path: Path) -> None:
    """Both were made of the same commit: who comes second replaces nothing that it has not seen."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(app.folder), str(clone)], check=True)
    other = Repository(App(clone, app.env, app.wheel, app.cluster))
    other("remote", "add", "devenv", repository("remote", "get-url", "devenv").stdout.strip())
    pushes = []
    for each in (repository, other):
        each.commit(mine_txt=str(each.app.folder))
        command = ["git", "push", "devenv", "main"]
        options = {"cwd": each.app.folder, "env": each.environ, "stderr": subprocess.PIPE, "text": True}
        pushes.append(subprocess.Popen(command, **options))
    ends = {process.communicate(timeout=120)[1]: process.returncode for process in pushes}
    assert sorted(ends.values()) == [0, 1], ends
    (rejected,) = (err for err, status in ends.items() if status)
    assert "since another push" in rejected
    assert "(fetch first)" in rejected


def test_sixty_kilobytes_of_config(app: App, repository: Repository) -> None:
    text = os.urandom(6_900).hex()[:6_900]
    many = {f"BIG_{number}": text for number in range(8)}
    app("config:set", *(f"{name}={value}" for name, value in many.items()))
    repository.commit(greeting_txt="good\n")
    app("push")
    assert app.http("/env/BIG_7").text == text
    app("config:unset", *many)


@pytest.fixture
def docker() -> Callable[..., None]:
    """The engine's command line."""

    def run(*words: str) -> None:
        subprocess.run(["docker", *words], check=True, capture_output=True, timeout=120)

    return run


def test_a_registry_that_stopped(app: App, repository: Repository, docker: Callable[..., None]) -> None:
    repository.commit(greeting_txt="good\n", worker_py="import time\nwhile True: time.sleep(2)\n")
    docker("stop", "--time=1", f"{app.cluster.spec.name}-registry")
    assert "Starting cluster" in app("push").stderr


@pytest.mark.parametrize("by", ["git", "devenv"])
def test_a_cluster_that_stopped(app: App, repository: Repository, docker: Callable[..., None], by: str) -> None:
    """What config:set gave is known to the cluster only."""
    required = '{"env": {"SECRET": {"required": true}}}'
    repository.commit(app_json=required, worker_py=f"import time\nwhile '{by}': time.sleep(1)\n")
    docker("stop", "--time=5", f"{app.cluster.spec.name}-control-plane")
    done = repository.push() if by == "git" else app("push")
    assert "Starting cluster" in done.stderr


def test_a_disk_that_is_full(app: App, repository: Repository) -> None:
    """A limit on the size of files stands in for the disk: writes fail the same way, for this process only."""
    repository.commit(greeting_txt="bad\n", blob_txt="x" * 3_000_000)
    process = app.start("push", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    out, err = process.communicate(timeout=60)
    assert process.returncode in (4, 9), err
    assert "Traceback" not in err
    assert "Error: " in err, out + err


def test_a_folder_without_a_repository(make_app: MakeApp) -> None:
    app = make_app("python-plain", env="faults-push-bare")
    done = app("push", status=2)
    assert "is not in a git repository" in done.stderr
    assert "`git init`" in done.stderr
    Repository(app)
    assert "`HEAD` names no commit here" in app("push", status=2).stderr
    assert not app.cluster.kube.namespace(app.env)
