"""A small network learns one example at a time; every number of a step can be seen."""

from dlportal.ui import page

lab = page.open_lab("backprop_lab")

# After the title is drawn: these bring torch and plotly.
from dlportal.ui.backprop import lab_and_panels

lab_and_panels(lab)
