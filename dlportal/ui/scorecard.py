"""The scorecard: all measured numbers in one table, and as a CSV."""

import base64
import csv
import io
from functools import cache
from typing import Any

import streamlit as st

from dlportal.cards import DOMAINS, PERCENT, Card, Metric, all_cards, show_interval, show_value
from dlportal.ui.language import _, language
from dlportal.ui.model_names import model_name
from dlportal.ui.router import DOMAIN_ICONS, DOMAIN_NAMES
from dlportal.ui.state import share
from dlportal.ui.words import PROVENANCE, metric_name


def scorecard() -> None:
    """Title, domain pills, CSV, table."""
    st.title(_("Scorecard"), anchor=False)
    st.markdown(
        _(
            "Every metric of every case, beside a naive baseline and published results, with the command that measures it again."
        )
    )
    cards = list(all_cards().values())
    domains = [d for d in DOMAINS if any(card.domain == d for card in cards)]
    if st.session_state.get("domain") not in domains:
        st.session_state["domain"] = None
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        domain = st.pills(
            _("Domain"),
            domains,
            format_func=lambda d: f"{DOMAIN_ICONS[d]} {_(DOMAIN_NAMES[d])}",
            key="domain",
            label_visibility="collapsed",
            wrap=True,
            on_change=lambda: share("domain", st.session_state.get("domain")),
        )
        st.download_button(
            _("Download CSV"),
            to_csv(cards),
            file_name="dlportal-scorecard.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="csv",
        )
    rows = [
        row(card, metric)
        for card in cards
        if domain is None or card.domain == domain
        for metric in card.measured.metrics
    ]
    names = columns()
    st.dataframe(
        [{names[key]: value for key, value in r.items()} for r in rows],
        hide_index=True,
        row_height=44,
        height=min(900, 40 + 44 * max(1, len(rows))),
        column_config={
            names["picture"]: st.column_config.ImageColumn("", width=70),
            names["share"]: st.column_config.ProgressColumn(
                _("Value, 0–1"), min_value=0, max_value=1, format=" ", width=90
            ),
            # Two figures with their models' names, which Streamlit's own widths would cut.
            names["baseline"]: st.column_config.TextColumn(_("Baseline"), width=380),
            names["published"]: st.column_config.TextColumn(_("Published"), width=380),
            names["n"]: st.column_config.NumberColumn(format="localized"),
            names["command"]: st.column_config.TextColumn(_("Command"), width="large"),
        },
        alt=_("Every metric of every case"),
    )


def columns() -> dict[str, str]:
    return {
        "picture": " ",
        "case": _("Case"),
        "metric": _("Metric"),
        "data": _("Data"),
        "model": _("Model"),
        "value": _("Value"),
        "share": _("Value, 0–1"),
        "interval": _("95% interval"),
        "baseline": _("Baseline"),
        "published": _("Published"),
        "n": "n",
        "provenance": _("Provenance"),
        "command": _("Command"),
    }


def beside(metric: Metric, others: list[Metric]) -> str:
    """The best comparable figure among others: same metric and data."""
    same = [other for other in others if other.key == metric.key]
    return " · ".join(
        f"{show_value(other)} {model_name(other.model)}".strip() for other in same[:2]
    )


def row(card: Card, metric: Metric) -> dict[str, Any]:
    bounded = metric.name in PERCENT or metric.name in (
        "auc",
        "macro_f1",
        "f1",
        "average_precision",
    )
    return {
        "picture": picture(card.id),
        "case": card.title(language()),
        "metric": metric_name(metric.name),
        "data": metric.data,
        "model": model_name(metric.model or card.model),
        "value": show_value(metric),
        "share": metric.value if bounded else None,
        "interval": show_interval(metric),
        "baseline": beside(metric, card.measured.baselines),
        "published": beside(metric, card.published),
        "n": metric.n,
        "provenance": _(PROVENANCE[card.provenance][0]),
        "command": metric.command,
    }


@cache
def picture(case_id: str) -> str | None:
    """The thumbnail as a data address, small enough for a table row."""
    from PIL import Image

    path = all_cards()[case_id].thumbnail
    if not path.exists():
        return None
    small = Image.open(path).convert("RGB").resize((96, 60))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def to_csv(cards: list[Card]) -> str:
    """All figures, measured, baseline and published, one a line, in English."""
    out = io.StringIO()
    writer = csv.writer(out)
    fields = list(Metric.model_fields)
    writer.writerow(["case", "kind", *fields])
    for card in cards:
        for kind, metrics in (
            ("measured", card.measured.metrics),
            ("baseline", card.measured.baselines),
            ("published", card.published),
        ):
            for metric in metrics:
                writer.writerow([card.id, kind, *(getattr(metric, f) for f in fields)])
    return out.getvalue()
