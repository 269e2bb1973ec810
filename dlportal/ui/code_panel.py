"""Code: the few lines that reproduce what the page just showed."""

import streamlit as st

from dlportal.case import Case
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _
from dlportal.ui.theme import is_dark
from dlportal.ui.words import note


def show_code(code: str, name: str) -> None:
    """A listing with a download; on light ground without syntax colours (too pale)."""
    st.code(code, language="python" if is_dark() else None)
    st.download_button(
        _("Download"),
        code,
        file_name=f"{name}.py",
        mime="text/x-python",
        icon=":material/download:",
        on_click="ignore",
        key="download_code",
    )


def code_panel(case: Case, picked: Picked) -> None:
    explainer = st.session_state.get("method")
    target = st.session_state.get("target")
    if case.card.absent.get("explain") is not None or target is None:
        explainer = target = None
    note(_("This gives the prediction and the explanation above again; a test runs it."))
    show_code(case.code(picked.raw, picked.example, explainer, target), case.card.id)
