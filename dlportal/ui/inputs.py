"""Where an input comes from: an example, or the visitor's own, checked before it is decoded."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from dlportal.cards import Limits
from dlportal.case import Case, Example
from dlportal.messages import N_, InputError
from dlportal.ui.language import _, language
from dlportal.ui.maps import enlarge
from dlportal.ui.state import share, valid
from dlportal.ui.words import note

SOURCES = {
    "examples": (N_("Examples"), ":material/photo_library:"),
    "upload": (N_("Upload"), ":material/upload:"),
    "camera": (N_("Camera"), ":material/photo_camera:"),
    "microphone": (N_("Microphone"), ":material/mic:"),
    "text": (N_("Your own"), ":material/edit:"),
    "sketch": (N_("Draw"), ":material/draw:"),
    "spoken": (N_("Our voice"), ":material/record_voice_over:"),
}


@dataclass(frozen=True)
class Picked:
    """An input and where it came from: an example's id, or None for the visitor's own."""

    raw: Any
    example: str | None
    digest: str  # tells inputs apart in caches


def digest(raw: Any) -> str:
    """A short hash of an input."""
    state = hashlib.sha256()
    if isinstance(raw, Image.Image):
        state.update(repr((raw.size, raw.mode)).encode() + raw.tobytes())
    elif isinstance(raw, np.ndarray):
        state.update(repr((raw.shape, raw.dtype)).encode() + np.ascontiguousarray(raw).tobytes())
    else:
        state.update(repr(raw).encode())
    return state.hexdigest()[:16]


def choose_source(sources: list[str]) -> str:
    """Examples, upload, camera ...: one control over the input."""
    current = valid("source", sources, sources[0])
    chosen = st.segmented_control(
        _("Where from"),
        sources,
        format_func=lambda s: f"{SOURCES[s][1]} {_(SOURCES[s][0])}",
        key="source",
        required=True,
        label_visibility="collapsed",
        width="stretch" if len(sources) <= 3 else "content",  # four need two rows
        wrap=True,
        persist_state="page",
    )
    return chosen or current


def choose_example(case: Case, offered: Sequence[str] | None = None) -> Example:
    """Pills with the names of the examples, or of the offered ones."""
    examples = {example.id: example for example in case.examples()}
    lang = language()
    choices = examples if offered is None else offered
    return examples[example_pills(_("Example"), {i: examples[i].label(lang) for i in choices})]


def example_pills(label: str, names: Mapping[str, str], first: str | None = None) -> str:
    """Pills for what the link calls `example`: the chosen one's id.

    Args:
        label: For screen readers.
        names: By id, in the visitor's language.
        first: Chosen where nobody chose; the first by default.
    """
    current = valid("example", list(names), first or next(iter(names)))
    chosen = st.pills(
        label,
        list(names),
        format_func=names.__getitem__,
        key="example",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="page",
        on_change=lambda: share("example", st.session_state.get("example")),
    )
    return chosen or current


def pick_picture(case: Case) -> Picked | None:
    """Example, upload or camera; draws the picture too."""
    limits = case.card.limits
    source = choose_source(["examples", "upload", "camera"])
    if source == "examples":
        example = choose_example(case)
        raw = example.load()
        st.image(
            encoded_example(case.card.id, example.id, raw),
            width="stretch",
            alt=example.label(language()),
        )
        if example.source:
            note(_(example.source))
        return Picked(raw, example.id, digest(raw))
    picture = own_picture(limits, source)
    if picture is None:
        return None
    case.check(picture)
    st.image(enlarge(picture), width="stretch", alt=_("Your picture"))
    return Picked(picture, None, digest(picture))


@st.cache_data(max_entries=64, show_spinner=False)
def encoded_example(case_id: str, example_id: str, _picture: Image.Image) -> bytes:
    """An example as the browser gets it; kept, since every click on the page shows it again.

    Small pictures are enlarged so that their pixels show.
    """
    shown = enlarge(_picture)
    lossless = shown is not _picture or shown.mode != "RGB"
    data = io.BytesIO()
    shown.save(data, "PNG" if lossless else "JPEG", quality=95)
    return data.getvalue()


def own_picture(limits: Limits, source: str) -> Image.Image | None:
    """The visitor's upload or photograph, decoded; None while there is none.

    Raises:
        InputError: It cannot be used.
    """
    from dlportal.kinds.image import open_picture

    if source == "upload":
        given = st.file_uploader(
            _("A picture"),
            type=["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"],
            max_upload_size=limits.bytes // 1_000_000,
            key="file",
            label_visibility="collapsed",
        )
    else:
        given = st.camera_input(_("Take a photo"), key="photo", label_visibility="collapsed")
    if given is None:
        note(_("Nothing yet. A picture stays on this server only for this visit."))
        return None
    return open_picture(given.getvalue(), limits)


def pick_text(case: Case) -> Picked | None:
    """Examples fill the box; what stands in the box is the input."""
    example = choose_example(case)
    loaded = example.load()
    if st.session_state.get("text_from") != example.id:
        st.session_state["text"] = loaded
        st.session_state["text_from"] = example.id
    text = st.text_area(
        _("Text"),
        key="text",
        height=140,
        persist_state="page",
        help=_("At most {n} characters.").format(n=f"{case.card.limits.characters:,}"),
    )
    if text == loaded:
        return Picked(text, example.id, digest(text))
    case.check(text)
    return Picked(text, None, digest(text))


def pick_sound(case: Any) -> Picked | None:
    """Example, file, microphone, or the portal's own voice."""
    from dlportal.ui.sound_input import pick_sound as pick_it

    return pick_it(case)


def pick_row(case: Case) -> Picked | None:
    """Examples of rows; a case's page adds its own ways."""
    example = choose_example(case)
    raw = example.load()
    return Picked(raw, example.id, digest(raw))


PICKERS = {
    "image": pick_picture,
    "text": pick_text,
    "audio": pick_sound,
    "table": pick_row,
    "state": pick_row,
}


def pick(case: Case) -> Picked | None:
    """Let the visitor choose an input of the case's kind; None while there is none.

    Raises:
        InputError: The visitor's input cannot be used.
    """
    if case.kind not in PICKERS:
        raise ValueError(f"no picker for kind {case.kind!r}; kinds: {', '.join(PICKERS)}")
    return PICKERS[case.kind](case)


__all__ = ["InputError", "Picked", "choose_example", "choose_source", "digest", "pick"]
