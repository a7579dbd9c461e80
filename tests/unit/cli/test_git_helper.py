"""What git and its helper say to each other, up to where the cluster is asked."""

import io
from pathlib import Path
from typing import Any

import pytest

from devenv.base.console import Console
from devenv.base.errors import BuildError, InputError, ReleaseError
from devenv.cli import git, git_helper
from devenv.cli.common import Shell
from devenv.cli.git_helper import Remote
from devenv.ops.env import Env
from devenv.ops.push import NotBuilt, Overtaken
from tests.fakes import Answer, FakeRunner


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.chdir(tmp_path)
    return Remote("devenv", "devenv://devenv/lamp/examples/lamp", io.StringIO(), io.StringIO())


def answers(remote: Remote) -> list[str]:
    assert isinstance(remote.out, io.StringIO)
    return remote.out.getvalue().splitlines()


def said(remote: Remote) -> list[str]:
    stream = remote.console.stderr
    assert isinstance(stream, git_helper.Prefixed)
    assert isinstance(stream.to, io.StringIO)
    return stream.to.getvalue().splitlines()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("devenv://devenv/lamp", ("devenv", "lamp", "")),
        ("devenv::devenv/lamp", ("devenv", "lamp", "")),
        ("devenv://devenv/lamp/examples/lamp", ("devenv", "lamp", "examples/lamp")),
    ],
)
def test_addresses(url: str, found: tuple[str, str, str]) -> None:
    assert git_helper.address(url) == found


@pytest.mark.parametrize("url", ["devenv://", "devenv://devenv", "devenv:///lamp"])
def test_addresses_that_lead_nowhere(url: str) -> None:
    with pytest.raises(InputError, match="leads to no env"):
        git_helper.address(url)


def test_where_it_acts(remote: Remote, tmp_path: Path) -> None:
    assert remote.env.options.app_dir == tmp_path / "examples" / "lamp"
    assert (remote.env.options.env, remote.env.options.flags["cluster"]) == ("lamp", "devenv")


def test_capabilities_and_options(remote: Remote) -> None:
    remote.serve(["capabilities\n", "option verbosity 1\n", "option atomic true\n", "option dry-run true\n", "\n"])
    assert answers(remote) == ["option", "push", "fetch", "", "ok", "unsupported", "ok"]
    assert remote.is_trial


def test_a_dry_run_touches_nothing_and_refuses_the_same(remote: Remote) -> None:
    remote.serve(["option dry-run true\n", "push main:refs/heads/main\n", "push x:refs/heads/x\n", "\n"])
    assert answers(remote) == [
        "ok",
        "ok refs/heads/main",
        "error refs/heads/x nothing deployed: git push devenv x:main",
        "",
    ]


def test_refs_that_deploy_nothing(remote: Remote) -> None:
    remote.serve(
        [
            "push refs/heads/feature:refs/heads/feature\n",
            "push :refs/heads/main\n",
            "push refs/tags/v1:refs/tags/v1\n",
            "\n",
        ]
    )
    assert answers(remote) == [
        "error refs/heads/feature nothing deployed: git push devenv feature:main",
        "error refs/heads/main pre-receive hook declined",
        "error refs/tags/v1 a tag alone deploys nothing: git push devenv v1:main",
        "",
    ]
    assert said(remote) == [
        "remote: Pushed to branch other than [main, master], skipping build.        ",
        "remote: !\tPush rejected, cannot delete main branch        ",
    ]


def test_another_ones_commit_is_not_replaced_unasked(remote: Remote) -> None:
    remote.seen, remote.env.runner = "1a2b3c4d" * 5, FakeRunner({("git", "cat-file"): Answer(code=128)})
    assert remote.refusal("refs/heads/main", "refs/heads/main", False) == "fetch first"
    assert remote.refusal("+refs/heads/main", "refs/heads/main", False) == ""


def test_what_serves_by_now_is_not_replaced_unasked(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def push(env: Env, ref: str, *, seen: str | None) -> None:
        asked.append((ref, seen))
        raise Overtaken("lamp runs commit 1a2b3c4d since another push")

    monkeypatch.setattr("devenv.ops.push.push", push)
    remote.seen = "5e6f"
    assert remote.deploy("refs/heads/main") == remote.deploy("+refs/heads/main") == "fetch first"
    assert asked == [("refs/heads/main", "5e6f"), ("refs/heads/main", None)]
    assert "since another push: `git push --force` replaces it." in said(remote)[0]


def test_a_tag_beside_a_deploy_and_two_deploys(remote: Remote) -> None:
    assert remote.refusal("refs/tags/v1", "refs/tags/v1", True) == ""
    assert remote.refusal("refs/heads/other", "refs/heads/master", True) == "main and master are one: push one of them"


def test_a_tag_of_what_serves_is_up_to_date(remote: Remote) -> None:
    (remote.env.options.app_dir / ".git").mkdir(parents=True)
    remote.env.runner = FakeRunner({("git", "refs/tags/v1^{commit}"): Answer("1a2b\n")})
    remote.seen = "1a2b"
    assert remote.refusal("refs/tags/v1", "refs/tags/v1", False) == ""
    remote.seen = "5e6f"
    assert "a tag alone deploys nothing" in remote.refusal("refs/tags/v1", "refs/tags/v1", False)


def test_quiet_is_not_about_reasons(remote: Remote) -> None:
    remote.serve(["option verbosity 0\n", "push refs/heads/x:refs/heads/x\n", "\n"])
    assert "skipping build" in said(remote)[0]
    remote.console.quiet = True
    remote.tell(NotBuilt("failed to compile Python app", "look", ["no such package"]))
    assert any("no such package" in line for line in said(remote)), "nobody saw the build"


def test_a_failed_build_is_told_once(remote: Remote) -> None:
    remote.tell(NotBuilt("failed to compile Python app", "look", ["seen already"]))
    assert [line.rstrip() for line in said(remote)] == ["remote:  !     Hint: look"]
    remote.tell(BuildError("`lamp/web:1` is not in the registry", "build it again"))
    assert any("is not in the registry" in line for line in said(remote))


def test_errors_in_herokus_shape(remote: Remote) -> None:
    remote.tell(ReleaseError("web: App crashed", "look at the log", ["no flux"]))
    assert [line.removeprefix("remote: ").rstrip() for line in said(remote)] == [
        "",
        " !     Web: App crashed",
        "       no flux",
        "",
        "!\tPush rejected to lamp.",
        "",
        " !     Hint: look at the log",
    ]


def test_nothing_can_be_fetched() -> None:
    out, err = io.StringIO(), io.StringIO()
    status = git_helper.main(["git-remote-devenv", "devenv", "devenv://devenv/lamp"], ["fetch abc HEAD\n"], out, err)
    assert (status, err.getvalue()) == (
        128,
        "fatal: devenv keeps no commits\nhint: fetch them from where you push your work\n",
    )


def test_people_are_told_what_it_is_for() -> None:
    err = io.StringIO()
    assert git_helper.main(["git-remote-devenv"], [], io.StringIO(), err) == 2
    assert "git push devenv main" in err.getvalue()


@pytest.mark.parametrize("given", [{"provider": "minikube"}, {"profile": "small"}])
def test_a_remote_does_not_drop_what_chooses_the_cluster(tmp_path: Path, given: dict[str, str]) -> None:
    flags: dict[str, Any] = {"provider": None, "profile": None, **given}
    shell = Shell(env_name="lamp", app_dir=tmp_path, cluster=None, json=False, console=Console(), **flags)
    with pytest.raises(InputError, match="keeps neither"):
        git.remote(shell)
