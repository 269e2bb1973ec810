"""The drug page's own parts: which molecule, what is foreseen, how far that reaches."""

import math
from typing import Any

import streamlit as st

from dlportal.cases.drug_discovery import SETS, DrugDiscovery, Estimate, Prediction
from dlportal.kinds.rule_of_five import LIMITS
from dlportal.messages import N_, UserError
from dlportal.ui.charts import show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.inputs import Picked, choose_example, choose_source, digest
from dlportal.ui.language import _, language
from dlportal.ui.molecule_picture import show_molecule
from dlportal.ui.sketcher import sketch
from dlportal.ui.theme import palette
from dlportal.ui.views import scope
from dlportal.ui.words import duration, note

RULE_NAMES = {
    "weight": N_("Weight, g/mol"),
    "logp": N_("Computed log P"),
    "donors": N_("Hydrogens on N and O"),
    "acceptors": N_("N and O atoms"),
}
FIRST_OWN = "CC(=O)Nc1ccc(O)cc1"


def choose_molecule(case: DrugDiscovery) -> Picked | None:
    """A known drug, a SMILES that is typed, or a drawing; None while there is no molecule."""
    source = choose_source(["examples", "text", "sketch"])
    try:
        if source == "examples":
            example = choose_example(case)
            picked = Picked(example.load(), example.id, digest(example.load()))
        else:
            smiles = type_smiles(case) if source == "text" else sketch()
            if not smiles:
                return None
            case.check(smiles)
            picked = Picked(smiles, None, digest(smiles))
    except UserError as error:
        show_user_error(error)
        return None
    show_molecule(picked.raw, _("The molecule's structure"))
    if source != "text":
        st.code(picked.raw, language=None, wrap_lines=True)
    return picked


def type_smiles(case: DrugDiscovery) -> str:
    st.session_state.setdefault("smiles", FIRST_OWN)
    text = st.text_input(
        _("SMILES"),
        key="smiles",
        max_chars=case.card.limits.characters,
        persist_state="page",
        help=_(
            "A molecule as a line of letters: C for carbon, = for a double bond, numbers for rings."
        ),
    )
    return str(text).strip()


def number(estimate: Estimate) -> str:
    """The answer, short."""
    if estimate.unit:
        return f"{estimate.value:+.2f}".replace("-", "−").removeprefix("+")
    return f"{100 * estimate.value:.0f}%"


def ends(estimate: Estimate) -> str:
    """What the ensemble leaves open, short."""
    if estimate.unit:
        return f"{estimate.low:.1f} … {estimate.high:.1f}".replace("-", "−")
    return f"{100 * estimate.low:.0f}–{100 * estimate.high:.0f}%"


def usual(estimate: Estimate) -> str:
    if estimate.unit:
        return f"{estimate.usual:.2f}".replace("-", "−")
    return f"{100 * estimate.usual:.0f}%"


def show_prediction(case: DrugDiscovery, answer: Any) -> None:
    """Five tiles, what is outside, the assays one by one."""
    result: Prediction = answer.result
    with st.grid(3, min_column_width=150):
        for name in SETS:
            tile(result, name)
        with st.container():
            st.metric(_("Formula"), result.formula)
            note(_("Computed in {time}.").format(time=duration(answer.seconds)))
    strange = [SETS[name](language()) for name, inside in result.inside.items() if not inside]
    scope(not strange, case.card)
    if strange:
        note(
            _(
                "Outside for: {names}. Share of its parts that the training molecules have: {shares}."
            ).format(
                names=_(", ").join(strange),
                shares=_(", ").join(
                    f"{SETS[n](language())} {100 * share:.0f}%"
                    for n, share in result.familiar.items()
                    if not result.inside[n]
                ),
            )
        )
    show_assays(result)


def tile(result: Prediction, name: str) -> None:
    """One property: the answer, its interval, what is usual."""
    estimates = result.of(name)
    best = max(estimates, key=lambda e: e.value)
    lang = language()
    mark = "" if result.inside[name] else ":material/explore_off: "
    with st.container():
        st.metric(mark + SETS[name](lang), number(best), help=_(HELP[name]))
        words = _("{interval} · usual {usual}").format(interval=ends(best), usual=usual(best))
        if best.unit:
            words = f"{best.unit} · {words}"
        if len(estimates) > 1:
            words = best.label(lang) + " · " + words
        if name == "esol":
            words += " · " + in_water(best.value, result.rule.weight)
        note(words)


HELP = {
    "esol": N_(
        "Logarithm of what dissolves in a litre of water. The interval held nine of ten validation molecules."
    ),
    "lipophilicity": N_(
        "Logarithm of how much more dissolves in octanol than in water at pH 7.4. The interval held nine of ten validation molecules."
    ),
    "bbbp": N_(
        "Probability that it gets from the blood into the brain. Its calibration did not carry over to new scaffolds: read it as an order. The range is the ensemble's disagreement."
    ),
    "bace": N_(
        "Calibrated probability that it blocks the enzyme BACE-1, a target in Alzheimer's disease. The range is the ensemble's disagreement."
    ),
    "tox21": N_(
        "The likeliest of twelve laboratory assays in which a poisonous substance shows. All twelve stand below."
    ),
}


def in_water(log_molar: float, weight: float) -> str:
    """Solubility in grams, as a pharmacist would say it."""
    grams = 10.0 ** min(3.0, log_molar) * weight
    if grams >= 1:
        return _("about {n} g in a litre").format(n=f"{grams:,.0f}")
    if grams >= 1e-3:
        return _("about {n} mg in a litre").format(n=f"{1e3 * grams:.2g}")
    return _("about {n} µg in a litre").format(n=f"{1e6 * grams:.2g}")


def show_assays(result: Prediction) -> None:
    """The twelve assays: probability, disagreement, and how often an assay was active at all."""
    import plotly.graph_objects as go

    colors = palette()
    rows = sorted(result.of("tox21"), key=lambda e: e.value)
    names = [e.label(language()) for e in rows]
    values = [100 * e.value for e in rows]
    st.markdown("**" + _("Twelve toxicity assays") + "**")
    fig = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            width=0.55,
            marker={"color": [colors.rest] * (len(rows) - 1) + [colors.accent]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (e.high - e.value) for e in rows],
                "arrayminus": [100 * (e.value - e.low) for e in rows],
                "color": colors.text,
                "thickness": 1.5,
                "width": 3,
            },
            name=_("this molecule"),
            hovertemplate="%{y}: %{x:.0f}%<extra></extra>",
        )
    )
    fig.add_trace(
        go.Scatter(
            x=[100 * e.usual for e in rows],
            y=names,
            mode="markers",
            marker={
                "symbol": "line-ns-open",
                "size": 13,
                "color": colors.second,
                "line": {"width": 3},
            },
            name=_("usual"),
            hovertemplate="%{y}: %{x:.0f}%<extra></extra>",
        )
    )
    style(fig, height=27 * len(rows) + 60)
    top = max([30.0, *(100 * e.high for e in rows)])
    fig.update_xaxes(
        title_text=_("probability of being active, %"), range=[0, min(100, 1.05 * top)]
    )
    fig.update_yaxes(showgrid=False, dtick=1)
    text = _(", ").join(f"{n} {v:.0f}%" for n, v in zip(names[::-1], values[::-1], strict=True))
    show_chart(fig, alt=text, key="assays")
    note(
        _(
            "Whisker: the ensemble's disagreement. Upright tick: how often the assay was active among the training molecules."
        )
    )


def show_rule(result: Prediction) -> None:
    """Lipinski's rule of five beside the networks."""
    st.header(_("And the rule of five?"), anchor=False)
    rule = result.rule
    heads = _("Count"), _("Here"), _("At most")
    rows = [f"| {' | '.join(heads)} | |", "|---|---:|---:|---|"]
    for name, limit in LIMITS.items():
        value = getattr(rule, name)
        shown = f"{value:.0f}" if name in ("weight", "donors", "acceptors") else f"{value:.1f}"
        broken = name in rule.broken
        mark = ":material/close: " + _("over") if broken else ":material/check: " + _("kept")
        rows.append(f"| {_(RULE_NAMES[name])} | {shown} | {limit:g} | {mark} |")
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown("\n".join(rows))
    with right:
        n = len(rule.broken)
        if n == 0:
            st.markdown(_("All four limits are kept."))
        elif n == 1:
            st.markdown(_("One limit is exceeded; the rule forgives one."))
        else:
            st.markdown(
                _("{n} limits are exceeded: such a molecule is seldom swallowed as a pill.").format(
                    n=n
                )
            )
        note(
            _(
                "Lipinski drew it in 1997 from drugs taken by mouth, without any learning. Antibiotics and other natural products break it and work; nothing here decides about a compound."
            )
        )


def measured_value(name: str, y: tuple[float, ...]) -> str:
    """What was measured of a training molecule, in words."""
    if name == "tox21":
        known = [v for v in y if math.isfinite(v)]
        return _("active in {n} of {known} assays").format(n=int(sum(known)), known=len(known))
    if name in ("bbbp", "bace"):
        return _("measured: yes") if y[0] == 1 else _("measured: no")
    return _("measured: {value}").format(value=f"{y[0]:.2f}".replace("-", "−"))


def show_neighbours(picked: Picked) -> None:
    """The most similar training molecules and what was measured of them."""
    from dlportal.cases import molecule_neighbours
    from dlportal.serving import compute

    st.header(_("What did similar molecules measure?"), anchor=False)
    if not molecule_neighbours.here():
        note(
            _(
                "The training molecules are not on this machine and not part of the portal, so none can be shown. Set DLPORTAL_DATA_DIR to see them."
            )
        )
        return
    lang = language()
    name = st.pills(
        _("Measured in"),
        list(SETS),
        default="esol",
        format_func=lambda n: SETS[n](lang),
        key="neighbours_of",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="page",
    )
    try:
        found = compute(lambda: molecule_neighbours.nearest(picked.raw, str(name)))
    except UserError as error:
        show_user_error(error)
        return
    with st.grid(4, min_column_width=150):
        for neighbour in found:
            with st.container():
                show_molecule(neighbour.smiles, neighbour.smiles, size=(240, 170))
                note(
                    _("similarity {percent}").format(percent=f"{100 * neighbour.similarity:.0f}%")
                    + " · "
                    + measured_value(str(name), neighbour.y)
                )
    note(
        _(
            "Similarity: shared surroundings of atoms (Tanimoto of Morgan fingerprints). From the training molecules of MoleculeNet, which lie on this machine; 100% can be another mirror image."
        )
    )
