"""An app's folder as a git repository, and what pushes from it."""

import os
import subprocess
from dataclasses import dataclass

from tests.e2e.conftest import App, Done, eventually

IDENTITY = {
    "GIT_AUTHOR_NAME": "Dev",
    "GIT_AUTHOR_EMAIL": "dev@example.com",
    "GIT_COMMITTER_NAME": "Dev",
    "GIT_COMMITTER_EMAIL": "dev@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


@dataclass
class Repository:
    """The app's own repository. Calling it runs git there, with the built package's helper on the PATH."""

    app: App

    def __post_init__(self) -> None:
        if not (self.app.folder / ".git").exists():
            self("init", "--quiet", "--initial-branch=main")

    @property
    def environ(self) -> dict[str, str]:
        """devenv's environment, with git's own."""
        path = f"{self.app.wheel / 'bin'}:{os.environ['PATH']}"
        return self.app.environ | IDENTITY | {"PATH": path}

    def __call__(self, *words: str, status: int | None = 0, folder: str = ".", timeout: float = 300) -> Done:
        done = subprocess.run(
            ["git", *words],
            cwd=self.app.folder / folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        found = Done(("git", *words), done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in found.stderr, str(found)
        assert status is None or found.status == status, str(found)
        return found

    def commit(self, **files: str) -> str:
        """Commit everything, `files` (`web_py="…"`) written first; the new commit."""
        for name, text in files.items():
            self.app.write(name.replace("_", ".") if name != "Procfile" else name, text)
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self("rev-parse", "HEAD").stdout.strip()

    def push(self, *words: str, status: int | None = 0) -> Done:
        """`git push devenv …`."""
        return self("push", "devenv", *(words or ("main",)), status=status)

    def deployed(self) -> str:
        """The commit that the remote's branch stands at."""
        return self("ls-remote", "devenv", "refs/heads/main").stdout.partition("\t")[0]


def version(app: App) -> int:
    """The number of the release that serves."""
    return int(app("ps", "--json").json["version"])


def outcomes(app: App) -> dict[int, str]:
    """Release number -> how it went."""
    return {row["version"]: row["status"] for row in app("releases", "-n", "50", "--json").json}


def greets(app: App, text: str) -> None:
    """Wait until the app answers `text`."""
    eventually(lambda: app.http("/").text, lambda found: found == text, 20)


def said(text: str) -> list[str]:
    """The lines that came from the remote, without what git puts around them, and without devenv's own steps."""
    lines = (line.removeprefix("remote: ").rstrip() for line in text.splitlines() if line.startswith("remote:"))
    return [line for line in lines if not line.startswith("✓") and not line.endswith(" …")]
