"""Changes that were found together, until every container has them: then there is a line to tell."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from devenv.sync.mirror import Mirror
from devenv.sync.session import Batch, Peer, Report
from devenv.sync.target import Target
from devenv.sync.tree import Change


@dataclass(slots=True)
class Batches:
    """The batches of a session that are under way."""

    report: Report
    under_way: list[Batch] = field(default_factory=list)
    missed: dict[str, Batch] = field(default_factory=dict)  # by image: told when no container was there to take it

    def expect(self, mirror: Mirror, changes: tuple[Change, ...], began: float, peers: Collection[Peer]) -> None:
        """Wait for every container that is there now."""
        there = [peer for peer in peers if peer.mirror is mirror and peer.joined and not peer.keeps]
        names = tuple(sorted(peer.target.name for peer in there))
        last = max(change.seq for change in changes)
        self.under_way.append(Batch(mirror, last, changes, began, {peer.target.pod for peer in there}, names))
        self.finish(peers)

    def skip(self, target: Target, peers: Collection[Peer]) -> None:
        """Wait no longer for a container: it is gone, or gets its changes later."""
        for batch in self.under_way:
            if target.pod in batch.waiting:
                batch.waiting.discard(target.pod)
                batch.names = tuple(name for name in batch.names if name != target.name)
        self.finish(peers)

    def finish(self, peers: Collection[Peer], at: float | None = None) -> None:
        """Report the batches that every container has; those that came through together as one."""
        done: dict[tuple[str, tuple[str, ...]], list[Batch]] = {}
        for batch in list(self.under_way):
            batch.waiting -= {peer.target.pod for peer in peers if peer.mirror is batch.mirror and _has(peer, batch)}
            if not batch.waiting:
                self.under_way.remove(batch)
                done.setdefault((batch.mirror.key, batch.names), []).append(batch)
        for together in done.values():
            batch = _merged(together)
            if not batch.names:
                before = self.missed.get(batch.mirror.key)
                self.missed[batch.mirror.key] = _merged([before, batch]) if before else batch
            rules = {batch.mirror.rule(change.path) for change in batch.changes}
            mine = [peer for peer in peers if peer.mirror is batch.mirror and batch.names]
            again = {peer.target.process for peer in mine if any(map(peer.concerns, rules))}
            self.report.synced(batch, (at or time.monotonic()) - batch.began, sorted(again))
        self._catch_up(peers, at or time.monotonic())

    def _catch_up(self, peers: Collection[Peer], at: float) -> None:
        """Tell who has it now of what nobody took."""
        for key, batch in list(self.missed.items()):
            mine = (peer for peer in peers if peer.mirror is batch.mirror and not peer.keeps)
            there = [peer for peer in mine if peer.joined or peer.seq]  # one that never was there may never be
            if there and all(_has(peer, batch) for peer in there):
                del self.missed[key]
                names = tuple(sorted(peer.target.name for peer in there))
                # a container that is new has started with it
                again = {peer.target.process for peer in there for each in batch.changes if each.path in peer.due}
                self.report.synced(replace(batch, names=names), at - batch.began, sorted(again))


def _has(peer: Peer, batch: Batch) -> bool:
    return peer.joined and peer.seq >= batch.seq and not any(change.path in peer.large for change in batch.changes)


def _merged(batches: Sequence[Batch]) -> Batch:
    """One of several, with the newest change of each file."""
    latest = {change.path: change for batch in batches for change in batch.changes}
    return replace(batches[0], changes=tuple(latest.values()), seq=batches[-1].seq)
