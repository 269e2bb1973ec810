"""Charts of a translation: where the network looked, and the tree of its beam search."""

from typing import Any

from dlportal.cases.translation_result import Branch, Translation
from dlportal.ui.charts import style
from dlportal.ui.language import _
from dlportal.ui.theme import palette

UNDER, OVER = 0.6, 0.1  # of a step: where lines leave room for the words
LONGEST = 10  # letters of a part
BESIDE = 2  # dropped parts that are drawn at each step, the likeliest
UNIQUE = "\u200b"  # makes equal words different categories of an axis


def unique(words: tuple[str, ...]) -> list[str]:
    return [f"{word}{UNIQUE * place}" for place, word in enumerate(words)]


def alignment_chart(result: Translation) -> Any:
    """Written words down, source words across; the darker, the longer it looked."""
    import plotly.graph_objects as go

    colors = palette()
    fig = go.Figure(
        go.Heatmap(
            z=result.alignment.tolist(),
            x=unique(result.source),
            y=unique(result.words),
            zmin=0,
            zmax=1,
            colorscale=[[0, colors.surface[0]], [1, colors.accent]],
            showscale=False,
            hovertemplate=_("%{y} looked at %{x}: %{z:.0%}") + "<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    style(fig, height=24 * len(result.words) + 130)
    fig.update_yaxes(
        autorange="reversed",
        type="category",
        showgrid=False,
        nticks=len(result.words),
        title_text=_("written"),
    )
    fig.update_xaxes(
        type="category",
        side="top",
        nticks=len(result.source),
        tickangle=-45,
        title_text=_("read"),
    )
    return fig


def placed(branches: tuple[Branch, ...]) -> dict[int, tuple[int, int]]:
    """Column and row of the parts that are drawn, by their place in the list.

    Columns of a step go from the likeliest beginning to the least likely.
    """
    found = {}
    for depth in range(max(branch.depth for branch in branches) + 1):
        rows = [i for i, branch in enumerate(branches) if branch.depth == depth]
        kept = [i for i in rows if branches[i].kept or branches[i].best]
        dropped = [i for i in rows if i not in set(kept)]
        dropped.sort(key=lambda i: -branches[i].total)
        drawn = sorted(kept + dropped[:BESIDE], key=lambda i: -branches[i].total)
        for column, i in enumerate(drawn):
            found[i] = column, depth
    return found


def tree_chart(result: Translation, first: int, size: int) -> Any:
    """Steps `first` to `first + size` of the search, downwards."""
    import plotly.graph_objects as go

    colors = palette()
    branches = result.branches
    where = {i: p for i, p in placed(branches).items() if first <= p[1] < first + size}
    fig = go.Figure()
    for best in (False, True):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for i, (column, depth) in where.items():
            parent = branches[i].parent
            if parent in where and branches[i].best == best:
                xs += [where[parent][0], column, None]
                ys += [where[parent][1] + 1 + UNDER, depth + 1 - OVER, None]
        color = colors.accent if best else colors.rest
        fig.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": color, "width": 3 if best else 1},
            hoverinfo="skip",
        )
    for kept in (True, False):
        rows = [i for i in where if (branches[i].kept or branches[i].best) == kept]
        fig.add_scatter(
            x=[where[i][0] for i in rows],
            y=[where[i][1] + 1 for i in rows],
            mode="markers+text",
            marker={
                "size": 9,
                "symbol": "circle" if kept else "circle-open",
                "color": [colors.accent if branches[i].best else colors.muted for i in rows],
            },
            text=[label(branches[i]) for i in rows],
            textposition="bottom center",
            textfont={"size": 11, "color": colors.text if kept else colors.muted},
            customdata=[[branches[i].probability, branches[i].total] for i in rows],
            hovertemplate="%{text}<br>"
            + _("probability %{customdata[0]:.1%}, sum of logs %{customdata[1]:.2f}")
            + "<extra></extra>",
        )
    deepest = max((p[1] for p in where.values()), default=first)
    widest = max((p[0] for p in where.values()), default=0)
    style(fig, height=68 * (deepest - first + 1) + 60)
    fig.update_xaxes(visible=False, range=[-0.6, max(widest, 4) + 0.6])
    fig.update_yaxes(
        range=[deepest + 1.7, first + 0.6],
        dtick=1,
        tick0=1,
        nticks=0,
        tickmode="linear",
        showgrid=False,
        title_text=_("step"),
    )
    return fig


def label(branch: Branch) -> str:
    text = branch.text.replace("▁", "␣")
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f"{text}<br>{100 * branch.probability:.0f}%"
