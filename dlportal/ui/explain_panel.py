"""Explain: a method's map beside the check of whether the map tells the truth."""

from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from dlportal.case import Case
from dlportal.explain import explainers_for, get_explainer
from dlportal.explain.base import Explainer, Explanation, HasBoxes
from dlportal.explain.faithfulness import Faithfulness, measure
from dlportal.explain.sanity import Sanity, weight_randomisation
from dlportal.explain.track_record import first_choice, track_record
from dlportal.ui.charts import show_chart, signed_bars
from dlportal.ui.inputs import Picked
from dlportal.ui.knobs import draw_knobs
from dlportal.ui.language import _, language
from dlportal.ui.map_quality import draw_quality
from dlportal.ui.maps import legend_strip, outlined, overlay
from dlportal.ui.state import share, valid
from dlportal.ui.theme import palette
from dlportal.ui.watched import Store, watched
from dlportal.ui.words import duration, note

MEASURING_SECONDS = 6.0  # what a visitor waits for the check of a map
MAPS = Store(256)  # maps and their checks

Key = tuple[str, str, str, int, tuple]  # case, digest of the input, method, target, settings


def explained(key: Key, case: Case, raw: Any) -> Explanation:
    """A method's map."""
    explainer, target, knobs = get_explainer(key[2]), key[3], dict(key[4])
    return watched(
        MAPS,
        ("map", *key),
        lambda progress: explainer.explain(case, raw, target, progress=progress, **knobs),
        _("Computing the map"),
    )


def measured(key: Key, case: Case, raw: Any, explanation: Explanation) -> Faithfulness:
    """The check of a map."""
    return watched(
        MAPS,
        ("check", *key),
        lambda progress: measure(
            case, raw, explanation, seconds=MEASURING_SECONDS, progress=progress
        ),
        _("Comparing it with random maps"),
    )


def randomised(key: Key, case: Case, raw: Any, real: Explanation) -> Sanity:
    """The same method's map of a network with random weights."""
    explainer, target, knobs = get_explainer(key[2]), key[3], dict(key[4])
    return watched(
        MAPS,
        ("random", *key),
        lambda progress: weight_randomisation(
            case, raw, explainer, target, progress=progress, real=real, **knobs
        ),
        _("Computing the map of random weights"),
    )


def explain_panel(case: Case, picked: Picked) -> Explanation:
    """Choose a method and a class; see the map, the verdict and the curves; returns the map."""
    case = case.about(picked.raw)
    methods = {explainer.name: explainer for explainer in explainers_for(case)}
    controls = st.columns([5, 6, 2], gap="large", vertical_alignment="bottom")
    with controls[0]:
        method = choose_method(case, methods)
    with controls[1]:
        target = choose_target(case, picked)
    case = case.asking(target)
    with controls[2]:
        knobs = draw_knobs(method.knobs, prefix=f"{method.name}_")
    paper = _("Paper")  # outside the f-string, where the catalogue's extraction would miss it
    note(f"{_(method.about)} [{paper}]({method.paper}){record_text(case, method)}")
    key = (case.card.id, picked.digest, method.name, target, tuple(sorted(knobs.items())))
    left, right = st.columns([4, 8], gap="large")
    with left:
        with st.skeleton(height=320):
            explanation = explained(key, case, picked.raw)
        draw_map(case, picked, explanation)
        note(summary(explanation))
    with right:
        with st.skeleton(height=320):
            quality = measured(key, case, picked.raw, explanation)
        draw_quality(quality)
    sanity_check(key, case, picked, explanation)
    return explanation


def record_text(case: Case, method: Explainer) -> str:
    """How often the method's maps were found true, as the card has it."""
    record = track_record(case.card, method)
    if record is None:
        return ""
    found = _("Its maps were clearly better than chance on {better} of {n} inputs (see Trust).")
    return " · " + found.format(better=record.better, n=record.inputs)


def choose_method(case: Case, methods: dict[str, Explainer]) -> Explainer:
    """The methods as pills; at first the one that the card can vouch for."""
    current = valid("method", list(methods), first_choice(case.card, methods.values()).name)
    name = st.pills(
        _("Method"),
        list(methods),
        format_func=lambda m: _(methods[m].title),
        key="method",
        required=True,
        wrap=True,
        persist_state="page",
        on_change=lambda: share("method", st.session_state.get("method")),
    )
    return methods[name or current]


def choose_target(case: Case, picked: Picked) -> int:
    """The prediction and its runners-up as pills; any class where there are many."""
    likely = case.targets(picked.raw)
    # The choice belongs to one input: a new input starts at its own prediction.
    if st.session_state.get("target_of") != picked.digest:
        st.session_state["target_of"] = picked.digest
        st.session_state["target"] = likely[0]
        st.session_state["any_target"] = None
    lang = language()

    def name(index: int) -> str:
        return case.target_name(index, lang)

    if len(case.labels) <= 12:
        likely = likely + [i for i in range(len(case.labels)) if i not in likely]
    if st.session_state.get("target") not in likely:
        st.session_state["target"] = likely[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.pills(
            _("Explain the answer"),
            likely,
            format_func=name,
            key="target",
            required=True,
            wrap=True,
            persist_state="page",
        )
        if len(case.labels) > 12:
            other = st.selectbox(
                _("or any other"),
                list(range(len(case.labels))),
                format_func=name,
                index=None,
                key="any_target",
                placeholder=_("Type to search"),
                persist_state="page",
            )
            target = other if other is not None else target
    return int(likely[0] if target is None else target)


def draw_map(case: Case, picked: Picked, explanation: Explanation) -> None:
    """The map in the form that fits the input."""
    colors = palette()
    if case.kind == "image":
        st.image(
            map_on_picture(case, picked, explanation),
            width="stretch",
            alt=_("The picture in grey with colour where the network looked"),
        )
        words = (
            (_("against"), _("in favour"))
            if explanation.signed
            else (_("no influence"), _("most influence"))
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            note(words[0], width="content")
            st.image(legend_strip(explanation.signed, colors), width=160, alt="")
            note(words[1], width="content")
        return
    if case.kind == "audio":
        from dlportal.ui.sound_map import draw_sound_map
        from dlportal.ui.spectrogram import draw_cell_map

        (draw_cell_map if case.grid else draw_sound_map)(case, picked, explanation)
        return
    if case.kind == "molecule":
        from dlportal.ui.molecule_picture import show_attribution

        show_attribution(picked.raw, explanation)
    if case.kind == "text":
        st.markdown(coloured_text(explanation))
        note(_("Orange and bold: in favour. Blue and italic: against."))
    names = part_names(case, explanation)
    fig = signed_bars(names, explanation.values.tolist(), _("influence"))
    show_chart(fig, alt=_("How much each part counted"), key="influence")


def map_on_picture(case: Case, picked: Picked, explanation: Explanation) -> Image.Image:
    """The map over what the network saw, with the box that it is about where there is one."""
    seen: Image.Image = getattr(case, "seen", lambda raw: raw)(picked.raw)
    drawn = overlay(seen, explanation.values, explanation.signed, palette())
    if isinstance(case, HasBoxes):
        return outlined(drawn, case.outline(explanation.target))
    return drawn


def part_names(case: Case, explanation: Explanation) -> list[str]:
    """Names of the parts, numbered where a word repeats, so that bars stay apart.

    Columns have names in both languages; the words of a text stay as they were written.
    """
    seen: dict[str, int] = {}
    names = []
    for part in explanation.parts:
        seen[part] = seen.get(part, 0) + 1
        name = part if case.kind == "text" else _(part)
        names.append(name if seen[part] == 1 else f"{name} ({seen[part]})")
    return names


def escape(word: str) -> str:
    """Keep Markdown from reading a visitor's characters as marks."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~$<>:&" else c for c in word)


def coloured_text(explanation: Explanation) -> str:
    """The words, the influential ones on a coloured ground."""
    limit = float(np.abs(explanation.values).max()) or 1.0
    out = []
    for word, value in zip(explanation.parts, explanation.values):
        strength = value / limit
        if strength > 0.2:
            out.append(f":orange-background[**{escape(word)}**]")
        elif strength < -0.2:
            out.append(f":blue-background[*{escape(word)}*]")
        else:
            out.append(escape(word))
    return " ".join(out)


def summary(explanation: Explanation) -> str:
    """What the map cost and, for methods that promise it, whether it adds up."""
    text = _("{n} passes, {time}").format(
        n=f"{explanation.evaluations:,}", time=duration(explanation.seconds)
    )
    if explanation.residual is not None and explanation.total:
        share_of = abs(explanation.residual / explanation.total)
        text += " · " + _("adds up to the score within {percent}").format(
            percent=f"{100 * share_of:.1f}%"
        )
    return text


def sanity_check(key: Key, case: Case, picked: Picked, explanation: Explanation) -> None:
    """Randomise the weights: a map that stays the same says nothing about the network."""
    if not any(True for _parameter in case.net.parameters()):
        note(_("This network's weights are compiled outside torch, so they cannot be randomised."))
        return
    st.space("small")
    clicked = st.button(
        _("Randomise the weights"),
        key="randomise",
        icon=":material/casino:",
        help=_(
            "The same method on a network with random weights. If the map stays alike, it shows the picture, not the network."
        ),
    )
    if clicked:
        st.session_state["randomised_for"] = key
    if st.session_state.get("randomised_for") != key:
        return
    with st.skeleton(height=200):
        sanity = randomised(key, case, picked.raw, explanation)
    left, right = st.columns([4, 8], gap="large")
    with left:
        if case.kind == "image":
            st.image(
                map_on_picture(case, picked, sanity.explanation),
                width="stretch",
                alt=_("The same method with random weights"),
            )
        elif case.grid:
            from dlportal.ui.spectrogram import draw_cell_map

            draw_cell_map(case, picked, sanity.explanation)
        else:
            fig = signed_bars(
                part_names(case, explanation), sanity.explanation.values.tolist(), _("influence")
            )
            show_chart(fig, alt=_("The same method with random weights"), key="random_influence")
    with right:
        st.metric(
            _("Similarity to the real map"),
            f"{sanity.similarity:+.2f}",
            help=_("Rank correlation: 1 the same order, 0 unrelated."),
        )
        if abs(sanity.similarity) < 0.5:
            st.badge(
                _("the map depends on the weights"), color="green", icon=":material/check_circle:"
            )
        else:
            st.badge(
                _("the map hardly depends on the weights"), color="red", icon=":material/cancel:"
            )
