"""The containers of a session: what each has, what is on its way to it, when it starts again."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from devenv.sync import bulk, frame, perl
from devenv.sync.batches import Batches
from devenv.sync.mirror import Mirror
from devenv.sync.payload import Payload, Records, Tar, payload
from devenv.sync.rules import RELEASE, Rule
from devenv.sync.session import Flight, Peer, Ran, Report, plain
from devenv.sync.target import Answered, Joined, Said, Target
from devenv.sync.tree import Change

QUIET = 0.03  # seconds without a change before anything starts again
LATER = 1.0  # seconds that the keeper waits for the pods at most
# seconds after a container refused a change: its disk is full, its files are read-only
RETRY = (1.0, 2.0, 5.0, 15.0, 30.0)
AGAIN = (QUIET, 0.2, 1.0, 5.0, 30.0)  # seconds until a file that changed while it was read goes again
Load = tuple[Payload, tuple[Change, ...], list[Change]]  # the archive, all that goes, what of it goes its own way


@dataclass(slots=True)
class Crew:
    """Every container of the env. All methods are called by the engine's loop; `put` takes messages from other threads."""

    mirrors: Sequence[Mirror]
    report: Report
    run_once: Callable[[Target, str], tuple[int, str]]
    put: Callable[[object], None]
    peers: list[Peer] = field(default_factory=list)
    flights: dict[int, Flight] = field(default_factory=dict)
    # what is on its way, for others that lack the same: by image, since which change, until which, for the keeper, for Perl
    loads: dict[tuple[str, int, int, bool, bool], Load] = field(default_factory=dict)
    running: str | None = None
    # index -> number of the last change that a command which runs once has seen
    ran_until: dict[str, int] = field(default_factory=dict)
    batches: Batches = field(init=False)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.batches = Batches(self.report)

    def patience(self) -> float | None:
        """Seconds until something is due without a message; None = nothing is."""
        now = time.monotonic()
        times = [at - now for peer in self.peers for at in (peer.retry_at, peer.again_at) if at > now]
        if any(peer.ripe for peer in self.peers):
            times.append(QUIET)
        if any(peer.keeps and peer.joined and peer.seq < peer.mirror.tree.seq for peer in self.peers):
            times.append(LATER)
        return max(0.001, min(times)) if times else None

    def stop(self) -> None:
        """End every stream."""
        for peer in self.peers:
            peer.target.stop()

    def expect(self, mirror: Mirror, changes: tuple[Change, ...], began: float) -> None:
        """Changes were found: report them when every container has them."""
        self.batches.expect(mirror, changes, began, self.peers)

    def said(self, message: Said) -> None:
        """A supervisor's word."""
        peer = next((each for each in self.peers if each.target is message.target), None)
        seconds = message.at - peer.restarted if peer and peer.restarted and message.word == "up" else None
        if peer:
            peer.restarted = None
        self.report.said(message.target.name, message.word, message.value, seconds)

    def ran(self, message: Ran) -> None:
        """A command that was to run once has ended."""
        self.running = None
        self.report.ran(message.command, message.status, message.output)

    def appeared(self, target: Target) -> None:
        """There is a container to sync to."""
        if any(peer.target.pod == target.pod for peer in self.peers):
            return
        if target.kind == "sync":
            added = [Peer(target, mirror, frame.keeper(mirror.key), fresh=True) for mirror in self.mirrors]
        else:
            added = [Peer(target, mirror, frame.POD) for mirror in self.mirrors if mirror.key == target.key]
        self.peers += added
        if added:
            target.start()

    def drop(self, pod: str) -> None:
        """A pod is no more."""
        for peer in [each for each in self.peers if each.target.pod == pod]:
            peer.target.stop()
            self.peers.remove(peer)
            self.flights = {number: flight for number, flight in self.flights.items() if flight.peer is not peer}
            self.batches.skip(peer.target, self.peers)

    def joined(self, message: Joined) -> None:
        """A stream is open."""
        message.target.serve(message)
        for peer in [each for each in self.peers if each.target is message.target]:
            # the keeper is filled anew by each session; a container has what it laid over its image when it started
            peer.fresh = peer.keeps
            number = 0 if peer.fresh else peer.mirror.tree.number(message.mark)
            peer.foreign, peer.seq, peer.marked = number is None, number or 0, number or 0
            if peer.supervisor != message.supervisor:
                peer.due, peer.failed, peer.first = {}, {}, 0  # all of its processes are new
            peer.joined, peer.supervisor, peer.flying, peer.retry_at = True, message.supervisor, None, 0.0
            peer.perl = message.perl
            peer.large, peer.again = {}, {}
        self.batches.finish(self.peers)

    def left(self, target: Target, why: str) -> None:
        """A stream has ended; it opens again by itself, unless `why` tells that it is no use."""
        for peer in self.peers:
            if peer.target is target:
                peer.joined, peer.flying, peer.restarted = False, None, None
        for number, flight in [each for each in self.flights.items() if each[1].peer.target is target]:
            del self.flights[number]
            self._owe(flight)  # whether it was carried out nobody knows: to start again once too often does no harm
        self.batches.skip(target, self.peers)  # it gets them when it is back
        if why:
            self.report.refused(target.name, why)

    def pump(self, touched_at: float) -> None:
        """Send to every container what it lacks, or start it again. `touched_at`: when the last change came."""
        if not self.flights:
            self.loads.clear()
        now = time.monotonic()
        for peer in sorted(self.peers, key=lambda each: each.keeps):
            if not peer.joined or peer.flying is not None:
                continue
            if peer.foreign:
                self._renew(peer)
                continue
            waits = peer.retry_at > now and peer.mirror.tree.seq <= peer.tried  # the next save tries at once
            again = peer.again and peer.again_at <= now
            unmarked = peer.marked < peer.seq and not peer.large and not peer.again
            if peer.keeps and now - touched_at < LATER and self._flying():
                continue  # those who wait for an edit come first
            if (peer.mirror.tree.seq > peer.seq or peer.fresh or again or unmarked) and not waits:
                self._send(peer)
            elif peer.ripe and not 0 < peer.tries < len(AGAIN) and self.running is None and now - touched_at >= QUIET:
                self._restart(peer)

    def _renew(self, peer: Peer) -> None:
        """End a container as soon as it will start again with the edits that count: its image and what the keeper has."""
        if any(each.mirror is peer.mirror and each.joined and not each.fresh for each in self.peers if each.keeps):
            peer.flying = next(self._numbers)  # nothing else is sent to it
            peer.target.send(f"read -r p < {frame.STATE}/supervisor && kill -USR2 $p\n".encode())

    def _flying(self) -> bool:
        return any(peer.flying is not None for peer in self.peers if not peer.keeps)

    def _send(self, peer: Peer) -> None:
        mirror, keeps = peer.mirror, peer.keeps
        since = 0 if peer.fresh else peer.seq
        seq = mirror.tree.seq  # before it is asked what changed: others note changes too, at any moment
        first = 0 if since or peer.fresh else peer.first
        peer.first = peer.first or seq
        alone = peer.again or first
        load, changes, large = self._load(peer, since, first) if alone else self._shared(peer, since, seq)
        self._note_late(peer, load, large if peer.fresh else ())
        for change in () if peer.fresh else large:
            if change.path not in peer.large:
                self._send_large(peer, change)
        pending = (*(change.seq for change in peer.large.values()), *peer.again.values())
        mark = min([seq, *(number - 1 for number in pending)])
        keys = [each.key for each in self.mirrors] if peer.fresh else []
        site = frame.keeper(mirror.key, keys) if keeps else frame.POD
        number = peer.flying = next(self._numbers)
        self.flights[number] = Flight(peer, seq, mark, changes)
        text = f"{mirror.tree.ident}:{mark}"
        line = perl.order(number, site, text) if peer.perl else frame.line(number, load, site, text)
        peer.target.send(line, load.archive)

    def _shared(self, peer: Peer, since: int, seq: int) -> Load:
        key = (peer.mirror.key, since, seq, peer.keeps, peer.perl)
        if key not in self.loads:
            # those of an older number are asked for by nobody any more
            self.loads = {each: kept for each, kept in self.loads.items() if each[0] != key[0] or each[2] == seq}
            self.loads[key] = self._load(peer, since)
        return self.loads[key]

    def _load(self, peer: Peer, since: int, first: int = 0) -> Load:
        mirror = peer.mirror
        before = mirror.tree.since(min(peer.again.values()) - 1) if peer.again else []
        again = (change for change in before if change.path in peer.again and change.seq <= since)
        found = mirror.tree.since(since)
        if first:  # some of what it was sent is there, and may be as in the image again
            known = {change.path for change in found}
            found += [change for change in mirror.tree.since(first) if change.path not in known]
        changes = (*found, *again)
        large = [change for change in changes if mirror.is_large(change)]
        small = [change for change in changes if change not in large]
        state = frame.state_text(mirror.tree.since(0), mirror.place) if peer.keeps else ""
        packer = Records() if peer.perl else Tar()
        load = payload(mirror.tree.folder, small, mirror.place, mirror.stamp, packer, state)
        return load, changes, [change for change in large if mirror.place(change.path)]

    def _note_late(self, peer: Peer, load: Payload, later: Sequence[Change]) -> None:
        """What was not as it had been found goes again, soon at first; `later` when this is through."""
        peer.again = {change.path: change.seq for change in (*load.late, *later)}
        if load.late:
            peer.again_at = time.monotonic() + AGAIN[min(peer.tries, len(AGAIN) - 1)]
        peer.tries = peer.tries + 1 if load.late else 0

    def _send_large(self, peer: Peer, change: Change) -> None:
        place = peer.mirror.place(change.path)
        assert place
        # one of its own: each way to a container is told from one that broke off
        change = peer.large[change.path] = replace(change)
        source = peer.mirror.tree.folder / change.path
        argv = (source, peer.site.prefix + place, peer.site.state, change, peer.target, self.put)
        threading.Thread(target=bulk.deliver, args=argv, daemon=True).start()

    def delivered(self, message: bulk.Delivered) -> None:
        """A large file is there, or is not."""
        for peer in self.peers:
            sent = message.change
            if peer.target is message.target and peer.large.get(sent.path) is sent:
                del peer.large[sent.path]
                now = [each for each in peer.mirror.tree.since(sent.seq) if each.path == sent.path]
                if now or message.row != sent.row:  # a delete on the short way was faster, or it did not arrive
                    peer.again[sent.path] = now[-1].seq if now else sent.seq
                if message.complaint:
                    self._refused(peer, message.complaint)
        self.batches.finish(self.peers)

    def answered(self, message: Answered) -> None:
        """A line was carried out."""
        flight = self.flights.pop(message.number, None)
        if flight is None or flight.peer.flying != message.number:
            return
        peer = flight.peer
        peer.flying = None
        if message.status and flight.commands:  # nothing starts with what it did not do; the next save tries again
            peer.failed, peer.restarted = {**peer.failed, **(flight.due or {})}, None
            self.report.ran(f"{' && '.join(flight.commands)}` in `{peer.target.name}", message.status, "")
            return
        if message.status:
            there = tuple(each for each in flight.changes if each.seq > peer.tried)  # what could be put in place
            self._owe(replace(flight, changes=there, due=None))
            self._refused(peer, message.complaint or f"status {message.status}")
            return
        peer.failures, peer.fresh = 0, False
        if flight.due is not None:
            return
        peer.seq, peer.marked = max(peer.seq, flight.seq), max(peer.marked, flight.mark)
        self._owe(flight)
        self.batches.finish(self.peers, message.at)

    def _owe(self, flight: Flight) -> None:
        """Note what a container has to start again for."""
        peer, mirror = flight.peer, flight.peer.mirror
        peer.due.update(flight.due or {})
        for change in flight.changes:
            rule = mirror.rule(change.path)
            if rule.once and change.seq <= self.ran_until.get(mirror.tree.ident, 0):
                rule = plain(rule)
            if mirror.place(change.path) and peer.owes(rule):
                peer.owe(change.path, rule)

    def _refused(self, peer: Peer, complaint: str) -> None:
        if not peer.failures:
            self.report.refused(peer.target.name, complaint)
        peer.retry_at = time.monotonic() + RETRY[min(peer.failures, len(RETRY) - 1)]
        peer.failures += 1
        peer.tried = peer.mirror.tree.seq
        self.batches.skip(peer.target, self.peers)

    def _restart(self, peer: Peer) -> None:
        """Start the process again, after the commands that its rules ask for."""
        due = peer.ripe
        runs = [rule for rule in dict.fromkeys(due.values()) if rule.run]
        for rule in runs:
            if rule.once:
                self._run_once(peer, rule)
                return
        peer.due = {path: rule for path, rule in peer.due.items() if path not in due}
        again = any(map(peer.concerns, due.values()))
        number = peer.flying = next(self._numbers)
        peer.restarted = time.monotonic() if again else None
        self.flights[number] = Flight(peer, due=due)
        peer.target.send(frame.restart(number, [rule.run or "" for rule in runs], again))

    def _run_once(self, peer: Peer, rule: Rule) -> None:
        command = peer.mirror.release if rule.run == RELEASE else rule.run
        self.ran_until[peer.mirror.tree.ident] = peer.mirror.tree.seq
        for other in self.peers:
            # their files are there, and the command is on its way: only the restart is left
            left = {path: each if each != rule else plain(rule) for path, each in other.due.items()}
            other.due = {path: each for path, each in left.items() if other.owes(each)}
        if not command:
            return
        self.running = command
        threading.Thread(
            target=lambda: self.put(Ran(command, *self.run_once(peer.target, command))), daemon=True
        ).start()
