"""Colours of charts and maps, in step with `.streamlit/config.toml`."""

from dataclasses import dataclass

import streamlit as st

# A series is told apart by these too, not by its colour alone.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star")


@dataclass(frozen=True)
class Palette:
    dark: bool
    accent: str
    text: str
    muted: str
    rest: str  # bars that are not the answer
    grid: str
    ground: str
    band: str
    second: str
    series: tuple[str, ...]
    surface: tuple[str, str]  # neutral contour ground, low to high
    signed: tuple[str, ...]  # against ... in favour


# One map for both themes: it lies on a grey photograph.
UNSIGNED = ("#2A1147", "#64197A", "#A3327A", "#DB5367", "#F98A56", "#FCC468", "#FCF6B8")

LIGHT = Palette(
    dark=False,
    accent="#0B6F66",
    text="#1C2526",
    muted="#5A6361",
    rest="#8C8779",
    grid="#E7E3D9",
    ground="#FBFAF6",
    band="rgba(140,135,121,0.28)",
    second="#C9580F",
    series=("#0B6F66", "#C9580F", "#26329A", "#3A96D8", "#4A1238", "#8C8779"),
    surface=("#FBFAF6", "#D2CCBC"),
    signed=("#12358F", "#3E6AC0", "#8FAEDF", "#EDEBE4", "#EBB678", "#CF7416", "#8F4307"),
)
DARK = Palette(
    dark=True,
    accent="#52C7B4",
    text="#E6E9E4",
    muted="#A9B4B1",
    rest="#5F7073",
    grid="#2A3639",
    ground="#12191B",
    band="rgba(169,180,177,0.22)",
    second="#E08A3C",
    series=("#52C7B4", "#E08A3C", "#FF9AE0", "#3F8FC4", "#F2F4EE", "#D8CF8E"),
    surface=("#12191B", "#3A484B"),
    signed=("#B9D0FF", "#6F9AEC", "#3A5AA6", "#2A3133", "#945A1E", "#E2903F", "#FFD3A0"),
)


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def palette() -> Palette:
    return DARK if is_dark() else LIGHT
