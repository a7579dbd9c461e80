"""The containers of a session: what each has, what is on its way to it, when it starts again."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from devenv.sync import bulk, frame
from devenv.sync.mirror import Mirror
from devenv.sync.rules import RELEASE, Rule
from devenv.sync.session import Batch, Peer, Ran, Report
from devenv.sync.target import Answered, Joined, Said, Target
from devenv.sync.tree import LARGE, Change

QUIET = 0.03  # seconds without a change before anything starts again
LATER = 0.2  # seconds that the keeper waits for the pods at most
RETRY = (
    1.0,
    2.0,
    5.0,
    15.0,
    30.0,
)  # seconds after a container refused a change: its disk is full, its files are read-only
Loads = dict[tuple[str, int, bool], tuple[frame.Payload, tuple[Change, ...]]]


@dataclass(slots=True)
class Crew:
    """Every container of the env. All methods are called by the engine's loop; `put` takes messages from other threads."""

    mirrors: Sequence[Mirror]
    report: Report
    run_once: Callable[[Target, str], tuple[int, str]]
    put: Callable[[object], None]
    peers: list[Peer] = field(default_factory=list)
    flights: dict[int, tuple[Peer, frame.Payload | None, int, tuple[Change, ...]]] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    running: str | None = None
    ran_until: int = 0  # number of the last change that a command which runs once has seen
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def patience(self) -> float | None:
        """Seconds until something is due without a message; None = nothing is."""
        now = time.monotonic()
        times = [peer.retry_at - now for peer in self.peers if peer.retry_at > now]
        if any(peer.due for peer in self.peers):
            times.append(QUIET)
        if any(peer.target.kind == "sync" and peer.joined and peer.seq < peer.mirror.tree.seq for peer in self.peers):
            times.append(LATER)
        return max(0.001, min(times)) if times else None

    def stop(self) -> None:
        """End every stream."""
        for peer in self.peers:
            peer.target.stop()

    def expect(self, mirror: Mirror, changes: tuple[Change, ...], began: float) -> None:
        """Changes were found: report them when every container has them."""
        peers = [peer for peer in self.peers if peer.mirror is mirror and peer.joined and peer.target.kind != "sync"]
        names = tuple(sorted(peer.target.name for peer in peers))
        self.batches.append(Batch(mirror, changes[-1].seq, changes, began, {peer.target.pod for peer in peers}, names))
        self._finish()

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
            added = [Peer(target, mirror, frame.keeper(mirror.key, False), fresh=True) for mirror in self.mirrors]
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
        for batch in self.batches:
            batch.waiting.discard(pod)
        self._finish()

    def joined(self, message: Joined) -> None:
        """A stream is open."""
        for peer in [each for each in self.peers if each.target is message.target]:
            ident, _, seq = message.mark.partition(":")
            known = ident == peer.mirror.tree.ident and seq.isdigit() and peer.site is frame.POD
            # the keeper is filled anew by each session; a container has what it laid over its image when it started
            peer.seq, peer.fresh = (int(seq), False) if known else (0, peer.site is not frame.POD)
            peer.joined, peer.supervised, peer.flying, peer.retry_at = True, message.supervised, None, 0.0
            peer.large.clear()

    def left(self, target: Target, why: str) -> None:
        """A stream has ended; it opens again by itself, unless `why` tells that it is no use."""
        for peer in self.peers:
            if peer.target is target:
                peer.joined, peer.flying, peer.restarted = False, None, None
        for batch in self.batches:
            batch.waiting.discard(target.pod)  # it gets them when it is back
        self._finish()
        if why:
            self.report.refused(target.name, why)

    def pump(self, touched_at: float) -> None:
        """Send to every container what it lacks, or start it again. `touched_at`: when the last change came."""
        loads: Loads = {}
        now = time.monotonic()
        for peer in self.peers:
            if not peer.joined or peer.flying is not None or peer.retry_at > now:
                continue
            if peer.target.kind == "sync" and now - touched_at < LATER and self._flying():
                continue  # those who wait for an edit come first
            if peer.mirror.tree.seq > peer.seq or peer.fresh:
                self._send(peer, loads)
            elif peer.due and not peer.large and self.running is None and now - touched_at >= QUIET:
                self._restart(peer)

    def _flying(self) -> bool:
        return any(peer.flying is not None for peer in self.peers if peer.target.kind != "sync")

    def _send(self, peer: Peer, loads: Loads) -> None:
        mirror, keeps = peer.mirror, peer.site is not frame.POD
        seq = mirror.tree.seq
        since = 0 if peer.fresh else peer.seq
        key = (mirror.key, since, keeps)
        if key not in loads:
            changes = tuple(mirror.tree.since(since))
            small = [change for change in changes if not self._is_large(mirror, change)]
            state = frame.state_text(mirror.tree.since(0), mirror.place) if keeps else ""
            loads[key] = (frame.payload(mirror.tree.folder, small, mirror.place, mirror.stamp, state), changes)
        load, changes = loads[key]
        for change in changes:
            if change.row and self._is_large(mirror, change) and mirror.place(change.path):
                self._send_large(peer, change)
        site = frame.keeper(mirror.key, peer.fresh and peer.mirror is self.mirrors[0]) if keeps else frame.POD
        mark = "" if peer.large else f"{mirror.tree.ident}:{seq}"
        number = next(self._numbers)
        peer.flying = number
        self.flights[number] = (peer, load, seq, changes)
        peer.target.send(frame.line(number, load, site, mark) + load.archive)

    def _is_large(self, mirror: Mirror, change: Change) -> bool:
        if not change.row or change.row[0] not in "fx":
            return False
        try:
            return bool(os.lstat(mirror.tree.folder / change.path).st_size > LARGE)
        except OSError:
            return False

    def _send_large(self, peer: Peer, change: Change) -> None:
        place = peer.mirror.place(change.path)
        assert place
        peer.large.add(change.path)
        source = peer.mirror.tree.folder / change.path
        argv = (source, peer.site.prefix + place, peer.site.state, change, peer.target, self.put)
        threading.Thread(target=bulk.deliver, args=argv, daemon=True).start()

    def delivered(self, message: bulk.Delivered) -> None:
        """A large file is there, or is not."""
        for peer in self.peers:
            if peer.target is message.target and message.change.path in peer.large:
                peer.large.discard(message.change.path)
                if message.complaint:
                    peer.seq = min(peer.seq, message.change.seq - 1)
                    self._refused(peer, message.complaint)
                elif not peer.large and peer.flying is None:
                    peer.seq = min(peer.seq, peer.mirror.tree.seq - 1)  # once more, for the mark
        self._finish()

    def answered(self, message: Answered) -> None:
        """A line was carried out."""
        peer, load, seq, changes = self.flights.pop(message.number, (None, None, 0, ()))
        if peer is None or peer.flying != message.number:
            return
        peer.flying = None
        if message.status:
            self._refused(peer, message.complaint or f"status {message.status}")
            return
        peer.failures, peer.fresh = 0, False
        if load is None:  # a restart
            return
        peer.seq = max(peer.seq, seq)
        for change in changes:
            rule = peer.mirror.rule(change.path)
            if rule.do == "restart" and self._concerns(peer, rule):
                done = rule.once and change.seq <= self.ran_until
                peer.due[change.path] = _plain(rule) if done else rule
        self._finish(message.at)

    def _concerns(self, peer: Peer, rule: Rule) -> bool:
        if peer.target.kind != "process" or not peer.supervised:
            return False
        return peer.target.process not in peer.mirror.reloading and (
            not rule.types or peer.target.process in rule.types
        )

    def _refused(self, peer: Peer, complaint: str) -> None:
        if not peer.failures:
            self.report.refused(peer.target.name, complaint)
        peer.retry_at = time.monotonic() + RETRY[min(peer.failures, len(RETRY) - 1)]
        peer.failures += 1
        for batch in self.batches:
            batch.waiting.discard(peer.target.pod)
        self._finish()

    def _restart(self, peer: Peer) -> None:
        """Start the process again, after the commands that its rules ask for."""
        runs = [rule for rule in dict.fromkeys(peer.due.values()) if rule.run]
        for rule in runs:
            if rule.once:
                self._run_once(peer, rule)
                return
        peer.due.clear()
        commands = "".join(
            f"sh -c {frame.quoted(rule.run or '')} < /dev/null > /proc/$p/fd/1 2>&1; " for rule in runs if not rule.once
        )
        number = next(self._numbers)
        peer.flying, peer.restarted = number, time.monotonic()
        self.flights[number] = (peer, None, 0, ())
        text = f"read -r p < {frame.STATE}/supervisor && {{ {commands}kill -USR1 $p; }}; echo ok {number} $?\n"
        peer.target.send(text.encode())

    def _run_once(self, peer: Peer, rule: Rule) -> None:
        command = peer.mirror.release if rule.run == RELEASE else rule.run
        self.ran_until = peer.mirror.tree.seq
        for other in self.peers:
            # their files are there, and the command is on its way: only the restart is left
            other.due = {path: each if each != rule else _plain(rule) for path, each in other.due.items()}
        if not command:
            return
        self.running = command

        def run() -> None:
            self.put(Ran(command, *self.run_once(peer.target, command)))

        threading.Thread(target=run, daemon=True).start()

    def _finish(self, at: float | None = None) -> None:
        """Report the batches that every container has."""
        done = []
        for batch in self.batches:
            for peer in self.peers:
                if peer.mirror is batch.mirror and peer.joined and peer.seq >= batch.seq and not peer.large:
                    batch.waiting.discard(peer.target.pod)
            if not batch.waiting:
                done.append(batch)
        for batch in done:
            self.batches.remove(batch)
            rules = {batch.mirror.rule(change.path) for change in batch.changes}
            restarts = sorted(
                {
                    peer.target.process
                    for peer in self.peers
                    if peer.mirror is batch.mirror
                    and any(rule.do == "restart" and self._concerns(peer, rule) for rule in rules)
                }
            )
            self.report.synced(batch, (at or time.monotonic()) - batch.began, restarts)


def _plain(rule: Rule) -> Rule:
    return Rule(rule.match, rule.do, rule.source, rule.types)
