"""Whole-process times, and figures beside their references."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEVENV = [str(Path(sys.executable).parent / "devenv")]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure beside what it is to reach and a reference of the same run; seconds unless `unit` says else."""

    what: str
    ours: float
    goal: str
    reference: str
    unit: str = "s"


def once(argv: Sequence[str], cwd: Path | None = None) -> float:
    """Seconds that a command takes; raises when it fails, with its last lines."""
    began = time.monotonic()
    done = subprocess.run(list(argv), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return seconds


def paired(
    ours: Sequence[str], reference: Sequence[str], runs: int = 15, cwd: Path | None = None
) -> tuple[float, float, float]:
    """Median seconds of two commands run in turn, and of their ratios pair by pair, which hold when the machine drifts."""
    once(ours, cwd)
    once(reference, cwd)
    pairs = [(once(ours, cwd), once(reference, cwd)) for _ in range(runs)]
    return (
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(first / second for first, second in pairs),
    )


def show(figures: Sequence[Figure]) -> None:
    """Print figures as a Markdown table."""
    print("| what | measured | goal | reference in the same run |")
    print("|---|---|---|---|")
    for figure in figures:
        print(f"| {figure.what} | {figure.ours:.2f} {figure.unit} | {figure.goal} | {figure.reference} |")
