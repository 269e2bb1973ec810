"""A visitor's own CSV: where it is dropped, what it must hold, a file to try."""

from collections.abc import Callable

import streamlit as st

from dlportal.cards import Card
from dlportal.ui.language import _
from dlportal.ui.words import note, together


def own_csv(
    card: Card, label: str, columns: str, sample: str, write: Callable[[], bytes], name: str
) -> bytes | None:
    """The bytes of a visitor's CSV; None while there is none.

    Args:
        card: Its limits bound the size.
        label: What is dropped here, for screen readers.
        columns: What the file must hold.
        sample: On the button that saves a file to try.
        write: Makes that file.
        name: Of that file.
    """
    given = st.file_uploader(
        label,
        type=["csv", "txt", "tsv"],
        max_upload_size=card.limits.bytes // 1_000_000,
        key="file",
        label_visibility="collapsed",
    )
    note(together(columns, _("The file stays on this server only for this visit.")))
    st.download_button(
        sample,
        write,
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key="sample_file",
    )
    return None if given is None else given.getvalue()


def note_sorted(sorted_here: bool) -> None:
    """Say that the rows of a file were put in order."""
    if sorted_here:
        note(":material/sort: " + _("The rows were put in order of time."))
