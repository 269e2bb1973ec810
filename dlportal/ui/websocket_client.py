"""A visitor without a browser: speaks Streamlit's websocket protocol.

A browser costs more processor time than the page it shows; twelve of them would measure
themselves. This visitor asks for runs of a page and reads every message, as a browser does.
"""

import time
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Visitor:
    """One session on one page.

    Args:
        port: The server's.
        page: The page's address, "" for the gallery.
        query: Parameters of the address.
    """

    def __init__(self, port: int, page: str = "", query: str = "") -> None:
        self.page, self.query = page, query
        self.script = ""  # the page's hash, once the server has told it
        self.socket = connect(
            f"ws://localhost:{port}/_stcore/stream",
            subprotocols=["streamlit", "none"],  # type: ignore[list-item]
            max_size=None,
            compression=None,
        )

    def run(self, timeout: float = 120.0) -> tuple[float, float]:
        """Run the page once.

        Returns:
            Seconds until the title came, and until the run was finished.

        Raises:
            TimeoutError: Not finished within `timeout`.
        """
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self.script
        state.page_name = "" if self.script else self.page
        started = time.perf_counter()
        self.socket.send(message.SerializeToString())
        title = 0.0
        while True:
            news = ForwardMsg()
            news.ParseFromString(self.socket.recv(timeout=timeout))  # type: ignore[arg-type]
            kind = news.WhichOneof("type")
            if kind == "navigation":
                self.script = news.navigation.page_script_hash
            elif kind == "delta" and not title and is_title(news.delta):
                title = time.perf_counter() - started
            elif kind == "script_finished" and news.script_finished != EARLY:
                return title, time.perf_counter() - started

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def is_title(delta: Any) -> bool:
    """Whether a message draws a page's title."""
    return delta.new_element.heading.tag == "h1"
