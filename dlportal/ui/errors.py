"""What a visitor sees when something goes wrong: one sentence, never a traceback."""

import functools
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from dlportal.messages import UserError
from dlportal.serving.lane import Gone
from dlportal.ui.language import _, say

log = logging.getLogger(__name__)


def show_user_error(error: UserError) -> None:
    """A warning with what is wrong and what to do."""
    st.warning(say(error), icon=":material/info:")


@contextmanager
def guard() -> Iterator[None]:
    """Turn exceptions inside into a sentence; Streamlit's own control flow passes through."""
    try:
        yield
    except UserError as error:
        show_user_error(error)
    except Gone:
        st.stop()
    except Exception:
        code = secrets.token_hex(3)
        log.exception("error %s", code)
        st.error(
            _(
                "**Something broke on our side.** It was noted as {code}; the rest of the portal works."
            ).format(code=code),
            icon=":material/error:",
        )
        if st.button(_("Try again"), key=f"again_{code}", icon=":material/refresh:"):
            st.rerun()


def fragment(function: Callable[..., Any]) -> Callable[..., Any]:
    """`st.fragment` with the guard inside, since a fragment reruns without its page."""

    @st.fragment
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with guard():
            return function(*args, **kwargs)

    return guarded
