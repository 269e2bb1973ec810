"""Explanations: one method a file, `faithfulness.py` measures them, `EXPLAINERS` lists them."""
