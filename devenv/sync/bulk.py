"""Large files on a stream of their own, so that small ones do not wait."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devenv.base.errors import DevenvError
from devenv.base.index import hashing
from devenv.sync.target import Target
from devenv.sync.tree import Change

PIECE = 1 << 20

# takes as many bytes as it is told, and puts them in place only when that many came
TAKE = """\
t=$1/large.$$
trap 'rm -f "$t"' EXIT
mkdir -p "${2%/*}" && head -c "$3" > "$t" && [ "$(wc -c < "$t")" -eq "$3" ] && chmod "$4" "$t" && mv -f "$t" "$2" && echo done
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A large file is in its place, or is not: `complaint` says why. `row` is what was read of it."""

    target: Target
    change: Change
    complaint: str
    row: str | None = None


def deliver(
    source: Path, place: str, state: str, change: Change, target: Target, put: Callable[[object], None]
) -> None:
    """Send one file, in pieces; puts `Delivered`."""
    try:
        complaint, row = _send(source, place, state, change, target)
    except FileNotFoundError:
        complaint, row = "", None
    except (OSError, DevenvError) as error:
        complaint, row = str(error), None
    put(Delivered(target, change, complaint, row))


def _send(source: Path, place: str, state: str, change: Change, target: Target) -> tuple[str, str | None]:
    with source.open("rb") as content:
        size = source.stat().st_size
        mode = "755" if (change.row or "").startswith("x") else "644"
        stream = target.open(target.pod, target.container, ["sh", "-c", TAKE, "take", state, place, str(size), mode])
        try:
            left, read = size, hashing()
            while left and (piece := content.read(min(PIECE, left))):
                stream.write(piece)
                read.update(piece)
                left -= len(piece)
            if left:
                return "", None  # it got shorter while it was read
            said = b""
            while piece_out := stream.read(60):
                said += piece_out[1]
                if b"done" in said:
                    return "", f"{(change.row or '')[:1]} {read.hexdigest()}"
            return said.decode(errors="replace").strip() or "the stream broke off", None
        finally:
            stream.close()
