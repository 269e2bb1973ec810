"""The page of questions about a paragraph: two fields, the marked answer, starts and ends."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dlportal.cards import Card
from dlportal.cases.question_answering import Answers, Ends
from dlportal.cases.question_paragraphs import SETS, Set, example_id
from dlportal.kinds.passages import written
from dlportal.messages import N_, UserError
from dlportal.results import Span
from dlportal.training.reading_baselines import best_sentence, best_span
from dlportal.ui.charts import show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked, digest
from dlportal.ui.language import _, language
from dlportal.ui.state import valid
from dlportal.ui.theme import palette
from dlportal.ui.views import scope, show
from dlportal.ui.words import duration, note

QUESTION = N_("Which words made it the answer?")
MODELS = (  # how the card names the networks
    N_("frozen MiniLM-L6 + span reader; Chinese: characters"),
    N_("mBERT, trained on SQuAD's 87,599 questions"),
    N_("XLM-R large, trained on SQuAD's 87,599 questions"),
    N_("BERT-base Chinese, trained on CMRC's training part; whole dev part"),
)
NAMED = 2  # tokens that the chart names, of each kind


def pick_passage(case: Any) -> Picked | None:
    """One of our paragraphs with one of its questions, or the visitor's own in the same fields."""
    one, key, question = choose()
    example = example_id(one.id, key)
    if st.session_state.get("text_from") != example:
        st.session_state.update(text_from=example, question=question, text=one.paragraph)
    asked = st.text_input(
        _("Question"),
        key="question",
        persist_state="page",
        help=_("English or Chinese, the language of the paragraph."),
    )
    text = st.text_area(
        _("Paragraph"),
        key="text",
        height=270,
        persist_state="page",
        help=_("At most {n} characters, together with the question.").format(
            n=f"{case.card.limits.characters:,}"
        ),
    )
    note(_("Change either of them, or put in your own. The language follows the paragraph."))
    raw = written(asked or "", text or "")
    if raw == written(question, one.paragraph):
        return Picked(raw, example, digest(raw))
    try:
        case.check(raw)
    except UserError as error:
        show_user_error(error)
        return None
    return Picked(raw, None, digest(raw))


def choose() -> tuple[Set, str, str]:
    """A paragraph and one of its questions: its id and text."""
    sets = {one.id: one for one in SETS}
    lang = language()
    first = next(one.id for one in SETS if one.language == lang)
    current = valid("passage", list(sets), first)
    chosen = st.pills(
        _("Paragraph"),
        list(sets),
        format_func=lambda i: sets[i].zh if lang == "zh" else sets[i].en,
        key="passage",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="page",
    )
    one = sets[chosen or current]
    questions = dict(one.questions)
    now = valid("asked", list(questions), next(iter(questions)))
    picked = st.selectbox(
        _("Questions about it"),
        list(questions),
        format_func=lambda key: questions[key],
        key="asked",
        persist_state="page",
    )
    key = picked if picked in questions else now
    return one, key, questions[key]


@show.register
def show_answers(result: Answers, card: Card, seconds: float) -> None:
    """The answer marked in its paragraph, how sure it is, and what else it could be."""
    if result.refused:
        st.metric(_("The network says"), _("No answer"))
        note(_("The paragraph does not seem to tell. Its best guess is marked in italics."))
    else:
        st.metric(_("The network answers"), result.spans[0].text)
    st.markdown(marked(result))
    with st.grid(3, min_column_width=96):
        st.metric(
            _("This very answer"),
            percent(result.spans[0].probability) if result.spans else "–",
            help=_("Probability that the answer is exactly this, to the letter."),
        )
        st.metric(
            _("No answer"),
            percent(result.nothing),
            help=_(
                "Probability that the paragraph does not tell. From {limit} on it says so."
            ).format(limit=percent(result.threshold)),
        )
        st.metric(_("Time"), duration(seconds))
    if result.windows > 1:
        note(
            _("A long paragraph: read in {n} parts that overlap, nothing is left out.").format(
                n=result.windows
            )
        )
    scope(result.inside, card)


def percent(p: float) -> str:
    return f"{100 * p:.0f}%"


def marked(result: Answers) -> str:
    """Markdown of the paragraph, the answer on a coloured ground."""
    if not result.spans:
        return escape(result.paragraph)
    span = result.spans[0]
    before, after = result.paragraph[: span.start], result.paragraph[span.end :]
    text = escape(" ".join(span.text.split()))
    middle = f":orange-background[*{text}*]" if result.refused else f":green-background[**{text}**]"
    return (escape(before) + middle + escape(after)).replace("\n", "  \n")


def ends_and_rivals(case: Any, picked: Any, answer: Any) -> None:
    """The likeliest answers, where they begin and end, and what plain rules would say."""
    if picked is None or answer is None or not answer.result.spans:
        return
    result = answer.result
    st.dataframe(
        [row_of(span) for span in result.spans],
        hide_index=True,
        alt=_("The three likeliest answers"),
    )
    note(_("First the answer: the one that has most in common with all likely ones."))
    st.markdown("**" + _("Where does the answer begin, where does it end?") + "**")
    show_chart(
        ends_chart(result.tokens), alt=_("Probability of begin and end for each token"), key="ends"
    )
    note(_("What plain rules would answer"))
    question, paragraph = result.question, result.paragraph
    rules = (
        (_("Sentence with most of the question"), best_sentence),
        (_("Span in it by the question word"), best_span),
    )
    lines = [
        f"**{name}** · {escape(rule(result.language, question, paragraph))}" for name, rule in rules
    ]
    st.markdown("  \n".join(lines))


def row_of(span: Span) -> dict[str, Any]:
    return {
        _("Answer"): span.text,
        _("Probability"): f"{100 * span.probability:.1f}%",
        _("Characters"): f"{span.start}–{span.end}",
    }


def ends_chart(tokens: tuple[Ends, ...]) -> go.Figure:
    """Begins upwards, ends downwards, over the paragraph's tokens; the likeliest are named."""
    colors = palette()
    places = list(range(1, len(tokens) + 1))
    fig = go.Figure()
    for name, values, sign, color, pattern in (
        (_("begins"), [t.begins for t in tokens], 1, colors.series[0], ""),
        (_("ends"), [t.closes for t in tokens], -1, colors.series[1], "/"),
    ):
        fig.add_trace(
            go.Bar(
                x=places,
                y=[sign * value for value in values],
                name=name,
                marker={"color": color, "pattern": {"shape": pattern}, "line": {"width": 0}},
                hovertext=[f"{t.text}: {name} {v:.1%}" for t, v in zip(tokens, values)],
                hoverinfo="text",
            )
        )
        for i in sorted(range(len(values)), key=lambda i: -values[i])[:NAMED]:
            if values[i] >= 0.05:
                fig.add_annotation(
                    x=places[i],
                    y=sign * values[i],
                    text=tokens[i].text,
                    showarrow=False,
                    yshift=11 * sign,
                    font={"color": colors.text, "size": 12},
                )
    style(fig, height=260, legend=True)
    fig.update_layout(barmode="overlay", bargap=0.05)
    fig.update_xaxes(title_text=_("token of the paragraph"), range=[0, len(tokens) + 1])
    top = min(1.0, max(0.2, *(max(t.begins, t.closes) for t in tokens)))
    ticks = [-top, -top / 2, 0.0, top / 2, top]
    fig.update_yaxes(
        title={"text": _("probability"), "standoff": 18},  # its numbers are wide
        range=[-1.3 * top, 1.3 * top],
        tickvals=ticks,
        ticktext=[f"{100 * abs(t):.0f}%" for t in ticks],
    )
    return fig
