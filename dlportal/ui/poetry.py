"""Poetry: who writes and how it begins; below the text its odds, its form, and the look for
copies."""

from functools import lru_cache
from typing import Any

import streamlit as st

from dlportal.cases.poetry_generation import PREFIXES, WANTED
from dlportal.data import is_available
from dlportal.kinds.copies import Copies, find_copies
from dlportal.kinds.poem_form import Form, form_of_text
from dlportal.kinds.writer import visible
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.training.poetry_source import DATASETS, Source, load_source
from dlportal.training.poetry_written import LEAST
from dlportal.ui.charts import show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked, choose_example, digest
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _
from dlportal.ui.state import share
from dlportal.ui.theme import palette
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note, together
from dlportal.ui.writing import Written

NAMES = {
    "shakespeare": N_("Shakespeare"),
    "five": N_("Five-character lines"),
    "seven": N_("Seven-character lines"),
    "ci": N_("Song lyrics (ci)"),
}
NARROW, WIDE = 20, 44  # characters of a row of the odds: room for so many, and at most
CHARTED = 800  # characters whose odds are drawn


def net_of(poet: str) -> str:
    """Which of the two networks writes."""
    return "shakespeare" if poet == "shakespeare" else "chinese"


def choose(case: Any) -> Picked | None:
    """Who writes, and how the text begins; examples fill the box."""
    examples = {example.id: example for example in case.examples()}
    poets = {i: case.parse(example.load())[0] for i, example in examples.items()}
    # A link or a walkthrough names an example; the poet follows it.
    if st.session_state.get("example") in examples and "poet" not in st.session_state:
        st.session_state["poet"] = poets[st.session_state["example"]]
    poet = choose_one(
        _("Who writes?"),
        NAMES,
        key="poet",
        on_change=lambda: share("example", None),  # it was another poet's
    )
    offered = [i for i in examples if poets[i] == poet]
    chosen = choose_example(case, offered).id
    loaded = examples[chosen].load().removeprefix(PREFIXES[poet])
    if st.session_state.get("text_from") != chosen:
        st.session_state["text"] = loaded
        st.session_state["text_from"] = chosen
    text = st.text_area(
        _("It begins with"),
        key="text",
        height=110,
        persist_state="page",
        help=_("At most {n} characters.").format(n=case.card.limits.characters),
    )
    if poet != "shakespeare":
        note(_("Traditional characters are read as simplified ones."))
    raw = case.question(poet, text)
    try:
        case.check(raw)
    except UserError as error:
        show_user_error(error)
        return None
    return Picked(raw, chosen if text == loaded else None, digest(raw))


def looks(case: Any, written: Written) -> None:
    """Below a finished text: odds of every character, its form, and what may be copied."""
    if not written.tokens:
        return
    poet, prompt = case.parse(written.raw)
    show_odds(case, written)
    text = prompt + written.text
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**" + _("Does it keep its form?") + "**")
        show_form(poet, text)
    with right:
        st.markdown("**" + _("Is it copied?") + "**")
        show_copies(poet, written.text)


def show_odds(case: Any, written: Written) -> None:
    """Every character in its place, coloured by its probability; pointing at it tells more."""
    st.markdown("**" + _("How sure was it of each character?") + "**")
    fig = odds_figure(rows_of(written, case.breaks))
    mean = sum(t.probability for t in written.tokens) / len(written.tokens)
    show_chart(
        fig,
        alt=_("Each character's probability; {share} on average").format(
            share=f"{100 * mean:.0f}%"
        ),
        key="odds",
    )
    note(_("Light: a surprise. Dark: expected. Point at a character for its odds."))


def rows_of(written: Written, breaks: str) -> list[list[Any]]:
    """Tokens in rows as on the page: a line each, long ones wrapped."""
    rows: list[list[Any]] = [[]]
    for token in written.tokens[:CHARTED]:
        if len(rows[-1]) >= WIDE:
            rows.append([])
        rows[-1].append(token)
        if token.text == "\n" or token.text in breaks:
            rows.append([])
    return [row for row in rows if row]


def odds_figure(rows: list[list[Any]]) -> Any:
    import plotly.graph_objects as go

    colors = palette()
    width = max(NARROW, *map(len, rows))

    def grid(value: Any, blank: Any = "") -> list[list[Any]]:
        return [[value(t) for t in row] + [blank] * (width - len(row)) for row in rows]

    def others(token: Any) -> str:
        return ", ".join(
            f"{visible(c.text)} {100 * c.probability:.0f}%" for c in token.alternatives[:4]
        )

    fig = go.Figure(
        go.Heatmap(
            z=grid(lambda t: t.probability, None),
            zmin=0,
            zmax=1,
            colorscale=[[0, colors.surface[0]], [1, colors.accent]],
            showscale=False,
            text=grid(lambda t: visible(t.text)),
            texttemplate="%{text}",
            textfont={"size": 12},
            customdata=grid(others),
            hovertemplate="<b>%{text}</b> %{z:.1%}<br>%{customdata}<extra></extra>",
            hoverongaps=False,
            xgap=1,
            ygap=2,
        )
    )
    style(fig, height=24 * len(rows) + 20)
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, autorange="reversed")
    return fig


def show_form(poet: str, text: str) -> None:
    """Lines and their lengths; said plainly where nothing can be counted."""
    if poet == "shakespeare":
        lines = [line for line in text.split("\n") if line and not line.endswith(":")]
        longest = max(map(len, lines), default=0)
        st.markdown(
            _("{n} spoken lines, the longest of {longest} characters.").format(
                n=len(lines), longest=longest
            )
        )
        note(_("Blank verse has no form that counting characters could check."))
        return
    form = form_of_text(text, WANTED[poet])
    lengths = "、".join(map(str, form.lengths)) or "0"
    st.markdown(_("{n} lines; characters: {lengths}").format(n=len(form.lengths), lengths=lengths))
    if form.wanted is None:
        note(_("In a lyric the tune decides the lengths; the network was not told a tune."))
    else:
        verdict(form)
    note(
        _(
            "Rhyme and tones are not checked: they follow medieval pronunciation, for which there is no table here."
        )
    )


def verdict(form: Form) -> None:
    if form.open_line:
        st.badge(_("breaks off within a line"), color="orange", icon=":material/more_horiz:")
    if form.regular:
        st.badge(
            _("every line has {n} characters").format(n=form.wanted),
            color="green",
            icon=":material/check_circle:",
        )
    elif form.lengths:
        st.badge(
            _("{right} of {all} lines have {n} characters").format(
                right=form.right, all=len(form.lengths), n=form.wanted
            ),
            color="red" if form.right < len(form.lengths) else "orange",
            icon=":material/straighten:",
        )
    note(_(form.kind))


def show_copies(poet: str, text: str) -> None:
    """The longest passage that also stands in the training text, and whose it is."""
    name = net_of(poet)
    if not is_available(DATASETS[name]):
        note(
            _(
                "The training text is not on this machine, so nothing can be compared. `python -m dlportal fetch poetry_generation` brings it."
            )
        )
        return
    with st.skeleton(height=120):
        found = copies(digest(text), name, text)
    copied, source = found, learned(name)
    if copied.longest is None:
        st.markdown(_("No passage also stands in the training text."))
        return
    longest = copied.longest
    passage = text[longest.start : longest.start + longest.length]
    st.markdown(
        _("Longest passage that also stands in the training text, {n} characters:").format(
            n=longest.length
        )
    )
    st.markdown(f":orange-background[{escape(' / '.join(passage.split(chr(10))))}]")
    share_of = f"{100 * copied.share:.0f}%"
    st.markdown(
        _("{share} of the text lies in passages of at least {least} characters like that.").format(
            share=share_of, least=copied.least
        )
    )
    note(
        together(
            _("From: {whose}.").format(whose=escape(source.whose(longest.place))),
            _("Short passages stand in both by chance; the card has the figure for real verse."),
        )
    )


@lru_cache(maxsize=2)
def learned(name: str) -> Source:
    return load_source(name)


@st.cache_data(max_entries=64, show_spinner=False)
def copies(text_digest: str, name: str, _text: str) -> Copies:
    return compute(lambda: find_copies(_text, learned(name).text, LEAST[name]), gone=has_left())
