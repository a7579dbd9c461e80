"""Histories of a session, replayed: who gets what, when what starts again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from devenv.base.index import Index
from devenv.sync import bulk, crew
from devenv.sync.payload import Payload
from devenv.sync.session import Ran
from devenv.sync.target import Answered, Said
from devenv.sync.tree import Tree
from tests.unit.sync.conftest import Container, Stage


class AtOnce:
    """A thread that has run when it was started."""

    def __init__(self, target: Callable[[], None], daemon: bool) -> None:
        self.start = target


class Noted:
    """A thread that never runs: what it was to do is noted."""

    def __init__(self, started: list[tuple[object, ...]], args: tuple[object, ...]) -> None:
        self.start = lambda: started.append(args)


def test_a_save_goes_to_every_container_and_is_told_once(stage: Stage) -> None:
    web, worker = stage.join(Container("web.1")), stage.join(Container("worker.1", process="worker"))
    stage.save(a__txt="1")
    assert [len(each.sent) for each in (web, worker)] == [1, 1]
    assert "/app/" in web.sent[0]
    stage.answer(web)
    assert stage.told.batches == []
    stage.answer(worker)
    ((batch, restarts),) = stage.told.batches
    assert (batch.names, [each.path for each in batch.changes], restarts) == (("web.1", "worker.1"), ["a.txt"], [])
    stage.pump(quiet=True)
    assert [len(each.sent) for each in (web, worker)] == [1, 1], "nothing to send, nothing to start again"


def test_what_comes_while_a_line_is_on_its_way_is_the_next_line(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__txt="1")
    stage.save(b__txt="1")
    stage.save(c__txt="1")
    assert len(web.sent) == 1
    stage.answer(web)
    assert len(web.sent) == 2
    assert ("b.txt" in web.sent[1], "c.txt" in web.sent[1], "a.txt" in web.sent[1]) == (True, True, False)
    stage.answer(web)
    told = [[change.path for change in batch.changes] for batch, _ in stage.told.batches]
    assert told == [["a.txt"], ["b.txt", "c.txt"]], "one line for what came through together"


def test_what_is_noted_while_a_batch_goes_out_is_sent_to_all(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    web, second = stage.join(Container("web.1")), stage.join(Container("web.2"))
    payload = crew.payload

    def noted_meanwhile(*given: Any) -> Payload:
        monkeypatch.setattr(crew, "payload", payload)
        made = payload(*given)
        (stage.folder / "b.txt").write_text("1")
        stage.mirror.tree.look(["b.txt"])
        return made

    monkeypatch.setattr(crew, "payload", noted_meanwhile)
    stage.save(a__txt="1")
    seq = stage.mirror.tree.seq
    assert (stage.mark(web), stage.mark(second)) == (str(seq - 1), str(seq))
    stage.answer(web)
    stage.answer(second)
    assert ["b.txt" in each.sent[-1] for each in (web, second)] == [True, True]


def test_one_that_joins_late_gets_exactly_what_it_lacks(stage: Stage) -> None:
    stage.save(a__txt="1")
    seen = stage.mirror.tree.seq
    stage.save(b__txt="1")
    kept = stage.join(Container("web.1"), f"{stage.mirror.tree.ident}:{seen}")
    assert ("b.txt" in kept.sent[0], "a.txt" in kept.sent[0]) == (True, False)
    fresh = stage.join(Container("web.2"))
    assert ("b.txt" in fresh.sent[0], "a.txt" in fresh.sent[0]) == (True, True)
    whole = stage.join(Container("web.4"), f"{stage.mirror.tree.ident}:{stage.mirror.tree.seq}")
    assert whole.sent == []
    assert stage.mark(kept) == stage.mark(fresh) == str(stage.mirror.tree.seq)


def test_one_with_edits_of_another_work_tree_starts_again_from_its_image(stage: Stage) -> None:
    """Once, and when the keeper has what it is to start with."""
    web = stage.join(Container("web.1"), "another:7")
    stage.save(a__txt="1")
    keeper = stage.join(Container("sync", kind="sync", process="sync", key=""), "-", "")
    assert web.sent == []
    stage.answer(keeper)
    stage.pump(quiet=True)
    (line,) = web.sent
    assert "kill -USR2 $p" in line
    assert stage.told.batches == []
    stage.leave(web)
    assert len(stage.told.batches) == 1, "nobody waits for it"
    stage.join(web, f"{stage.mirror.tree.ident}:{stage.mirror.tree.seq}", supervisor="77")
    stage.save(b__txt="1")
    assert "b.txt" in web.sent[1]


def test_one_of_another_image_gets_nothing(stage: Stage) -> None:
    other = Container("old.1", key="zero")
    stage.crew.appeared(other)
    assert (other.running, stage.crew.peers) == (False, [])


def test_a_change_that_is_refused_is_tried_again_and_told_once(stage: Stage) -> None:
    web, second = stage.join(Container("web.1")), stage.join(Container("web.2"))
    stage.save(a__txt="1")
    stage.answer(second)
    stage.answer(web, 1, "No space left on device")
    assert stage.told.words == ["web.1 refused No space left on device"]
    assert [batch.names for batch, _ in stage.told.batches] == [("web.2",)], "who has it"
    stage.pump(quiet=True)
    assert len(web.sent) == 1, "not at once"
    stage.crew.peers[0].retry_at = 0.0
    stage.pump()
    assert "a.txt" in web.sent[1]
    stage.answer(web, 1, "No space left on device")
    assert len(stage.told.words) == 1
    stage.save(b__txt="1")
    assert ("a.txt" in web.sent[2], "b.txt" in web.sent[2]) == (True, True), "the next save tries at once"
    stage.answer(web)
    stage.pump(quiet=True)
    assert len(web.sent) == 3


def test_what_was_put_in_place_starts_again_though_another_path_is_refused(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__py="1")
    stage.answer(web, 1, "Read-only file system", quiet=True)
    assert web.restarted == 1
    stage.answer(web)
    stage.crew.peers[0].retry_at = 0.0
    stage.pump()
    stage.answer(web, 1, "Read-only file system", quiet=True)
    assert web.restarted == 1, "not with every try"


def test_a_restart_waits_for_quiet_and_for_the_catch_up(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__py="1")
    stage.answer(web)
    assert web.restarted == 0, "another save may come"
    stage.save(b__py="1")
    stage.pump(quiet=True)
    assert web.restarted == 0, "it is on its way"
    stage.answer(web, quiet=True)
    assert web.restarted == 1, "one for both"
    stage.answer(web, quiet=True)
    assert web.restarted == 1
    stage.crew.said(Said(web, "up", 42, 1e12))
    assert stage.told.words == ["web.1 up 42"]


@pytest.mark.parametrize(
    ("file", "again"),
    [("a.py", ["web", "worker"]), ("a.html", ["web"]), ("a.web", ["web"]), ("a.css", [])],
)
def test_who_starts_again(stage: Stage, file: str, again: list[str]) -> None:
    """Only whom a rule names, and never one that reloads by itself, or has no supervisor."""
    types = ("web", "worker", "dev")
    found = [stage.join(Container(f"{kind}.1", process=kind)) for kind in types]
    bare = stage.join(Container("bare.1", process="web"), supervisor="")
    shell = stage.join(Container("run.1", kind="run", process="web"))
    stage.save(**{file.replace(".", "__"): "1"})
    for each in (*found, bare, shell):
        stage.answer(each)
    stage.pump(quiet=True)
    assert [kind for kind, each in zip(types, found, strict=True) if each.restarted] == again
    assert (bare.restarted, shell.restarted) == (0, 0)
    assert stage.told.batches[0][1] == again


def test_an_answer_that_is_lost_with_its_stream_costs_a_restart_not_a_change(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__py="1")
    stage.leave(web)
    assert [batch.names for batch, _ in stage.told.batches] == [()], "nobody waits for it"
    mark = f"{stage.mirror.tree.ident}:{stage.mirror.tree.seq}"
    stage.join(web, mark)  # it was carried out, only the answer got lost
    assert len(web.sent) == 1
    stage.pump(quiet=True)
    assert web.restarted == 1
    stage.leave(web)
    stage.join(web, mark)
    stage.pump(quiet=True)
    assert web.restarted == 2, "whether it got there nobody knows"
    stage.answer(web)
    stage.leave(web)
    stage.join(web, mark, supervisor="77")
    stage.pump(quiet=True)
    assert web.restarted == 2
    stage.save(b__py="1")
    stage.leave(web)
    stage.join(web, mark, supervisor="99")
    assert "b.py" in web.sent[-1]
    assert not stage.crew.peers[0].due, "a new container: its process has read what was there"


def test_an_answer_to_the_stream_before_counts_for_nothing(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__txt="1")
    late = web.number
    stage.leave(web)
    stage.join(web)
    stage.crew.answered(Answered(web, late, 0, "", 1.0))
    assert stage.crew.peers[0].flying == web.number
    assert len(stage.crew.flights) == 1


def test_a_command_runs_once_then_all_start_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", AtOnce)
    web, worker = stage.join(Container("web.1")), stage.join(Container("worker.1", process="worker"))
    (stage.folder / "migrations" / "1.py").write_text("1")
    changes, _ = stage.mirror.tree.look(["migrations"])
    stage.crew.expect(stage.mirror, tuple(changes), 0.0)
    stage.pump()
    stage.answer(web, quiet=True)
    assert stage.crew.running == "./migrate"
    stage.answer(worker, quiet=True)
    assert (web.restarted, worker.restarted) == (0, 0), "it runs"
    (ran,) = stage.messages
    assert isinstance(ran, Ran)
    stage.crew.ran(ran)
    stage.pump(quiet=True)
    assert (web.restarted, worker.restarted) == (1, 1)
    assert len(stage.once) == 1
    assert stage.told.words == ["ran ./migrate 0"]
    late = stage.join(Container("web.2"))
    stage.answer(late, quiet=True)
    stage.pump(quiet=True)
    assert len(stage.once) == 1, "one that joins later does not run it again"


def test_a_command_that_ran_for_one_folder_has_seen_nothing_of_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", AtOnce)
    folder = stage.folder.parent / "other"
    (folder / "migrations").mkdir(parents=True)
    other = replace(
        stage.mirror, key="two", tree=Tree(folder, "two", lambda path, is_folder: None, Index(folder)), release="./two"
    )
    other.tree.set_base(())
    stage.crew.mirrors = [stage.mirror, other]
    web, worker = stage.join(Container("web.1")), stage.join(Container("worker.1", process="worker", key="two"))
    for mirror, container, files in ((stage.mirror, web, "12"), (other, worker, "1")):
        for name in files:
            (mirror.tree.folder / "migrations" / f"{name}.py").write_text("1")
            stage.crew.expect(mirror, tuple(mirror.tree.look(["migrations"])[0]), 0.0)
            stage.pump()
            stage.answer(container)
        stage.pump(quiet=True)
        stage.crew.running = None
    assert other.tree.seq < stage.mirror.tree.seq
    assert stage.once == [("web.1", "./migrate"), ("worker.1", "./two")]


def test_a_command_in_each_container_does_not_hold_its_line(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__each="1")
    stage.answer(web, quiet=True)
    assert "echo each" in web.sent[-1]
    assert web.sent[-1].endswith("&")


def test_a_command_that_fails_starts_nothing_and_is_told(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    stage.save(a__each="1")
    stage.answer(web, quiet=True)
    assert "&& kill -USR1" in web.sent[-1]
    stage.answer(web, status=3, quiet=True)
    assert stage.told.words == ["ran echo each` in `web.1 3"]
    sent = len(web.sent)
    stage.pump(quiet=True)
    assert len(web.sent) == sent, "the next save tries again"
    stage.save(a__py="1")
    stage.answer(web, quiet=True)
    assert "echo each" in web.sent[-1]


def test_one_that_reloads_by_itself_runs_its_commands(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", AtOnce)
    dev = stage.join(Container("dev.1", process="dev"))
    (stage.folder / "migrations" / "1.py").write_text("1")
    changes, _ = stage.mirror.tree.look(["migrations/1.py"])
    stage.crew.expect(stage.mirror, tuple(changes), 0.0)
    stage.save(a__each="1")
    stage.answer(dev)
    stage.answer(dev, quiet=True)
    assert stage.once == [("dev.1", "./migrate")]
    stage.crew.ran(Ran("./migrate", 0, ""))
    stage.pump(quiet=True)
    assert "echo each" in dev.sent[-1]
    assert dev.restarted == 0


def test_what_is_undone_before_a_container_has_a_number_is_sent_again(stage: Stage) -> None:
    """It refused one path of the first line, and took the others."""
    web = stage.join(Container("web.1"))
    stage.save(kept__txt="1", undone__txt="1")
    stage.answer(web, status=1, complaint="kept.txt: read-only")
    stage.save(undone__txt=None)
    assert "/app/undone.txt" in web.sent[-1].partition("rm -rf --")[2]


def test_the_keeper_is_filled_anew_and_last(stage: Stage) -> None:
    stage.save(a__txt="1", b__txt="1")
    stage.save(b__txt=None)
    keeper = stage.join(Container("sync", kind="sync", process="sync", key=""), "anything:7", "")
    assert "/.devenv/.new/files/app/" in keeper.sent[0]
    stage.answer(keeper)
    web = stage.join(Container("web.1"))
    stage.answer(web)
    stage.save(c__txt="1")
    stage.answer(web)
    stage.pump(quiet=True)
    assert "/.devenv/one/files/app/" in keeper.sent[-1]
    assert "a.txt" not in keeper.sent[-1]
    assert all("sync" not in batch.names for batch, _ in stage.told.batches)


def test_a_file_that_moved_on_while_it_was_read_goes_again(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    (stage.folder / "a.txt").write_text("found")
    changes, _ = stage.mirror.tree.look(["a.txt"])
    stage.crew.expect(stage.mirror, tuple(changes), 0.0)
    (stage.folder / "a.txt").write_text("read")
    stage.pump()
    assert stage.mark(web) == str(stage.mirror.tree.seq - 1), "it has not got what is noted"
    (stage.folder / "a.txt").write_text("found")
    assert stage.mirror.tree.look(["a.txt"])[0] == [], "nothing has changed, says the tree"
    stage.crew.peers[0].again_at = 0.0
    stage.answer(web)
    assert len(web.sent) == 2
    assert stage.mark(web) == str(stage.mirror.tree.seq)
    stage.answer(web)
    stage.pump(quiet=True)
    assert len(web.sent) == 2


def test_a_file_that_is_gone_before_it_is_read_stays_owed(stage: Stage) -> None:
    web = stage.join(Container("web.1"))
    (stage.folder / "a.txt").write_text("1")
    changes, _ = stage.mirror.tree.look(["a.txt"])
    stage.crew.expect(stage.mirror, tuple(changes), 0.0)
    (stage.folder / "a.txt").unlink()
    stage.pump()
    stage.answer(web)
    assert list(stage.crew.peers[0].again) == ["a.txt"]
    changes, _ = stage.mirror.tree.look(["a.txt"])
    stage.pump()
    assert "rm -rf -- '/app/a.txt'" in web.sent[-1]
    stage.answer(web)
    assert stage.crew.peers[0].again == {}


def test_a_large_file_goes_its_own_way_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []
    monkeypatch.setattr("devenv.sync.mirror.LARGE", 5)
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", lambda target, args, daemon: Noted(started, args))
    web = stage.join(Container("web.1"))
    stage.save(big__bin="large content", a__txt="1")
    peer = stage.crew.peers[0]
    assert (len(started), "a.txt" in web.sent[0], "big.bin" in web.sent[0]) == (1, True, False)
    assert stage.mark(web) == str(stage.mirror.tree.seq - 1)
    stage.answer(web)
    assert stage.told.batches == []
    change = peer.large["big.bin"]
    stage.crew.delivered(bulk.Delivered(web, change, "", change.row))
    assert len(stage.told.batches) == 1
    stage.pump()
    assert (len(started), stage.mark(web)) == (1, str(stage.mirror.tree.seq)), "only the note is missing"
    stage.answer(web)
    stage.pump(quiet=True)
    assert (len(web.sent), web.restarted) == (2, 0)


def test_a_large_file_holds_up_no_restart_but_its_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.sync.mirror.LARGE", 5)
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", lambda target, args, daemon: Noted([], args))
    web = stage.join(Container("web.1"))
    stage.save(big__py="large content")
    stage.answer(web, quiet=True)
    assert (web.restarted, len(stage.told.batches)) == (0, 0), "it is on its way"
    stage.save(a__py="1")
    stage.answer(web, quiet=True)
    assert (web.restarted, len(stage.told.batches)) == (1, 1)
    stage.answer(web)
    change = stage.crew.peers[0].large["big.py"]
    stage.crew.delivered(bulk.Delivered(web, change, "", change.row))
    stage.pump()
    stage.answer(web, quiet=True)
    assert (web.restarted, len(stage.told.batches)) == (2, 2)


def test_a_command_waits_for_the_large_file_that_it_is_to_see(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.sync.mirror.LARGE", 5)
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", lambda target, args, daemon: Noted([], args))
    web = stage.join(Container("web.1"))
    (stage.folder / "migrations" / "1.py").write_text("1")
    (stage.folder / "migrations" / "2.py").write_text("large content")
    stage.crew.expect(stage.mirror, tuple(stage.mirror.tree.look(["migrations"])[0]), 0.0)
    stage.pump()
    stage.answer(web, quiet=True)
    peer = stage.crew.peers[0]
    assert (sorted(peer.due), dict(peer.ripe)) == (["migrations/1.py", "migrations/2.py"], {})
    del peer.large["migrations/2.py"]
    assert sorted(peer.ripe) == ["migrations/1.py", "migrations/2.py"]


def test_a_large_file_that_is_deleted_on_its_way_is_deleted_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devenv.sync.mirror.LARGE", 5)
    monkeypatch.setattr("devenv.sync.crew.threading.Thread", lambda target, args, daemon: Noted([], args))
    web = stage.join(Container("web.1"))
    stage.save(big__bin="large content")
    stage.answer(web)
    change = stage.crew.peers[0].large["big.bin"]
    stage.save(big__bin=None)
    stage.answer(web)
    sent = len(web.sent)
    stage.crew.delivered(bulk.Delivered(web, change, "", change.row))
    stage.pump()
    assert len(web.sent) == sent + 1
    assert "rm -rf -- '/app/big.bin'" in web.sent[-1]


def test_what_no_pod_took_is_told_again_with_those_that_do(stage: Stage) -> None:
    web, second = stage.join(Container("web.1")), stage.join(Container("web.2"))
    stage.save(first__txt="0")
    stage.answer(web)
    stage.answer(second)
    mark = f"{stage.mirror.tree.ident}:{stage.mirror.tree.seq}"
    stage.told.batches.clear()
    stage.leave(web)
    stage.leave(second)
    stage.save(a__txt="1")
    stage.save(b__py="2")
    stage.join(web, mark=mark)
    stage.answer(web)
    stage.join(second, mark=mark)
    told = [(batch.names, [change.path for change in batch.changes]) for batch, _ in stage.told.batches]
    assert told == [((), ["a.txt"]), ((), ["b.py"])]
    stage.answer(second)
    stage.save(a__txt="3")
    told = [(batch.names, [change.path for change in batch.changes]) for batch, _ in stage.told.batches]
    assert told[2:] == [(("web.1", "web.2"), ["a.txt", "b.py"])]
    assert [again for _, again in stage.told.batches] == [[], [], ["web"]], "with the line that names them"


def test_what_no_pod_took_is_told_with_one_that_starts_with_it(stage: Stage) -> None:
    stage.save(a__py="1")
    mark = f"{stage.mirror.tree.ident}:{stage.mirror.tree.seq}"
    stage.join(Container("web.1"), mark=mark)
    assert [(batch.names, again) for batch, again in stage.told.batches] == [((), []), (("web.1",), [])]


def test_a_pod_that_is_gone_is_waited_for_no_longer(stage: Stage) -> None:
    web, second = stage.join(Container("web.1")), stage.join(Container("web.2"))
    stage.save(a__txt="1")
    stage.answer(web)
    stage.crew.drop(second.pod)
    assert [batch.names for batch, _ in stage.told.batches] == [("web.1",)]
    assert (second.running, len(stage.crew.peers), stage.crew.flights) == (False, 1, {})
    stage.crew.stop()
    assert not web.running
