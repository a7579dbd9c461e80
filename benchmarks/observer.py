"""What runs in a pod while figures are taken: tells each file of a folder as soon as its content can be read there.

Called with the folder; prints `seconds name content` lines, seconds of the monotonic clock, which is the node's and on kind this machine's.
It waits on inotify (inotify(7)), so that it takes no processor time itself, and tells what it saw together: a message for each file would
take more time on its way than what is measured.
"""

import ctypes
import os
import select
import struct
import sys
import time

CLOSE_WRITE, MOVED_TO, CREATE = 0x8, 0x80, 0x100


def main(folder: str) -> None:
    """Watch until it is ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init()
    libc.inotify_add_watch(watch, folder.encode(), CLOSE_WRITE | MOVED_TO | CREATE)
    print("0 ready -", flush=True)
    lines = []
    while True:
        if not select.select([watch], [], [], 0.02 if lines else None)[0]:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
            lines = []
            continue
        data, at = os.read(watch, 1 << 16), 0
        while at < len(data):
            length = struct.unpack_from("iIII", data, at)[3]
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            at += 16 + length
            try:
                with open(os.path.join(folder, name)) as file:
                    content = file.read().strip() or "-"
                lines.append(f"{time.monotonic():.6f} {name} {content}")
            except OSError:
                continue  # renamed away since


if __name__ == "__main__":
    main(sys.argv[1])
