"""DL Portal's server: `streamlit run app.py`. It prepares itself before the first visitor comes."""

import streamlit as st
from starlette.middleware import Middleware

from dlportal.ui.preload import Preload
from dlportal.ui.ready import ready

app = st.App("portal.py", lifespan=ready, middleware=[Middleware(Preload)])
