"""DL Portal's server: `streamlit run app.py`. It prepares itself before the first visitor comes."""

import streamlit as st

from dlportal.ui.ready import ready

app = st.App("portal.py", lifespan=ready)
