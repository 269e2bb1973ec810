"""Whether the visitor is still there: work for somebody who left is withdrawn."""

from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def has_left() -> Callable[[], bool]:
    """A question to ask later, from any thread: has the current visitor left?"""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return lambda: False
    server, session = runtime.get_instance(), context.session_id
    return lambda: not server.is_active_session(session)
