"""A visitor without a browser: speaks Streamlit's websocket protocol.

A browser costs more processor time than the page it shows; twelve of them would measure
themselves. This visitor asks for runs of a page and reads every message, as a browser does.
"""

import time
from dataclasses import dataclass
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
PICTURES = ("plotly_chart", "bidi_component", "imgs")
FIELDS = ("button", "button_group", "number_input")  # elements that a visitor here can use


@dataclass(frozen=True)
class Answer:
    """What came of one run.

    Attributes:
        title: Seconds until the page's title came; 0 if it did not.
        drawn: Seconds until the first picture came that differs from the one before; 0 if none.
        seconds: Until the run was finished.
    """

    title: float
    drawn: float
    seconds: float


class Visitor:
    """One session on one page.

    Args:
        port: The server's.
        page: The page's address, "" for the gallery.
        query: Parameters of the address.

    Attributes:
        buttons: By key, the ids of a button (or of another field) and of the fragment in which it
            lies.
        timers: Fragments that asked to be run again and again, with the seconds between.
    """

    def __init__(self, port: int, page: str = "", query: str = "") -> None:
        self.page, self.query = page, query
        self.script = ""  # the page's hash, once the server has told it
        self.buttons: dict[str, tuple[str, str]] = {}
        self.timers: dict[str, float] = {}
        self.pictures: dict[tuple[int, ...], bytes] = {}
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
        self.timers.clear()
        answer = self.ask(timeout=timeout)
        return answer.title, answer.seconds

    def click(self, key: str) -> Answer:
        """Press the button with this key.

        Raises:
            KeyError: It was not drawn.
        """
        button, fragment = self.buttons[key]
        return self.ask(fragment, {"id": button, "trigger_value": True})

    def enter(self, key: str, **value: Any) -> Answer:
        """Change the field with this key.

        Args:
            key: The field's.
            value: One of the fields of Streamlit's `WidgetState`, e.g. `double_value=3.0`.

        Raises:
            KeyError: It was not drawn.
        """
        field, fragment = self.buttons[key]
        return self.ask(fragment, {"id": field, **value})

    def tick(self) -> Answer | None:
        """Let a fragment run that asked for it; None if there is none."""
        for fragment in self.timers:
            return self.ask(fragment)
        return None

    def ask(
        self, fragment: str = "", change: dict[str, Any] | None = None, timeout: float = 120.0
    ) -> Answer:
        """Ask for a run, and read messages until it is finished.

        Args:
            fragment: Id of the fragment to run; the whole page without one.
            change: Streamlit's `WidgetState` of a button that was pressed, or of another field.
            timeout: Seconds to wait for each message.
        """
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self.script
        state.page_name = "" if self.script else self.page
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment) and change is None
        if change is not None:
            state.widget_states.widgets.add(**change)
        started = time.perf_counter()
        self.socket.send(message.SerializeToString())
        title = drawn = 0.0
        while True:
            news = ForwardMsg()
            news.ParseFromString(self.socket.recv(timeout=timeout))  # type: ignore[arg-type]
            kind = news.WhichOneof("type")
            now = time.perf_counter() - started
            if kind == "delta":
                title = title or (now if is_title(news.delta) else 0.0)
                changed = self.note(news)
                drawn = drawn or (now if changed else 0.0)
            elif kind == "script_finished" and news.script_finished != EARLY:
                return Answer(title, drawn, now)
            else:
                self.heed(kind, news)

    def heed(self, kind: str | None, news: Any) -> None:
        """Remember what is no element: the page's hash and who wants to be run again."""
        if kind == "navigation":
            self.script = news.navigation.page_script_hash
        elif kind == "new_session" and not news.metadata.run.fragment_ids:
            self.timers.clear()
        elif kind == "auto_rerun":
            self.timers[news.auto_rerun.fragment_id] = news.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for fragment in news.stop_auto_rerun.fragment_ids:
                self.timers.pop(fragment, None)

    def note(self, news: Any) -> bool:
        """Remember a field or a picture; whether it is a picture that has changed."""
        element = news.delta.new_element
        kind = element.WhichOneof("type")
        if kind in FIELDS:
            field = getattr(element, kind).id
            self.buttons[field.rsplit("-", 1)[-1]] = (field, news.delta.fragment_id)
        elif kind in PICTURES:
            place = tuple(news.metadata.delta_path)
            before, now = self.pictures.get(place), element.SerializeToString()
            self.pictures[place] = now
            return now != before
        return False

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def is_title(delta: Any) -> bool:
    """Whether a message draws a page's title."""
    return delta.new_element.heading.tag == "h1"
