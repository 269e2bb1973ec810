"""The interface's language: gettext catalogues, one choice a session.

Keys are the English sentences; `dlportal/locale/zh/*.po` hold the Chinese ones, one file an
area. They are read as they lie, so there is no compiled file that could be stale.
"""

import gettext
import io
import logging
from functools import cache
from pathlib import Path

import streamlit as st

from dlportal.messages import UserError

LOCALE = Path(__file__).resolve().parent.parent / "locale"
LANGUAGES = {"en": "English", "zh": "中文"}

log = logging.getLogger(__name__)


@cache
def catalogue(code: str) -> gettext.NullTranslations:
    """All translations of a language, joined from its files."""
    files = sorted((LOCALE / code).glob("*.po"))
    joined = gettext.NullTranslations()
    for path in reversed(files):
        part = read_po(path, code)
        if not isinstance(joined, gettext.GNUTranslations):
            joined = part
        else:
            part.add_fallback(joined)
            joined = part
    return joined


def read_po(path: Path, code: str) -> gettext.GNUTranslations:
    """Parse one catalogue; Babel is imported here because English needs none."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po as parse

    with path.open("rb") as file:
        messages = parse(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def language() -> str:
    """The session's language, "en" or "zh": the address, else the browser decides at first."""
    try:
        return st.session_state["language"]  # a hundred times a page: looked up once each time
    except KeyError:
        asked = st.query_params.get("lang")
        if asked not in LANGUAGES:
            asked = "zh" if (st.context.locale or "").lower().startswith("zh") else "en"
        st.session_state["language"] = asked
        return asked


def _(message: str) -> str:
    """Translate an English sentence into the session's language."""
    return catalogue(language()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """Translate with the plural form for `n`."""
    return catalogue(language()).ngettext(one, many, n)


def say(error: UserError) -> str:
    """The sentence of an error, translated."""
    return _(error.message).format(**error.params)


def language_switch() -> None:
    """The switch at the top right of every page."""

    def keep() -> None:
        st.session_state["language"] = st.session_state["language_switch"]
        st.query_params["lang"] = st.session_state["language"]

    # The key is not the state itself: a widget's state is dropped when the page changes.
    st.session_state["language_switch"] = language()
    st.segmented_control(
        "Language · 语言",
        list(LANGUAGES),
        # In ASCII: other letters make Streamlit compile its pattern of all emojis (7 MB, 0.1 s).
        format_func=lambda code: LANGUAGES[code].encode("ascii", "xmlcharrefreplace").decode(),
        required=True,
        key="language_switch",
        label_visibility="collapsed",
        on_change=keep,
    )
