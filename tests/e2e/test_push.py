"""A commit becomes a release: by `git push devenv main`, by `devenv push`, back again, and on to another env."""

import base64
import gzip
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from devenv.ops import lock, retention
from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.repository import Repository, greets, outcomes, said, version

pytestmark = pytest.mark.e2e
PROCFILE = "web: python web.py\nworker: python worker.py\nrelease: echo phase of $DYNO, GREETING is $GREETING\n"
FIRST = """\
Compressing source files... done.
Building source:

-----> Building on the Heroku-24 stack
-----> Determining which buildpack to use for this app
-----> Python app detected
…
-----> Discovering process types
       Procfile declares types     -> release, web, worker

-----> Compressing...
       Done: SIZE (SIZE moved)

-----> Launching...
 !     Release command declared: this new release will not be available until the command succeeds.
       Released v1
       http://push.localhost:PORT/ deployed to devenv

Verifying deploy... done.
Running release command...

phase of release.1, GREETING is
Waiting for release.... done."""


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """An app with an add-on whose first commit was pushed by git; its output is in `first.txt`."""
    app = make_module_app("python-plain", env="push")
    app.write("app.json", '{"addons": ["heroku-redis:mini"]}')
    app.write("greeting.txt", "one\n")
    app.write("fresh.txt", str(time.time()))  # what was built by an earlier run is not built again
    app.write("Procfile", PROCFILE)
    app.write(".gitignore", "first.txt\n.env\n.devenv\n")
    (app.folder / ".devenv").mkdir()
    app.write(".devenv/profile.yaml", "timeouts: {boot: 20, stop: 3}\n")
    repository = Repository(app)
    repository.commit()
    assert "devenv://" in app("git:remote").stderr
    app.write("first.txt", repository.push().stderr)
    app("redis:cli", "SET", "kept", "yes")
    return app


@pytest.fixture
def repository(app: App) -> Repository:
    """The app's repository."""
    return Repository(app)


def test_the_first_push_looks_like_herokus(app: App, repository: Repository) -> None:
    text = (app.folder / "first.txt").read_text()
    told = "\n".join(line for line in said(text) if not line.startswith("  Installing"))
    told = re.sub(r"Done: \S+ \(\S+ moved\)", "Done: SIZE (SIZE moved)", told)
    told = told.replace(f":{app.cluster.status.http_port}/", ":PORT/")
    head, _, tail = FIRST.partition("…\n")
    assert told.startswith(head), text
    assert told.endswith(tail), text
    assert text.splitlines()[-2].startswith("To devenv://"), text
    assert text.splitlines()[-1] == " * [new branch]      main -> main"
    assert app.http("/").text == "one\n"
    assert repository.deployed() == repository("rev-parse", "HEAD").stdout.strip()


def test_what_serves_is_up_to_date(app: App, repository: Repository) -> None:
    before = version(app)
    assert repository.push().stderr == "Everything up-to-date\n"
    assert app("push").stderr == "Everything up-to-date\n"
    assert app("push", "--json").json["changed"] is False
    assert version(app) == before
    forced = app("push", "--force")
    assert f"Released v{before + 1}" in forced.stderr
    assert app("ps", "--json").json["mode"] == "release"


def test_the_commit_is_pushed_and_not_the_work_tree(app: App, repository: Repository) -> None:
    repository.commit(greeting_txt="two\n")
    app.write("greeting.txt", "not committed\n")
    done = app("push", "--json")
    assert "1 file differs from the last commit" in done.stderr
    assert re.search(r"Done: \S+ \(\S+ moved\)", done.stderr)
    assert done.json["commit"] == repository("rev-parse", "HEAD").stdout.strip()
    greets(app, "two\n")
    app.write("Procfile", "web: broken in the work tree only\n")
    app("config:set", "GREETING=hello")
    assert app("run", "cat", "Procfile").stdout == PROCFILE
    assert app("config", "--origins").stdout.count("(config:set)") == 1
    repository("checkout", "--quiet", "--", ".")
    assert app("push").stderr == "Everything up-to-date\n"


def test_other_refs_deploy_nothing(app: App, repository: Repository) -> None:
    before = version(app)
    repository("branch", "--force", "feature")
    done = repository.push("feature", status=1)
    assert said(done.stderr) == ["Pushed to branch other than [main, master], skipping build."]
    assert "[remote rejected] feature -> feature (nothing deployed: git push devenv feature:main)" in done.stderr
    assert said(repository.push(":main", status=1).stderr) == ["!\tPush rejected, cannot delete main branch"]
    assert "skipping build" in repository.push("--quiet", "feature", status=1).stderr
    assert "nothing deployed" in repository.push("--dry-run", "feature", status=1).stderr
    repository("tag", "--force", "v1.0", "HEAD~1")
    assert "a tag alone deploys nothing: git push devenv v1.0:main" in repository.push("v1.0", status=1).stderr
    repository.push("--dry-run", "--force", "v1.0:main")
    assert version(app) == before
    assert ".devenv/profile.yaml" in app("git:remote", "--provider", "minikube", status=2).stderr


def test_a_detached_head_a_tag_beside_it_and_an_older_commit(app: App, repository: Repository) -> None:
    repository.commit(greeting_txt="three\n")
    repository("checkout", "--quiet", "--detach")
    repository("tag", "--annotate", "--message", "a tag", "v3")
    done = repository.push("HEAD:main", "v3")
    assert "Tag v3 is not kept" in done.stderr
    greets(app, "three\n")
    repository("checkout", "--quiet", "main")
    rejected = repository.push("main~1:main", status=1)
    assert "(non-fast-forward)" in rejected.stderr
    app("push", "main~1")
    greets(app, "two\n")
    assert repository.deployed() == repository("rev-parse", "main~1").stdout.strip()
    repository.push()
    greets(app, "three\n")
    before = version(app)
    for _ in range(2):  # git sends the tag again, for it finds none there
        assert "Tag v3 is not kept" in repository("-c", "push.followTags=true", "push", "devenv", "main").stderr
    assert version(app) == before


def test_a_shallow_clone(app: App, repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", app.folder.as_uri(), str(clone)], check=True)
    other = Repository(App(clone, app.env, app.wheel, app.cluster))
    other("remote", "add", "devenv", repository("remote", "get-url", "devenv").stdout.strip())
    assert other.push().stderr == "Everything up-to-date\n"
    other.commit(greeting_txt="from a shallow clone\n")
    other.push()
    greets(app, "from a shallow clone\n")
    fetched = repository.push(status=1)
    assert "which this clone does not have" in fetched.stderr
    assert "[rejected]" in fetched.stderr
    assert "(fetch first)" in fetched.stderr
    assert "is not in this folder's repository" in app("config:set", "A=1", status=2).stderr
    app("push")
    greets(app, "three\n")


def test_a_pointer_of_git_lfs_is_refused(app: App, repository: Repository) -> None:
    before = version(app)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    app.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    app.write("model.bin", pointer)
    repository.commit()
    done = repository.push(status=1)
    assert "Git LFS pointers" in done.stderr
    assert "model.bin" in done.stderr
    assert "[remote rejected] main -> main (pre-receive hook declined)" in done.stderr
    repository("reset", "--quiet", "--hard", "HEAD~1")
    assert version(app) == before


def test_rollback_restores_code_and_config_and_leaves_add_ons(app: App, repository: Repository) -> None:
    app("config:set", "GREETING=hello", "OTHER=1")
    old, first, text = app("config", "--json").json, version(app), app.http("/").text
    app("ps:scale", "worker=0", "--env", app.env)  # as on Heroku, flags may come last
    app("config:set", "GREETING=bye", "LATER=1")
    app("config:unset", "OTHER")
    repository.commit(greeting_txt="four\n")
    app("push")
    newest = version(app)
    done = app("rollback", f"v{first}")
    assert f"Rolling back push to v{first}... done, v{newest + 1}" in done.stderr
    assert f"Warning: To undo, run: devenv rollback v{newest}" in done.stderr
    assert f"phase of release.{newest + 1}, GREETING is hello" in done.stderr
    greets(app, text)
    assert app("config", "--json").json == old
    assert app.http("/env/GREETING").text == "hello"
    assert [dyno["type"] for dyno in app("ps", "--json").json["dynos"] if dyno["state"] == "up"] == ["web"], "scaled"
    assert app("redis:cli", "GET", "kept").stdout == "yes\n"
    app("rollback", "--json")
    greets(app, "four\n")
    assert app("config:get", "GREETING").stdout == "bye\n"
    assert version(app) == newest + 2
    assert app("rollback", f"v{newest + 2}", status=2).stderr.startswith("Error: v")
    app("rollback", "v999", status=2)
    app("ps:scale", "worker=1")


def test_what_releases_tell(app: App) -> None:
    newest = version(app)
    table = app("releases").stdout
    assert table.startswith(f"=== push Releases - Current: v{newest}\n")
    assert "Rollback to v" in table
    assert "Set GREETING, LATER config vars" in table
    rows = app("releases", "-n", "2", "--json").json
    assert [row["version"] for row in rows] == [newest, newest - 1]
    assert {row["mode"] for row in rows} == {"release"}
    info = app("releases:info").stdout
    assert info.startswith(f"=== Release v{newest}\n\nAdd-ons:")
    assert f"=== v{newest} Config vars" in info
    assert re.search(r"^GREETING: +bye$", info, re.M)
    assert re.search(r"^Eligible for Rollback\?: Yes$", info, re.M)
    assert app("releases:output", f"v{newest}").stdout == f"phase of release.{newest}, GREETING is bye\n"
    again = app("releases:retry")
    assert f"Retrying v{newest} on push... done, v{newest + 1}" in again.stderr
    assert f"phase of release.{newest + 1}, GREETING is bye" in again.stderr
    assert "Retry of v" in app("releases", "-n", "1").stdout


def test_promotion_moves_the_image_and_not_the_config(app: App) -> None:
    image = app("releases:info", "--json").json["images"]
    target = App(app.folder, "push-production", app.wheel, app.cluster)
    app.cluster.kube.delete_namespace(target.env)
    try:
        done = app("promote", "--to", target.env)
        assert done.stderr.splitlines()[-2:] == ["Promotion successful", "push-production: succeeded"]
        target("config:set", "GREETING=production")
        done = app("promote", "--to", target.env, "--json")
        assert "GREETING is production" in done.stderr
        assert done.json["version"] == 3
        greets(target, "four\n")
        assert target.http("/env/GREETING").text == "production"
        assert target("releases:info", "--json").json["images"] == image
        assert target("config:get", "LATER").stdout == "\n"
        assert "can't be promoted to itself" in app("promote", "--to", app.env, status=2).stderr
    finally:
        app.cluster.kube.delete_namespace(target.env, wait=False)


def age(app: App, count: int) -> int:
    """Write `count` further revisions into Helm's own records, each a release of what serves; the newest number."""
    http, path = app.cluster.kube.http, f"/api/v1/namespaces/{app.env}/secrets"
    state = app.cluster.kube.releases(app.env)["app"]
    last = http.json("GET", f"{path}/sh.helm.release.v1.app.v{state.revision}")
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(last["data"]["release"]))))
    for step in range(1, count + 1):
        status = "deployed" if step == count else "superseded"
        revision, number = state.revision + step, state.version + step
        content |= {"version": revision, "info": content["info"] | {"status": status}}
        content["config"]["release"] |= {"version": number, "description": f"Set N{number} config vars"}
        data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
        labels = last["metadata"]["labels"] | {
            "version": str(revision),
            "status": status,
            "devenv.version": str(number),
        }
        meta = {"name": f"sh.helm.release.v1.app.v{revision}", "labels": labels}
        http.json("POST", path, {"metadata": meta, "type": last["type"], "data": {"release": data}})
    http.json("DELETE", f"{path}/{last['metadata']['name']}")
    return state.version + count


def test_a_history_of_fifty_releases(app: App, repository: Repository) -> None:
    first = version(app)
    newest = age(app, 50 - first)
    assert newest == 50
    repository.commit(greeting_txt="five\n")
    app("push")
    assert version(app) == 51
    assert max(outcomes(app)) == 51
    assert len(app("releases", "-n", "99", "--json").json) > 40
    app("rollback")
    greets(app, "four\n")
    assert app("releases", "-n", "1", "--json").json[0]["description"] == "Rollback to v50"


def test_an_image_that_is_no_longer_kept(app: App, repository: Repository) -> None:
    """Two images, ten releases between them: the older one is collected at the next push, and nothing else is."""
    app("ps:scale", "web=0", "worker=0")  # releases without processes are quick
    repository.commit(Procfile="web: python web.py\nworker: python worker.py\n", greeting_txt="old\n")
    app("push")
    old = version(app)
    repository.commit(greeting_txt="six\n")
    app("push")
    age(app, retention.KEPT)
    app("push", "--force")
    newest = version(app)
    done = app("rollback", f"v{old}", status=2)
    assert f"the image of v{old} is no longer kept: those of the last 10 releases are" in done.stderr
    assert "devenv push" in done.stderr.partition("\nHint: ")[2]
    assert len(app.pods("release")) <= retention.KEPT, "outputs are kept no longer than images"
    assert version(app) == newest == max(outcomes(app)), "nothing was touched"
    app("rollback", f"v{newest - 9}")
    app("push", "HEAD~1")
    app("ps:scale", "web=1", "worker=1")
    greets(app, "old\n")


def test_from_the_work_tree_to_a_release_and_back(app: App, repository: Repository) -> None:
    before, text = version(app), repository("show", "HEAD:greeting.txt").stdout
    app.write("greeting.txt", "work tree\n")
    attached = app.start("up")
    try:
        session = f"sync-{app.cluster.spec.name}-{app.env}"
        eventually(lambda: lock.holder(session), timeout=120)
        greets(app, "work tree\n")
        assert app("ps", "--json").json["mode"] == "work-tree"
        assert repository.deployed() == "", "no commit serves"
        done = repository.push()
        assert (
            "push ran the work tree; from here on it runs commits: edits of the attached `up` (process" in done.stderr
        )
        greets(app, text)
        assert app("ps", "--json").json["mode"] == "release"
        app.write("requirements.txt", "# another image would be needed\n")
        _, err = attached.communicate(timeout=60)
    finally:
        if attached.poll() is None:
            attached.kill()
    assert f"push ran release v{before}; from here on it runs the work tree, until `devenv push`" in err
    assert "no edit reaches it. `devenv up` runs the work tree again." in err
    assert attached.returncode == 0
    assert json.loads(app("releases", "-n", "1", "--json").stdout)[0]["mode"] == "release", "nothing took it back"
