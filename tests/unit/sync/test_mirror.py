"""Where the files of an image are, and which change asks for another one."""

from dataclasses import replace

from devenv.sync.tree import Change
from tests.unit.sync.conftest import Stage


def test_the_longest_mount_decides(stage: Stage) -> None:
    mirror = replace(
        stage.mirror, mounts=(("src/web", "/www/"), ("run.sh", "/usr/bin/run"), ("a.sh", ""), ("", "/app/"))
    )
    assert mirror.mounted("src/web/a.txt") == "/www/a.txt"
    assert mirror.mounted("src/web") is None, "it may hold more than was copied"
    assert mirror.mounted("a.sh") is None, "in several places"
    assert mirror.mounted("src/webs") == "/app/src/webs"
    assert mirror.mounted("run.sh") == "/usr/bin/run"
    assert mirror.mounted("a.txt") == "/app/a.txt"
    assert replace(mirror, mounts=(("src", "/src/"),)).mounted("a.txt") is None
    root = replace(mirror, mounts=(("src", "/"), ("", "/")))
    assert [root.mounted(path) for path in ("src/a", "a", "b/c")] == ["/a", "/a", "/b/c"]


def test_what_a_rule_keeps_out_has_no_place(stage: Stage) -> None:
    assert stage.mirror.place("a.py") == "/app/a.py"
    assert stage.mirror.place("requirements.txt") is None


def test_a_context_below_the_app(stage: Stage) -> None:
    mirror = replace(stage.mirror, folder="web/")
    assert mirror.within(["web/a", "worker/b", "web/c/d"]) == ["a", "c/d"]
    assert mirror.within(["web"]) == [""], "the folder itself: all of it"
    assert stage.mirror.within(["a", "b"]) == ["a", "b"]
    assert mirror.full("a") == "web/a"


def test_what_asks_for_another_image(stage: Stage) -> None:
    changed = lambda path, row="f 2", old="f 1": Change(path, row, old, 1)  # noqa: E731
    assert stage.mirror.rebuilds(changed("requirements.txt"))
    assert stage.mirror.rebuilds(changed("requirements.txt", row=None))
    assert not stage.mirror.rebuilds(changed("a.py"))
    several = replace(stage.mirror, mounts=(("a.py", ""), ("lib", "/lib/"), ("", "/app/")))
    assert several.rebuilds(changed("a.py"))
    assert several.rebuilds(changed("a.py", row=None))
    assert not several.rebuilds(changed("lib", row=None, old="d"))
    assert several.rebuilds(changed("lib")), "a file where a folder was"
    partial = replace(stage.mirror, mounts=(("src", "/src/"),))
    assert partial.rebuilds(changed("a.py")), "no copy of it in the image"
    assert not partial.rebuilds(changed("a.py", row=None))
    assert not partial.rebuilds(changed("folder", row="d", old="d"))


def test_every_new_content_has_a_later_time(stage: Stage) -> None:
    first, second = Change("a", "f 1", None, 1), Change("a", "f 2", None, 2)
    assert stage.mirror.stamp(first, 100) == 100
    assert stage.mirror.stamp(first, 100) == 100, "the same for every pod"
    assert stage.mirror.stamp(second, 100) == 101
    assert stage.mirror.stamp(first, 50) == 102
    assert stage.mirror.stamp(second, 500) == 500
