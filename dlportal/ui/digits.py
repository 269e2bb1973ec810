"""The spoken digits' own parts: what is seen, what an explanation leaves to hear, new voices."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cards import Card, show_interval, show_value
from dlportal.explain.base import Explanation
from dlportal.results import Classes
from dlportal.serving import compute
from dlportal.training.digit_evaluation import accuracy_of
from dlportal.training.kept import random_cells, top_cells
from dlportal.ui.card_panel import card_panel
from dlportal.ui.charts import heat_table, show_chart
from dlportal.ui.explain_panel import explain_panel
from dlportal.ui.inputs import Picked
from dlportal.ui.language import _, language
from dlportal.ui.spectrogram import kept_figure, seen_figure, word_of
from dlportal.ui.visitor import has_left
from dlportal.ui.words import note

RANDOM = 20  # random choices of as many cells


def seen(case: Any, picked: Picked) -> None:
    """The spectrogram, as the network sees it."""
    word = word_of(picked.digest, case, picked.raw)
    st.header(_("What does it hear?"), anchor=False)
    show_chart(seen_figure(word), alt=_("The word's loudness over time and pitch"), key="seen")
    note(
        _(
            "The word lasts {time:.2f} s; silence around it is cut off. Brighter is louder, in 40 bands that are narrow where ears are exact. Short or long, every word fills 64 columns."
        ).format(time=word.seconds)
    )


def truth(case: Any, picked: Picked | None, answer: Any) -> None:
    """What was really said, where it is known."""
    said = getattr(picked, "truth", "").strip(".")
    if answer is None or said not in case.sayings:
        return
    name = case.labels[case.sayings.index(said)](language())
    if answer.result.best.label.id == said:
        note(":material/check_circle: " + _("{word} was said: right.").format(word=name))
    else:
        note(":material/cancel: " + _("{word} was said: wrong.").format(word=name))


def explain(case: Any, picked: Picked) -> None:
    """The usual panel, and what is left to hear of the map."""
    explanation = explain_panel(case, picked)
    st.space("small")
    listen(case, picked, explanation)


@st.cache_data(max_entries=128, show_spinner=False)
def kept(digest: str, method: str, target: int, share: float, _case: Any, _raw: Any, _map: Any):
    """What is left with the map's cells, and with the same share chosen at random."""

    def work() -> tuple[Any, list[Any]]:
        others = random_cells(_map, share, RANDOM)
        return _case.keep(_raw, top_cells(_map, share)), [_case.keep(_raw, c) for c in others]

    return compute(work, gone=has_left())


def listen(case: Any, picked: Picked, explanation: Explanation) -> None:
    """Keep the strongest cells, silence the rest, and let ears and network judge."""
    st.markdown("**" + _("Listen to only what the explanation kept") + "**")
    note(
        _(
            "All other cells of the spectrogram are silenced and the rest is turned back into sound. If the map is right, little of it is enough, and a random choice of as much is not."
        )
    )
    st.session_state.setdefault("kept", 20)
    percent = st.slider(
        _("Kept, % of the spectrogram"), 2, 80, step=2, key="kept", persist_state="page"
    )
    share = percent / 100
    with st.skeleton(height=240):
        mine, random = kept(
            picked.digest,
            f"{explanation.method} {sorted(explanation.knobs.items())}",
            explanation.target,
            share,
            case,
            picked.raw,
            explanation.values,
        )
    word = word_of(picked.digest, case, picked.raw)
    before = case.predict(picked.raw).best
    left, right = st.columns(2, gap="large")
    for place, title, one, cells in (
        (left, _("What the map marks"), mine, top_cells(explanation.values, share)),
        (right, _("As much at random"), random[0], random_cells(explanation.values, share, 1)[0]),
    ):
        with place:
            st.markdown(f"**{title}**")
            show_chart(kept_figure(word, cells), alt=_("What is left of the spectrogram"))
            st.audio(louder(one.sound.samples), sample_rate=one.sound.rate)
            verdict(one.answer, before)
    same = sum(one.answer.best.index == before.index for one in random)
    note(
        _("The answer survives {k} of {n} random choices of {percent}%.").format(
            k=same, n=len(random), percent=percent
        )
        + " "
        + _("Both are played at full volume.")
    )


def louder(samples: np.ndarray) -> np.ndarray:
    """The same at full scale: little that is kept is also quiet."""
    return samples / max(1e-6, float(np.abs(samples).max())) * 0.9


def verdict(answer: Classes, before: Any) -> None:
    """Whether the network still says the same."""
    lang = language()
    share = f"{100 * answer.best.probability:.0f}%"
    name = answer.best.label(lang)
    if answer.best.index == before.index:
        st.badge(
            _("still {word}, {share}").format(word=name, share=share),
            color="green",
            icon=":material/check_circle:",
        )
    else:
        st.badge(
            _("now {word}, {share}").format(word=name, share=share),
            color="red",
            icon=":material/cancel:",
        )


def trust(card: Card) -> None:
    """The card, and what each speaker sounds like to a network that never heard him."""
    card_panel(card)
    loso = card.measured.constants.get("loso")
    if not loso:
        return
    st.header(_("Each voice, by a network that never heard it"), anchor=False)
    speakers = list(loso)
    chosen = st.pills(
        _("Left out"),
        speakers,
        format_func=str.capitalize,
        default=speakers[0],
        key="left_out",
        required=True,
        persist_state="page",
    )
    speaker = chosen or speakers[0]
    left, right = st.columns([8, 4], gap="large")
    with left:
        names = [str(digit) for digit in range(10)]
        fig = heat_table(loso[speaker]["confusion"], names, names)
        fig.update_xaxes(title_text=_("predicted"))
        fig.update_yaxes(title_text=_("true"))
        show_chart(fig, alt=_("Confusion matrix"), key="speaker_confusion")
    with right:
        st.metric(_("Right"), f"{100 * accuracy_of(loso[speaker]['confusion']):.1f}%")
        mean = next(m for m in card.measured.metrics if m.name == "loso_accuracy")
        note(
            _("Mean of the five voices: {mean}; 95% interval over voices: {interval}.").format(
                mean=show_value(mean), interval=show_interval(mean)
            )
        )
