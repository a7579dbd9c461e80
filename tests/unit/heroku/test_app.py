import os
from pathlib import Path

import pytest

from devenv.base.errors import InputError
from devenv.heroku.app import load
from devenv.heroku.model import App, DockerBuild

RAILS = "GEM\n    rack (3.1.8)\n    railties (7.1.3)\n"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "My App"
    folder.mkdir()
    return folder


def commands(app: App) -> dict[str, str]:
    return {type_.name: type_.command for type_ in app.processes}


def details(root: Path) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        load(root)
    return caught.value.details or (caught.value.message,)


def test_a_python_app(root: Path) -> None:
    write(
        root,
        {
            "Procfile": "web: gunicorn app\nworker: python w.py\nrelease: python m.py\n",
            "requirements.txt": "flask",
            ".python-version": "3.13",
            ".env": "A='x'\nB=2\n",
            "app.json": '{"name": "Lamp", "addons": ["heroku-redis"], "formation": {"web": {"quantity": 2}}}',
        },
    )
    app = load(root)
    assert (app.name, app.root, app.stack) == ("lamp", root, "heroku-24")
    assert commands(app) == {"web": "gunicorn app", "worker": "python w.py"}
    assert app.release is not None
    assert app.release.command == "python m.py"
    assert app.dotenv.values == {"A": "x", "B": "2"}
    assert app.dotenv.origins == {"A": ".env:1", "B": ".env:2"}
    assert "x" not in repr(app.dotenv)
    assert [ref.service for ref in app.addons] == ["heroku-redis"]
    assert app.formation["web"].quantity == 2
    assert [buildpack.language for buildpack in app.buildpacks] == ["python"]
    assert app.builds == ()
    assert app.one_offs == ()
    assert app.warnings == ()
    assert app == load(root)


@pytest.mark.parametrize(
    ("files", "processes", "one_offs"),
    [
        ({"package.json": "{}"}, {"web": "npm start"}, {}),
        ({"package.json": "{}", "Procfile": "worker: node w"}, {"worker": "node w", "web": "npm start"}, {}),
        ({"package.json": "{}", "Procfile": "web: node x"}, {"web": "node x"}, {}),
        (
            {"Gemfile": "", "Gemfile.lock": RAILS, "Procfile": "worker: w"},
            {"worker": "w", "web": "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV"},
            {"rake": "bundle exec rake", "console": "bin/rails console"},
        ),
        (
            {"Gemfile": "", "Gemfile.lock": RAILS, "Procfile": "web: x\nconsole: c"},
            {"web": "x", "console": "c"},
            {"rake": "bundle exec rake"},
        ),
        (
            {
                "package.json": "{}",
                "requirements.txt": "",
                "Procfile": "web: x",
                "app.json": '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}]}',
            },
            {"web": "x"},
            {},
        ),
    ],
)
def test_the_procfile_is_merged_over_default_types(
    root: Path, files: dict[str, str | bytes], processes: dict[str, str], one_offs: dict[str, str]
) -> None:
    app = load(write(root, files))
    assert commands(app) == processes
    assert {type_.name: type_.command for type_ in app.one_offs} == one_offs


def test_the_last_buildpack_brings_the_default_types(root: Path) -> None:
    manifest = '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/php"}]}'
    app = load(write(root, {"package.json": "{}", "composer.json": "{}", "app.json": manifest}))
    assert commands(app) == {"web": "heroku-php-apache2"}
    assert [buildpack.language for buildpack in app.buildpacks] == ["nodejs", "php"]


def test_heroku_yml_overrides_the_procfile(root: Path) -> None:
    yml = (
        "setup:\n  addons: [{plan: heroku-redis}]\n  config: {C: 1, K: 2}\n"
        "build:\n  docker: {web: Dockerfile, w: w/Dockerfile}\n  config: {ARG: x}\n"
        "release: {command: r, image: web}\nrun: {web: serve}\n"
    )
    write(
        root,
        {
            "heroku.yml": yml,
            "Dockerfile": "FROM x",
            "w/Dockerfile": "FROM x",
            "Procfile": "web: no",
            "package.json": "{}",
        },
    )
    app = load(write(root, {"app.json": '{"env": {"K": "v"}}'}))
    assert app.stack == "container"
    assert commands(app) == {"web": "serve", "w": ""}
    assert app.builds == (DockerBuild("web", "Dockerfile"), DockerBuild("w", "w/Dockerfile"))
    assert app.build_config == {"ARG": "x"}
    assert app.release is not None
    assert app.release.image == "web"
    assert [(entry.name, entry.value) for entry in app.env] == [("K", "v"), ("C", "1")]
    assert [ref.service for ref in app.addons] == ["heroku-redis"]
    assert app.buildpacks == ()
    assert any(warning.startswith("Procfile: ignored") for warning in app.warnings)


def test_heroku_yml_without_a_build_is_ignored(root: Path) -> None:
    app = load(write(root, {"heroku.yml": "run: {web: no}", "package.json": "{}"}))
    assert commands(app) == {"web": "npm start"}
    assert any(warning.startswith("heroku.yml: ignored") for warning in app.warnings)


def test_the_container_stack_without_builds_takes_the_dockerfile(root: Path) -> None:
    write(root, {"app.json": '{"stack": "container"}', "Dockerfile": "FROM x", "package.json": "{}"})
    app = load(root)
    assert (app.stack, commands(app), app.builds) == ("container", {"web": ""}, (DockerBuild("web", "Dockerfile"),))
    write(root, {"heroku.yml": "run: {web: x, worker: y}"})
    assert commands(load(root)) == {"web": "x", "worker": "y"}


def test_missing_dockerfiles_are_named(root: Path) -> None:
    write(root, {"heroku.yml": "build: {docker: {web: a/Dockerfile, w: b/Dockerfile}}"})
    assert details(root) == (
        "heroku.yml: there is no file `a/Dockerfile` to build `web` from",
        "heroku.yml: there is no file `b/Dockerfile` to build `w` from",
    )


def test_a_lone_dockerfile(root: Path) -> None:
    app = load(write(root, {"Dockerfile": "FROM x"}))
    assert (app.stack, commands(app), app.builds) == ("container", {"web": ""}, (DockerBuild("web", "Dockerfile"),))
    assert any("heroku.yml" in warning for warning in app.warnings)


def test_a_procfile_of_comments(root: Path) -> None:
    write(root, {"Dockerfile": "FROM x", "Procfile": "# web: later\n"})
    assert commands(load(root)) == {"web": ""}
    (root / "Dockerfile").unlink()
    assert commands(load(write(root, {"package.json": "{}"}))) == {"web": "npm start"}


def test_a_dockerfile_beside_a_procfile(root: Path) -> None:
    write(root, {"Dockerfile": "FROM x", "Procfile": "web: a\nrelease: b"})
    app = load(root)
    assert (app.stack, commands(app), len(app.builds)) == ("container", {"web": "a"}, 1)
    assert app.release is not None
    write(root, {"requirements.txt": ""})
    app = load(root)
    assert (app.stack, app.builds, len(app.buildpacks)) == ("heroku-24", (), 1)
    assert any(warning.startswith("Dockerfile: ignored") and "heroku.yml" in warning for warning in app.warnings)


@pytest.mark.parametrize("told", ['"buildpacks": [{"url": "heroku/nodejs"}]', '"stack": "heroku-24"'])
def test_a_dockerfile_does_not_win_over_what_app_json_says(root: Path, told: str) -> None:
    app = load(write(root, {"Dockerfile": "FROM x", "package.json": "{}", "app.json": f"{{{told}}}"}))
    assert (app.stack, app.builds, commands(app)) == ("heroku-24", (), {"web": "npm start"})
    assert any(warning.startswith("Dockerfile: ignored") for warning in app.warnings)


def test_nothing_at_all(root: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(root)
    assert caught.value.message == "no default language could be detected for this app"
    assert "Dockerfile" in (caught.value.hint or "")


def test_a_language_without_types_needs_a_procfile(root: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(write(root, {"requirements.txt": ""}))
    assert caught.value.message == "the app has no process types, and python brings none"
    assert "Procfile" in (caught.value.hint or "")


def test_all_problems_of_all_files_come_together(root: Path) -> None:
    write(root, {"Procfile": "nonsense", "app.json": '{"env": {"A": 1}}', "heroku.yml": "run: 3", ".env": "A='x"})
    with pytest.raises(InputError) as caught:
        load(root)
    assert caught.value.message == "4 problems in the app's files"
    assert [line.split(":")[0] for line in caught.value.details] == ["Procfile", "app.json", "heroku.yml", ".env"]


def test_conflicts_come_with_the_rest(root: Path) -> None:
    write(root, {"Procfile": "web:", ".env": "x y", "package.json": "{}", "yarn.lock": "", "package-lock.json": ""})
    assert [line.split(":")[0] for line in details(root)] == ["Procfile", ".env", "package.json"]


def test_no_language_comes_with_the_rest(root: Path) -> None:
    assert details(write(root, {"Procfile": "web:"}))[-1] == "no default language could be detected for this app"


@pytest.mark.parametrize("name", ["Procfile", "app.json", "heroku.yml", ".env", "requirements.txt", "package.json"])
def test_files_that_are_no_text(root: Path, name: str) -> None:
    base = {"Procfile": "web: x", ".python-version": "3.13", "requirements.txt": ""}
    for content, says in ((b"a\n\nb\xff\n", ":3: not UTF-8"), (b"a\nb\0\n", ":2: a NUL byte")):
        write(root, {**base, name: content})
        if name == "requirements.txt":
            assert load(root)  # its contents are pip's matter
        else:
            assert any(line.startswith(name + says) for line in details(root)), details(root)


@pytest.mark.parametrize("name", ["Procfile", "app.json", "heroku.yml", ".env"])
def test_things_in_place_of_files(root: Path, name: str) -> None:
    write(root, {"requirements.txt": ""})
    (root / name).mkdir()
    assert f"{name}: a folder, where a file is expected" in details(root)
    (root / name).rmdir()
    (root / name).symlink_to("nowhere")
    assert f"{name}: not a file, or a link to nothing" in details(root)
    (root / name).unlink()
    (root / name).symlink_to(name)
    assert any(line.startswith(f"{name}: ") for line in details(root))
    (root / name).unlink()
    os.mkfifo(root / name)
    assert f"{name}: not a file, or a link to nothing" in details(root)


def test_a_huge_file(root: Path) -> None:
    with (root / ".env").open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    assert ".env: larger than 4 MB" in details(root)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot read the folder") as caught:
        load(tmp_path / name)
    assert caught.value.hint


def test_the_environment_replaces_keys(root: Path) -> None:
    manifest = '{"env": {"A": "1"}, "environments": {"review": {"env": {"B": "2"}}}}'
    write(root, {"package.json": "{}", "app.json": manifest})
    assert [entry.name for entry in load(root).env] == ["A"]
    assert [entry.name for entry in load(root, "review").env] == ["B"]


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ({"procfile": "web: x"}, "procfile: Heroku does not read it; its name must be `Procfile`"),
        ({"Procfile.txt": "web: x"}, "its name must be `Procfile`"),
        ({"heroku.yaml": ""}, "its name must be `heroku.yml`"),
        ({"app.json": '{"stack": "heroku-20"}'}, "`heroku-20` has reached its end of life"),
        (
            {"app.json": '{"formation": {"clock": {"quantity": 1}}}'},
            "`formation` names `clock`, which is no process type",
        ),
        ({"Procfile": "Web: x"}, "Procfile:1: `Web` is read as `web` on Fir"),
    ],
)
def test_warnings(root: Path, files: dict[str, str | bytes], warning: str) -> None:
    app = load(write(root, {"package.json": '{"scripts": {"start": "x"}}', **files}))
    assert any(warning in line for line in app.warnings), app.warnings


REMOTE = '[remote "heroku"]\n\turl = https://git.heroku.com/from-remote.git\n'


def test_the_name(root: Path) -> None:
    write(root, {"package.json": "{}"})
    assert load(root).name == "my-app"
    write(root, {".git/config": REMOTE})
    assert load(root).name == "from-remote"
    write(root, {"app.json": '{"name": "From File"}'})
    assert load(root).name == "from-file"


def test_the_name_in_another_worktree_is_the_main_one_s(tmp_path: Path) -> None:
    main, other = tmp_path / "main-app", tmp_path / "fix-1"
    write(main, {".git/config": "", ".git/worktrees/fix-1/commondir": "../..\n"})
    write(other, {"package.json": "{}", ".git": f"gitdir: {main}/.git/worktrees/fix-1\n"})
    assert load(other).name == "main-app"
    write(main, {".git/config": REMOTE})
    assert load(other).name == "from-remote"


@pytest.mark.parametrize("git", [b"gitdir: /nowhere", b"", b"\xff\0", b"gitdir: a\0b"])
def test_a_broken_git_file_does_no_harm(root: Path, git: bytes) -> None:
    assert load(write(root, {"package.json": "{}", ".git": git})).name == "my-app"


def test_a_relative_root_has_a_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, {"package.json": "{}"})
    monkeypatch.chdir(root)
    assert load(Path()).name == "my-app"


def test_a_copy_of_a_commit_has_the_name_and_the_env_file_of_its_work_tree(root: Path, tmp_path: Path) -> None:
    write(root, {"Procfile": "web: broken in the work tree", ".env": "A=mine\n"})
    copy = tmp_path / "0123abcd"
    copy.mkdir()
    write(copy, {"Procfile": "web: committed", ".env": "A=committed\n", "index.php": ""})
    app = load(copy, home=root)
    assert (app.name, app.root) == ("my-app", copy)
    assert commands(app)["web"] == "committed"
    assert (app.dotenv.values, app.dotenv.origins) == ({"A": "mine"}, {"A": ".env:1"})
    write(root, {".env": "A='x\n"})
    with pytest.raises(InputError):
        load(copy, home=root)
