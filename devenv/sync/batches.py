"""Changes that were found together, until every container has them: then there is a line to tell."""

import time
from collections.abc import Collection
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
            paths = {change.path for change in batch.changes}
            batch.waiting -= {
                peer.target.pod
                for peer in peers
                if peer.mirror is batch.mirror
                and peer.joined
                and peer.seq >= batch.seq
                and paths.isdisjoint(peer.large)
            }
            if not batch.waiting:
                self.under_way.remove(batch)
                done.setdefault((batch.mirror.key, batch.names), []).append(batch)
        for together in done.values():
            latest = {change.path: change for batch in together for change in batch.changes}
            batch = replace(together[0], changes=tuple(latest.values()), seq=together[-1].seq)
            rules = {batch.mirror.rule(path) for path in latest}
            mine = [peer for peer in peers if peer.mirror is batch.mirror]
            again = {peer.target.process for peer in mine if any(map(peer.concerns, rules))}
            self.report.synced(batch, (at or time.monotonic()) - batch.began, sorted(again))
