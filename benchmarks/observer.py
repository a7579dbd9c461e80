"""What runs in a pod while figures are taken: tells each file of a folder as soon as its content can be read there.

Called with the folder; prints `name content` lines. It waits on inotify (inotify(7)), so that it takes no processor time itself.
"""

import ctypes
import os
import struct
import sys

CLOSE_WRITE, MOVED_TO, CREATE = 0x8, 0x80, 0x100


def main(folder: str) -> None:
    """Watch until stdin ends, which `timeout` above it sees to."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init()
    libc.inotify_add_watch(watch, folder.encode(), CLOSE_WRITE | MOVED_TO | CREATE)
    print("ready -", flush=True)
    while True:
        data, at, lines = os.read(watch, 1 << 16), 0, []
        while at < len(data):
            length = struct.unpack_from("iIII", data, at)[3]
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            at += 16 + length
            try:
                with open(os.path.join(folder, name)) as file:
                    lines.append(f"{name} {file.read().strip() or '-'}")
            except OSError:
                continue  # renamed away since
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
