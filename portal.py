"""DL Portal's router: runs for every visitor, and draws the frame of every page; imports no torch."""

import streamlit as st

from dlportal.ui.frame import frame
from dlportal.ui.router import sections

page = st.navigation(sections(), position="top")
frame(page)
