"""Changes as one line of shell, which reads a tar archive: for containers that have nothing but `sh` and `tar`. Pure."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devenv.sync.payload import LAST, Payload, Place, many
from devenv.sync.tree import Change

STATE = "/tmp/.devenv"  # in a pod: its stage, the number of the last change, the pids of supervisor and loop
KEEPER = "/.devenv"  # in the keeper: the volume
STAGE = '"$t"'  # as the loop names it: archives are unpacked there
# each by a copy beside it: a rename replaces in one file system only
MOVE = """\
i=$1
shift
for f do
  d=$i/${f%/*}
  n=$d/.devenv.$$
  mkdir -p "$n" && cp -Pp "$f" "$n/" && mv -f "$n/${f##*/}" "$d/" || e=1
  rm -rf "$n"
done
exit ${e:-0}
"""

# Reads lines of shell, each followed by the bytes that it consumes. An exec'd process does not end with its client: without a line for a
# minute (a heartbeat is one) it leaves by itself, where the shell can tell (bash, busybox), and at the end of the stream anywhere.
LOOP = """\
s=$1
t=$s/stage.$$
mkdir -p "$s" || exit 1
{ read -r old < "$s/loop" && grep -qF 't=$s/stage' "/proc/$old/cmdline" && { kill -TERM "-$old" || kill "$old"; }; } 2> /dev/null
rm -rf "$s"/stage.*
mkdir "$t" && echo $$ > "$s/loop" || exit 1
trap 'rm -rf "$t"' EXIT
trap exit TERM HUP
exec 3>&2 # containerd closes the input with the first output that nobody holds
nl='
'
{ shopt -s lastpipe; } 2> /dev/null # bash: a process less for each archive
wait=
(read -r -t 1 wait < /dev/null) 2> /dev/null
[ $? = 2 ] || wait='-t 60'
[ -z "$2" ] || until [ -s "$s/$2" ]; do sleep 0.1; done
{ read -r seq < "$s/seq"; read -r pid < "$s/supervisor"; } 2> /dev/null
perl=
[ -z "$PERL5OPT$PERL5LIB$PERLLIB$PERLIO" ] && perl -C0 -e 'use strict' 2> /dev/null && perl=' perl' # as the image has it, not as the app would
echo "hello ${seq:--} ${pid:--}$perl"
while IFS= read -r $wait line; do eval "$line" 2>&1; done
"""
CHOOSE = 'command -v tar > /dev/null || exit 126; command -v bash > /dev/null && exec bash -c "$1" loop "$2" "$3"; exec sh -c "$1" loop "$2" "$3"'


def loop_argv(state: str, awaits: str = "") -> list[str]:
    """What to exec in a container; `state` is its folder for the loop's own files. It says hello when there is one named `awaits`."""
    return ["sh", "-c", CHOOSE, "loop", LOOP, state, awaits]


def quoted(text: str) -> str:
    """A word of POSIX shell on one line; a newline becomes `$nl`, which the loop defines."""
    return "'" + text.replace("'", "'\\''").replace("\n", "'\"$nl\"'") + "'"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a payload goes: in a pod the root; in the keeper the folder of an image's edits."""

    state: str = STATE
    prefix: str = ""
    seq: str = f"{STATE}/seq"
    # steps of shell before the first file is in place, after the last, and after the note of what is there
    before: str = ""
    after: str = ""
    last: str = ""


POD = Site()


def keeper(key: str, keys: Sequence[str] = ()) -> Site:
    """The keeper's folder for the edits of image `key`. With `keys`, those of every image, it is made anew, and what is of no image goes.

    It takes the place of the one before at once: a pod that starts meanwhile finds the one or the other, whole.
    """
    home, loop = f"{KEEPER}/{key}", f"{KEEPER}/.loop"
    if not keys:
        return Site(loop, f"{home}/files", f"{home}/seq", "", f"mv -f {STAGE}/state.sh {home}/state.sh")
    new, old = f"{KEEPER}/.new", f"{KEEPER}/.old"
    swap = f"rm -rf {old} && {{ [ ! -e {home} ] || mv {home} {old}; }} && mv {new} {home}"
    tidy = f'for d in {KEEPER}/*; do case ${{d##*/}} in {"|".join(keys)}) ;; *) rm -rf "$d" ;; esac; done'
    return Site(
        loop,
        f"{new}/files",
        f"{new}/seq",
        before=f"rm -rf {new} && mkdir -p {new}/files",
        after=f"mv -f {STAGE}/state.sh {new}/state.sh",
        last=f"{swap} && rm -rf {old} && {{ {tidy}; }}",
    )


def line(number: int, load: Payload, site: Site, mark: str) -> bytes:
    """The line that applies a payload and answers `ok NUMBER STATUS`; `mark` goes into the seq file.

    Each file is written beside and renamed into place, so nobody reads half of one. Whatever fails, the archive's bytes are read.
    """
    prefix = site.prefix
    # every process that a line starts is a millisecond: `read` takes the rest only where there is one
    take = f"head -c {len(load.archive)} | {{ tar -xof - -C {STAGE}; e=$?; read -r x && cat > /dev/null; [ $e = 0 ]; }}"
    steps = [take]
    if site.before:
        steps.append(site.before)
    # one that fails stops none of the others
    puts = [f"rm -rf -- {' '.join(quoted(prefix + path) for path in part)}" for part in chunks(_topmost(load.gone))]
    puts += [f"mkdir -p -- {' '.join(quoted(prefix + path) for path in part)}" for part in chunks(load.folders)]
    puts += _moves(load.files, prefix)
    if puts:
        steps.append(f'{{ f=; {" ".join(f"{each} || f=1;" for each in puts)} [ -z "$f" ]; }}')
    if site.after:
        steps.append(site.after)
    steps.append(f"echo {mark} > {site.seq}")
    if site.last:
        steps.append(site.last)
    # folders that a file may take the place of are out of the way before, links and what is left of a failure after the answer
    clear = f"rm -rf {STAGE}; mkdir {STAGE}"
    after = clear if many(load.files) else f"[ $e = 0 ] || {{ {clear}; }}"
    text = f"{f'{clear}; ' if load.gone else ''}{' && '.join(steps)}; e=$?; echo ok {number} $e; {after}\n"
    return text.encode(errors="surrogateescape")


def restart(number: int, commands: Sequence[str], again: bool) -> bytes:
    """The line that runs commands, has the supervisor start the process again (`again`) if they succeed, and answers `ok NUMBER STATUS`."""
    steps = [f"sh -c {quoted(each)} < /dev/null > /proc/$p/fd/1 2>&1" for each in commands]
    steps = [f"read -r p < {STATE}/supervisor", *steps, *(["kill -USR1 $p"] if again else [])]
    text = f"{' && '.join(steps)}; echo ok {number} $?"
    if commands:  # it may take minutes, and who does not answer is taken for dead
        text = f"{{ {text}; }} < /dev/null &"
    return f"{text}\n".encode()


def _moves(files: Sequence[str], prefix: str) -> list[str]:
    if not files:
        return []
    if many(files):
        # links replace atomically (GNU) and make the folders; what is left moves, also to another file system
        into = quoted(prefix or "/")
        top = sorted({path.split("/")[1] for path in files})
        staged, found = (" ".join(f"{start}{quoted(f'/{each}')}" for each in top) for start in (STAGE, "."))
        links = f"{{ [ -d {into} ] || mkdir -p {into}; }} && cp -RPlf -- {staged} {into} 2> /dev/null"
        moves = f"(cd {STAGE} && find {found} ! -type d -exec sh -c {quoted(MOVE)} sh {into} {{}} +)"
        return [f"{{ [ -e {STAGE}/{LAST} ] && {{ {{ {links}; }} || {moves}; }}; }}"]
    by_folder: dict[str, list[str]] = {}
    for path in files:
        by_folder.setdefault(posixpath.dirname(path), []).append(path)
    steps = []
    for folder, paths in by_folder.items():
        into = quoted(f"{prefix}{folder}/")
        make = f"{{ [ -d {into} ] || mkdir -p -- {into}; }}"
        steps.append(f"{{ {make} && mv -f -- {' '.join(STAGE + quoted(path) for path in paths)} {into}; }}")
    return steps


def _topmost(paths: Iterable[str]) -> list[str]:
    """Without what lies below another path of the list."""
    known = set(paths)
    return [path for path in paths if not any(parent in known for parent in parents(path))]


def parents(path: str) -> Iterable[str]:
    """The folders above a path, nearest first."""
    while (path := posixpath.dirname(path)).strip("/"):
        yield path


def chunks(items: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    """The items in parts that fit a command line."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def state_text(changes: Iterable[Change], place: Place) -> str:
    """The state.sh of the keeper: what of the image is gone, which folders are empty. Processes read it when they start."""
    gone = [target for change in changes if change.row is None and (target := place(change.path))]
    empty = [target for change in changes if change.row == "d" and (target := place(change.path))]
    rows = ["nl='\n'"]
    rows += [f"rm -rf -- {' '.join(map(quoted, part))}" for part in chunks(_topmost(gone))]
    rows += [f"mkdir -p -- {' '.join(map(quoted, part))}" for part in chunks(empty)]
    return "\n".join(rows) + "\n"
