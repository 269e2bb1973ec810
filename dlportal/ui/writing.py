"""Writing token by token: the prompt, the knobs, the text as it comes, each token's odds."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from dlportal.kinds.writer import spread, texts_of, visible
from dlportal.messages import N_, UserError
from dlportal.results import Candidate, Token
from dlportal.serving import compute
from dlportal.serving.turns import Turns
from dlportal.ui.charts import bars, show_chart, style
from dlportal.ui.errors import fragment, show_user_error
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked, choose_example, digest
from dlportal.ui.knobs import choose_one, draw_knob
from dlportal.ui.language import _, language
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import main_button, note

MODES = {"continue": N_("Go on with a text"), "ask": N_("Ask a question")}
DRAW_EVERY = 0.08  # seconds between redraws of the growing text
CHARTED = 8  # candidates in the chart of what comes next


@dataclass
class Written:
    """A text being written, kept in the session so that a stop loses nothing."""

    digest: str
    knobs: dict[str, Any]
    raw: str
    tokens: list[Token] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = True  # until the end is reached

    @property
    def text(self) -> str:
        return texts_of(self.tokens)


@cache
def turns() -> Turns:
    return Turns()


def pick_prompt(case: Any) -> Picked | None:
    """A text to go on with, or a question; examples fill the box."""
    examples = {example.id: example for example in case.examples()}
    asked = {i for i, e in examples.items() if case.asked(e.load()) != e.load()}
    # A link or a walkthrough names an example; the mode follows it.
    if st.session_state.get("example") in examples and "mode" not in st.session_state:
        st.session_state["mode"] = "ask" if st.session_state["example"] in asked else "continue"
    mode = choose_one(_("What should it do?"), MODES, key="mode", width="stretch")
    offered = [i for i in examples if (i in asked) == (mode == "ask")]
    chosen = choose_example(case, offered).id
    loaded = case.asked(examples[chosen].load())
    if st.session_state.get("text_from") != chosen:
        st.session_state["text"] = loaded
        st.session_state["text_from"] = chosen
    text = st.text_area(
        _("Text"),
        key="text",
        height=120,
        persist_state="page",
        help=_("At most {n} characters.").format(n=f"{case.card.limits.characters:,}"),
    )
    raw = case.question(text) if mode == "ask" else text
    try:
        case.check(raw)
    except UserError as error:
        show_user_error(error)
        return None
    return Picked(raw, chosen if text == loaded else None, digest(raw))


def choose_knobs(case: Any) -> dict[str, Any]:
    """The sampling knobs; length and seed behind a button."""
    knobs = {knob.name: knob for knob in case.knobs}
    values = {name: draw_knob(knobs[name]) for name in ("temperature", "top_k", "top_p")}
    with st.popover(_("Settings"), icon=":material/tune:"):
        values |= {name: draw_knob(knobs[name]) for name in ("length", "seed")}
    return values


@st.cache_data(max_entries=256, show_spinner=False)
def next_tokens(
    digest: str, temperature: float, top_k: int, top_p: float, _case: Any, _raw: str
) -> list[tuple[Candidate, float]]:
    return compute(
        lambda: _case.next_tokens(_raw, temperature, top_k, top_p, CHARTED), gone=has_left()
    )


@fragment
def write(
    case: Any,
    picked: Picked,
    knobs: dict[str, Any],
    after: Callable[[Written], None] | None = None,
) -> None:
    """What may come next, the button, and the text as it grows; `after` is drawn below it."""
    written: Written | None = st.session_state.get("written")
    if written is not None and written.digest != picked.digest:
        written = None
    starting = st.session_state.pop("start_writing", False)
    with st.container(horizontal=True, vertical_alignment="center"):
        main_button(
            _("Write"),
            icon=":material/play_arrow:",
            key="write",
            disabled=starting,
            on_click=lambda: st.session_state.update(start_writing=True),
        )
        # Stopping is just another run: this one ends at its next redraw and keeps the text.
        st.button(_("Stop"), icon=":material/stop:", key="stop", disabled=not starting)
        status = st.empty()
    place, rest = st.empty(), st.empty()
    if starting:
        written = grow(case, picked, knobs, place, status)
        with suppress(StreamlitAPIException):  # not as a fragment: the buttons follow later
            st.rerun(scope="fragment")
    with rest.container():
        if written is None:
            show_next(case, picked, knobs)
            return
        note_speed(written, knobs, status)
        inspect(case, written, place, after)


def grow(case: Any, picked: Picked, knobs: dict[str, Any], place: Any, status: Any) -> Written:
    """Write until the end; every redraw is where a stop or a leaving visitor interrupts."""
    written = Written(picked.digest, dict(knobs), picked.raw)
    st.session_state["written"] = written
    st.session_state.pop("token", None)

    def wait(ahead: int) -> None:
        status.markdown(_("Waiting: {n} ahead").format(n=ahead))

    with turns().turn(wait):
        started = drawn = time.monotonic()
        for token in case.stream(picked.raw, **knobs):
            written.tokens.append(token)
            now = time.monotonic()
            written.seconds = now - started
            if now - drawn >= DRAW_EVERY:
                drawn = now
                place.markdown(plain(case, written))
    written.stopped = False
    return written


def plain(case: Any, written: Written) -> str:
    """The prompt in grey and the text after it."""
    prompt, text = (
        paragraphs(escape(spread(part, case.breaks)))
        for part in (case.asked(written.raw), written.text)
    )
    return f":gray[{prompt}]{case.joint(written.raw)}{text}"


def paragraphs(text: str) -> str:
    """Line ends as Markdown shows them."""
    return text.replace("\n", "  \n")


def coloured(case: Any, written: Written, chosen: int) -> str:
    """The text with unlikely tokens on an orange ground and the chosen token framed in bold."""
    prompt, rare = spread(case.asked(written.raw), case.breaks), case.rare(written.raw)
    out = [f":gray[{escape(prompt)}]", case.joint(written.raw)]
    for place, token in enumerate(written.tokens):
        core = token.text.strip()
        if not core:
            out.append(token.text)
            continue
        before = token.text[: len(token.text) - len(token.text.lstrip())]
        after = token.text[len(token.text.rstrip()) :]
        if core[-1] in case.breaks:
            after += "\n"
        word = escape(core)
        if place == chosen:
            word = f":green-background[**{word}**]"
        elif token.probability < rare:
            word = f":orange-background[{word}]"
        out.append(before + word + after)
    return paragraphs("".join(out))


def note_speed(written: Written, knobs: dict[str, Any], status: Any) -> None:
    """How long it took, and whether the knobs have moved since."""
    parts = [_("{n} tokens").format(n=len(written.tokens))]
    if written.seconds > 0:
        rate = len(written.tokens) / written.seconds
        parts.append(_("{rate:.0f} a second").format(rate=rate))
    if written.stopped:
        parts.append(_("stopped"))
    if written.knobs != knobs:
        parts.append(_("the knobs have moved since"))
    status.markdown(f":small[:gray[{' · '.join(parts)}]]")


def show_next(case: Any, picked: Picked, knobs: dict[str, Any]) -> None:
    """The likeliest next tokens, and what the knobs leave of them."""
    found = next_tokens(
        picked.digest,
        knobs["temperature"],
        knobs["top_k"],
        knobs["top_p"],
        case,
        picked.raw,
    )
    st.markdown("**" + _("What comes next?") + "**")
    note(
        _(
            "Grey: the model's own probability. Colour: what temperature, top-k and top-p make of it; the next token is drawn from that."
        )
    )
    show_chart(knob_chart(found), alt=knob_words(found), key="next_tokens")
    if case.unfamiliar(picked.raw):
        st.warning(case.card.outside(language()), icon=":material/explore_off:")


def knob_words(found: Sequence[tuple[Candidate, float]]) -> str:
    return ", ".join(
        f"{visible(c.text)} {100 * c.probability:.1f}% → {100 * after:.1f}%" for c, after in found
    )


def knob_chart(found: Sequence[tuple[Candidate, float]]) -> Any:
    """Two bars a token: before and after the knobs."""
    import plotly.graph_objects as go

    colors = palette()
    names = [f"{place}. {visible(c.text)}" for place, (c, _p) in enumerate(found, 1)]
    fig = go.Figure()
    for name, values, color in (
        (_("after the knobs"), [after for _c, after in found], colors.accent),
        (_("the model's own"), [c.probability for c, _p in found], colors.rest),
    ):
        fig.add_bar(
            x=values,
            y=names,
            orientation="h",
            name=name,
            marker={"color": color, "cornerradius": 3},
            text=[f"{100 * v:.1f}%" for v in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="y+x+name",
        )
    style(fig, height=40 * len(names) + 60)
    fig.update_layout(barmode="group", bargap=0.25, bargroupgap=0.05)
    largest = max(max(c.probability, after) for c, after in found)
    fig.update_xaxes(visible=False, range=[0, 1.18 * largest])
    fig.update_yaxes(autorange="reversed", showgrid=False, type="category", nticks=len(names))
    return fig


def inspect(
    case: Any, written: Written, place: Any, after: Callable[[Written], None] | None
) -> None:
    """The finished text; one token at a time beside what else could have come."""
    tokens = written.tokens
    if not tokens:
        place.markdown(_("The model ended the text at once. Try another seed or a longer prompt."))
        return
    if "token" not in st.session_state or st.session_state["token"] > len(tokens):
        st.session_state["token"] = 1
    if len(tokens) > 1:
        chosen = st.slider(_("Look at token"), 1, len(tokens), key="token", persist_state="page")
    else:
        chosen = 1
    place.markdown(coloured(case, written, chosen - 1))
    token = tokens[chosen - 1]
    share_of = f"{100 * token.probability:.1f}%"
    name = visible(token.text)
    st.markdown(
        _("**{token}** had a probability of {share}. What else could have come:").format(
            token=escape(name), share=share_of
        )
    )
    others = [c for c in token.alternatives if c.text != token.text][:5]
    shown = [Candidate(token.text, token.probability), *others]
    fig = bars(
        [visible(c.text) for c in shown],
        [c.probability for c in shown],
        [f"{100 * c.probability:.1f}%" for c in shown],
        top=1.0,
    )
    show_chart(
        fig,
        alt=", ".join(f"{visible(c.text)} {100 * c.probability:.1f}%" for c in shown),
        key="alternatives",
    )
    note(_(case.legend).format(share=f"{100 * case.rare(written.raw):.0f}%"))
    if after is not None:
        after(written)


def written_text(picked: Picked | None) -> str | None:
    """Prompt and text written from it so far, for the look inside."""
    if picked is None:
        return None
    written: Written | None = st.session_state.get("written")
    if written is None or written.digest != picked.digest:
        return picked.raw
    return written.raw + written.text
