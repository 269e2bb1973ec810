"""Everything a visitor sees; the only package that imports Streamlit."""
