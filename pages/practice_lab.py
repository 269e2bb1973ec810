"""Good practice as one experiment: data, augmentation, network, training, evaluation."""

from dlportal.ui import page

lab = page.open_lab("practice_lab")

# After the title is drawn: these bring torch and plotly.
from dlportal.ui.practice import lab_and_panels

lab_and_panels(lab)
