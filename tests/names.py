"""File names that shells, archives and JSON each stumble over in their own way."""

ODD = [
    b"new\nline",
    b"it's",
    b'"quoted"',
    b"-rf",
    b" spaces ",
    b"$HOME",
    b"`id`",
    b"back\\slash",
    b"*",
    b"\xff\xfe",
    "ü€".encode(),
]
