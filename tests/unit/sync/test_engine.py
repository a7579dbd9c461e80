"""The loop of a session, fed with messages."""

from pathlib import Path

import pytest

from devenv.base.index import UNKNOWN
from devenv.sync.engine import Engine
from devenv.sync.session import Appeared, LargeRead, Listed, Stop, Vanished
from devenv.sync.target import Answered, Joined, Left
from devenv.sync.tree import Tree
from devenv.sync.watch import Lost, Touched
from tests.unit.sync.conftest import Container, Stage


@pytest.fixture
def engine(stage: Stage) -> Engine:
    """One that has not begun."""
    return Engine(stage.folder, [stage.mirror], stage.told, lambda target, command: (0, ""))


def replay(engine: Engine, *messages: object) -> tuple[str, ...]:
    """Run the loop on these messages; the paths that ask for another image."""
    for message in (Listed(), *messages, Stop()):
        engine.put(message)
    return engine.run()


def attach(engine: Engine, stage: Stage, mark: str) -> Container:
    """Run the loop with a container that was there before, until it has answered what it was sent."""
    web = Container("web.1")
    for message in (Appeared(web), Joined(web, mark, "41"), Listed(), Answered(web, 1, 0, "", 1.0), Stop()):
        engine.put(message)
    engine.run()
    return web


def test_what_was_edited_before_comes_first(stage: Stage, engine: Engine) -> None:
    (stage.folder / "a.txt").write_text("1")
    web = Container("web.1")
    replay(engine, Appeared(web), Joined(web, "-", "41"))
    assert len(web.sent) == 1
    assert "a.txt" in web.sent[0]
    assert not web.running, "the end of the session ends its streams"


def test_what_was_edited_before_is_told_with_those_who_get_it(stage: Stage, engine: Engine) -> None:
    (stage.folder / "app.py").write_text("1")
    web = attach(engine, stage, "-")
    [(batch, restarts)] = stage.told.batches
    assert (batch.names, restarts) == (("web.1",), ["web"])
    assert "app.py" in web.sent[0]


@pytest.mark.parametrize("has_edits", [False, True])
def test_what_is_as_in_the_image_again(stage: Stage, engine: Engine, has_edits: bool) -> None:
    """It asks for no image, and is news only to containers that had it otherwise."""
    for name in ("app.py", "requirements.txt"):
        (stage.folder / name).write_text("of the image")
    rows = [(change.path, change.row or "") for change in stage.mirror.tree.look_all()[0]]
    image = Tree(stage.folder, "two", stage.mirror.tree.skip, stage.mirror.tree.index)
    image.set_base(rows)
    for text in ("edited", "of the image"):
        seq = image.seq
        for name in ("app.py", "requirements.txt"):
            (stage.folder / name).write_text(text)
        if text == "edited":
            image.look_all()
    stage.mirror.tree = image
    web = attach(engine, stage, f"{image.ident}:{seq}" if has_edits else "-")
    assert engine.rebuild == {}
    assert [batch.names for batch, _ in stage.told.batches] == [("web.1",)] * has_edits
    assert ("app.py" in web.sent[0]) == has_edits


def test_saves_of_a_moment_are_one_batch(stage: Stage, engine: Engine) -> None:
    web = Container("web.1")
    for name in ("a.txt", "b.txt", "c.txt"):
        (stage.folder / name).write_text("1")
    stage.mirror.tree.set_base(())
    engine.crew.appeared(web)
    engine.crew.joined(Joined(web, "-", "41"))
    for name in ("a.txt", "b.txt", "c.txt"):
        engine.put(Touched(name, 1.0))
    engine._handle(engine._next())
    engine.crew.pump(0.0)
    assert len(web.sent) == 1
    assert all(name in web.sent[0] for name in ("a.txt", "b.txt", "c.txt"))


def test_what_comes_while_a_batch_is_gathered_keeps_its_place(stage: Stage, engine: Engine) -> None:
    """A stream that ends and opens again meanwhile is open."""
    web = Container("web.1")
    (stage.folder / "a.txt").write_text("1")
    engine.crew.appeared(web)
    engine.crew.joined(Joined(web, "-", "41"))
    engine.put(Touched("a.txt", 1.0))
    engine.put(Left(web))
    engine._handle(engine._next())
    engine.put(Joined(web, "-", "41"))
    for _ in range(2):
        engine._handle(engine._next())
    assert engine.crew.peers[0].joined


def test_a_change_that_asks_for_another_image_ends_the_session(
    stage: Stage, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage.folder / "requirements.txt").write_text("flask")
    engine.put(Listed())
    engine.touched_at = -1e9
    assert engine.run() == ("requirements.txt",)
    assert list(engine.rebuild) == ["requirements.txt"]


def test_another_image_waits_for_a_moment_of_quiet(stage: Stage, engine: Engine) -> None:
    """Also after hours in which nothing was saved."""
    assert not engine._due()
    (stage.folder / "requirements.txt").write_text("flask")
    engine._handle(Touched("requirements.txt", 1.0))
    assert engine.rebuild
    assert not engine._due(), "a lock file may follow"
    engine.asked_at -= 4
    assert engine._due(), "whatever else is written all the time"


def test_a_setting_of_an_image_asks_for_another_one(stage: Stage) -> None:
    stage.mirror.settings = {"Dockerfile"}
    engine = Engine(stage.folder, [stage.mirror], stage.told, lambda target, command: (0, ""))
    (stage.folder / "Dockerfile").write_text("FROM y")
    replay(engine, Touched("Dockerfile", 1.0))
    assert list(engine.rebuild) == ["Dockerfile"]
    assert not engine._due(), "other files may follow"


@pytest.mark.parametrize("told", [Lost(), Touched(".env", 1.0)])
def test_a_setting_is_compared_by_its_time(stage: Stage, engine: Engine, told: object) -> None:
    """Where nothing is told of single files, too."""
    engine._handle(told)
    assert engine.rebuild == {}
    (stage.folder / ".env").write_text("A=1")
    engine._handle(told)
    assert list(engine.rebuild) == [".env"]
    again = Engine(stage.folder, [stage.mirror], stage.told, engine.run_once, refused=dict(engine.rebuild))
    again._handle(told)
    assert again.rebuild == {}, "once"
    (stage.folder / ".env").unlink()
    replay(again)
    assert list(again.rebuild) == [".env"], "while nobody looked: as the image was built"


def test_one_that_did_not_lead_to_an_image_is_not_asked_for_again(stage: Stage, engine: Engine) -> None:
    (stage.folder / "requirements.txt").write_text("nonsense")
    changes, _ = stage.mirror.tree.look(["requirements.txt"])
    engine.refused["requirements.txt"] = changes[0].row
    assert replay(engine, Lost()) == ()
    (stage.folder / "requirements.txt").write_text("flask")
    engine.put(Lost())
    engine.put(Listed())
    engine.touched_at = -1e9
    assert engine.run() == ("requirements.txt",)


def test_one_that_may_be_in_the_image_as_it_never_was_is_asked_for_again(stage: Stage) -> None:
    """It was written while the image was built of it, and is as it was before."""
    tree = Tree(stage.folder, "two", stage.mirror.tree.skip, stage.mirror.tree.index)
    tree.set_base([("requirements.txt", UNKNOWN)])
    (stage.folder / "requirements.txt").write_text("flask")
    row = tree.look(["requirements.txt"])[0][0].row
    stage.mirror.tree = tree
    engine = Engine(stage.folder, [stage.mirror], stage.told, lambda t, c: (0, ""), refused={"requirements.txt": row})
    replay(engine)
    assert list(engine.rebuild) == ["requirements.txt"]


def test_a_pod_that_comes_and_goes(stage: Stage, engine: Engine) -> None:
    web, other = Container("web.1"), Container("web.2")
    (stage.folder / "a.txt").write_text("1")
    replay(
        engine, Appeared(web), Appeared(other), Joined(web, "-", "1"), Vanished(other.pod), Answered(web, 1, 0, "", 1.0)
    )
    assert [peer.target for peer in engine.crew.peers] == [web]
    assert engine.crew.peers[0].seq == stage.mirror.tree.seq


def test_a_large_file_is_read_once_at_a_time(stage: Stage, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    class Reader:
        def __init__(self, target: object, args: tuple[object, Path], daemon: bool) -> None:
            self.start = lambda: read.append(args[1])

    monkeypatch.setattr("devenv.sync.look.LARGE", 5)
    monkeypatch.setattr("devenv.sync.engine.threading.Thread", Reader)
    (stage.folder / "big").write_text("large content")
    for _ in range(3):
        engine._found(stage.mirror, *stage.mirror.tree.look(["big"]), 0.0)
    assert read == ["big"]
    engine._handle(LargeRead(stage.mirror, "big", ()))
    assert read == ["big"] * 2, "it was touched while it was read"
    engine._handle(LargeRead(stage.mirror, "big", tuple(stage.mirror.tree.look_large("big"))))
    assert read == ["big"] * 2
