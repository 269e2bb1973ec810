"""The translation page's own part: direction and text, the answer, where it looked, the search."""

from typing import Any

import streamlit as st

from dlportal.cards import Card
from dlportal.cases.translation_result import Hypothesis, Translation
from dlportal.cases.translation_text import DIRECTIONS, EXAMPLES, NAMES, PART_OF, split
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.errors import show_user_error
from dlportal.ui.explain_panel import escape
from dlportal.ui.inputs import Picked, choose_example, digest
from dlportal.ui.knobs import choose_one
from dlportal.ui.language import _, language
from dlportal.ui.state import share
from dlportal.ui.train_panel import train_panel
from dlportal.ui.translation_charts import alignment_chart, tree_chart
from dlportal.ui.views import show
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration, note

MODELS = (N_("2 Transformers, 128 wide"),)  # how the card names the network
QUESTION = N_("Which words of the sentence made the translation?")
VIEWS = {"looks": N_("Where it looked"), "search": N_("How it searched")}
BEAMS = (1, 2, 4, 8)
WHY = {
    "unknown": N_("The sentence holds a character that the network has never seen."),
    "unusual": N_("The sentence holds rare words: it falls into unusually many parts."),
    "unsure": N_("The network is unsure of its translation, as of few sentences of its kind."),
}
KIND = {
    "multi30k": N_("This network learned from captions of pictures and knows little else."),
    "tatoeba": N_("This network learned from short everyday sentences and knows little else."),
}


def pick_sentence(case: Any) -> Picked | None:
    """An example or the visitor's own sentence, and the direction."""
    start_from_link()
    example = choose_example(case)
    own, loaded = split(example.load())
    if st.session_state.get("text_from") != example.id:
        first = "text_from" not in st.session_state
        asked = st.session_state.get("direction") if first else None
        fits = asked in DIRECTIONS and DIRECTIONS[asked][0] == DIRECTIONS[own][0]
        st.session_state.update(text_from=example.id, text=loaded, direction=asked if fits else own)
        share("direction", st.session_state["direction"])
    lang = language()
    chosen = st.pills(
        _("Direction"),
        list(DIRECTIONS),
        format_func=lambda name: NAMES[name](lang),
        key="direction",
        required=True,
        wrap=True,
        persist_state="page",
        on_change=lambda: share("direction", st.session_state.get("direction")),
    )
    text = st.text_area(
        _("Sentence"),
        key="text",
        height=110,
        persist_state="page",
        help=_("One sentence, at most {n} characters.").format(
            n=f"{case.card.limits.characters:,}"
        ),
    )
    raw = f"{chosen or own}: {text}"
    note(_(KIND[PART_OF[chosen or own]]))
    if raw == example.load():
        return Picked(raw, example.id, digest(raw))
    try:
        case.check(raw)
    except UserError as error:
        show_user_error(error)
        return None
    return Picked(raw, None, digest(raw))


def start_from_link() -> None:
    """A link with a direction and no example starts at an example of that direction."""
    asked = st.session_state.get("direction")
    if "text_from" in st.session_state or st.session_state.get("example"):
        return
    fitting = [i for i, direction, *_rest in EXAMPLES if direction == asked]
    if fitting:
        st.session_state["example"] = fitting[0]


@show.register
def show_translation(result: Translation, card: Card, seconds: float) -> None:
    """The translation, how sure the network is, and the runners-up."""
    best = result.best
    st.subheader(escape(result.text), anchor=False)
    with st.grid(3, min_column_width=96):
        st.metric(
            _("Probability of a part"),
            f"{100 * best.probability:.0f}%",
            help=_("Geometric mean over the translation's word parts and its end."),
        )
        st.metric(
            _("Score"),
            f"{best.score:.2f}",
            help=_(
                "Log-probability over the length to a power that was tuned on validation; 0 would be certainty."
            ),
        )
        st.metric(_("Time"), duration(seconds))
    if not result.inside:
        kind = _(KIND[PART_OF[result.direction]])
        st.warning(f"{_(WHY[result.why])} {kind}", icon=":material/explore_off:")
    elif card.inside is not None:
        note(f":material/check_circle: {card.inside(language())}")
    if not best.ended:
        st.warning(
            _("It found no end and was stopped: do not trust this translation."),
            icon=":material/content_cut:",
        )
    if len(result.hypotheses) > 1:
        draw_hypotheses(result.hypotheses)


def draw_hypotheses(found: tuple[Hypothesis, ...]) -> None:
    """All sentences that the search found, with their scores."""
    st.markdown("**" + _("What else it found") + "**")
    # The score before the sentence: on a telephone the two would lie on each other.
    names = [f"{place}. {one.score:.2f} · {one.text}" for place, one in enumerate(found, 1)]
    fig = bars(
        [shorten(name) for name in names],
        [one.probability for one in found],
        [""] * len(found),
        top=1.0,
    )
    show_chart(fig, alt="; ".join(names), key="hypotheses")
    note(_("Bars: mean probability of a part. Numbers: score; the highest is the translation."))


def shorten(text: str, most: int = 78) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@st.cache_data(max_entries=64, show_spinner=False)
def searched(_case: Any, text_digest: str, _raw: str, beams: int) -> tuple[Translation, ...]:
    return tuple(compute(lambda: _case.translate([_raw], beams), gone=has_left()))


def insides(case: Any, picked: Picked | None, answer: Any) -> None:
    """Where the network looked, or what the beam search tried."""
    if picked is None or answer is None:
        return
    result: Translation = answer.result
    view = choose_one(_("View"), VIEWS)
    if view == "looks":
        fig = alignment_chart(result)
        words = alignment_words(result)
        show_chart(fig, alt=words, key="alignment")
        note(
            _(
                "Each row is a word that was written, its cells say where the network looked meanwhile: cross-attention of the decoder layer that agrees best with a counted dictionary, heads averaged. What falls on the signs for begin and end is not drawn."
            )
        )
        return
    current = st.segmented_control(
        _("Beams"),
        BEAMS,
        default=4,
        key="beams",
        required=True,
        persist_state="page",
        help=_("How many beginnings the search carries along; 1 always takes the likeliest part."),
    )
    if current not in (None, 4):
        (result,) = searched(case, picked.digest, picked.raw, int(current or 4))
    draw_search(result)


def draw_search(result: Translation) -> None:
    """The tree, a few steps at a time, and what the search came to."""
    steps = max(branch.depth for branch in result.branches) + 1
    size = 12
    first = 1
    if steps > size:
        first = st.slider(
            _("From step"), 1, steps - size + 1, 1, key="tree_from", persist_state="page"
        )
    show_chart(tree_chart(result, first - 1, size), alt=tree_words(result), key="tree")
    note(
        _(
            "From top to bottom, one word part a step; the likeliest beginning stands on the left. Filled: carried on. Hollow: dropped. Green line: the translation. ■ ends a sentence, ␣ begins a word; the number is the part's own probability."
        )
    )
    st.markdown(
        _("The search ends at: **{text}** (score {score})").format(
            text=escape(result.text), score=f"{result.best.score:.2f}"
        )
    )


def alignment_words(result: Translation) -> str:
    """Which source word each written word looked at most."""
    pairs = [
        f"{word} ← {result.source[int(row.argmax())]}"
        for word, row in zip(result.words, result.alignment, strict=True)
    ]
    return ", ".join(pairs)


def tree_words(result: Translation) -> str:
    kept = sum(branch.kept for branch in result.branches)
    return _("Beam search: {n} word parts tried, {kept} carried on; it ends at: {text}").format(
        n=len(result.branches), kept=kept, text=result.text
    )


def training(case: Any, picked: Picked | None) -> None:
    """A quick training is for the network of the chosen direction."""
    direction = split(picked.raw)[0] if picked is not None else next(iter(DIRECTIONS))
    train_panel(case.card, PART_OF[direction])


def misses(card: Card) -> None:
    """Translations of test sentences, beside the reference, where the data is here."""
    from dlportal.data import is_available, multi30k, tatoeba

    kept = card.measured.constants.get("shown", {})
    if not kept:
        return
    st.header(_("Sentences of the test part"), anchor=False)
    lang = language()
    direction = choose_one(_("Direction"), {d: NAMES[d](lang) for d in kept}, key="shown_direction")
    name = {"multi30k": "multi30k", "tatoeba": "tatoeba_cmn_eng"}[PART_OF[direction]]
    if not is_available(name):
        note(
            _(
                "The test sentences are not on this machine; `python -m dlportal fetch translation` gets them."
            )
        )
        return
    part = multi30k.load_part("test") if name == "multi30k" else tatoeba.load().test
    source, target = DIRECTIONS[direction]
    st.dataframe(
        [
            {
                _("Sentence"): part.texts[source][row["row"]],
                _("The network's translation"): row["said"],
                _("The reference"): part.texts[target][row["row"]],
                "BLEU": row["bleu"],
            }
            for row in kept[direction]
        ],
        hide_index=True,
        width="stretch",
        height="content",
    )
    note(
        _(
            "Drawn at random, the worst first. BLEU of one sentence is rough: other right translations score low."
        )
    )
