"""A small network learns noisy examples by heart; six remedies stand beside it."""

from dlportal.ui import page

lab = page.open_lab("regularization_lab")

# After the title is drawn: this brings torch.
from dlportal.ui.regularization import lab_and_panels

lab_and_panels(lab)
