"""Start a Streamlit server of its own for a measurement or a browser test."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
]
BARE = 'import streamlit as st\nst.title("A bare app")\n'
START = 60.0  # seconds a server may take


class Server:
    """A running server: `address` for browsers, `port` for websockets."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.address = f"http://localhost:{port}"

    def resident_mb(self) -> float:
        """Resident memory of the server, in MB."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextmanager
def serve(
    folder: Path = ROOT, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[Server]:
    """Run `app.py` of a folder until the block ends.

    Args:
        folder: Where `app.py` lies.
        environment: Variables besides this process's own.
        log: What the server prints goes here.

    Raises:
        RuntimeError: It did not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", *FLAGS]
    out = log.open("wb") if log is not None else subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until_up(process, port)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if log is not None:
            out.close()  # type: ignore[union-attr]


def wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait for the health check.

    Raises:
        RuntimeError: The process ended, or a minute passed.
    """
    end = time.monotonic() + START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the server was not up within {START:.0f} s")


def bare_app(folder: Path) -> Path:
    """Write a two-line app into a folder; what everything is compared with."""
    (folder / "app.py").write_text(BARE, encoding="utf-8")
    return folder
