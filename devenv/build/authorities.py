"""The certificate authorities this machine trusts beyond the usual ones, as behind a proxy that opens TLS."""

from collections.abc import Sequence
from pathlib import Path

from devenv.base import paths
from devenv.base.errors import InputError

# where an administrator puts them: Debian and Ubuntu, Fedora and RHEL, Arch, SUSE
FOLDERS = (
    Path("/usr/local/share/ca-certificates"),
    Path("/etc/pki/ca-trust/source/anchors"),
    Path("/etc/ca-certificates/trust-source/anchors"),
    Path("/etc/pki/trust/anchors"),
)
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# clients that bring their own list of authorities, and the variable that points each to the system's
ENV = {
    "CURL_CA_BUNDLE": BUNDLE,
    "NODE_EXTRA_CA_CERTS": BUNDLE,
    "NPM_CONFIG_CAFILE": BUNDLE,  # Node before 7.3 does not read the one above
    "PIP_CERT": BUNDLE,
    "REQUESTS_CA_BUNDLE": BUNDLE,
    "SSL_CERT_FILE": BUNDLE,
}


def on_host(folders: Sequence[Path] = FOLDERS) -> tuple[str, ...]:
    """The extra authorities as PEM texts; DEVENV_CA_FILE names a file instead. Raises InputError when it cannot be read."""
    if chosen := paths.setting("CA_FILE"):
        try:
            return (Path(chosen).read_text(),)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"DEVENV_CA_FILE: `{chosen}` cannot be read as text", "name a file in PEM form") from error
    found = []
    for folder in folders:
        for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if file.suffix in (".crt", ".pem") and file.is_file():
                text = file.read_text(errors="replace")
                found += [text if text.endswith("\n") else text + "\n"] if "BEGIN CERTIFICATE" in text else []
    return tuple(found)
