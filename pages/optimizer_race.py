"""Five optimizers leave from the same point, with the same noise."""

from dlportal.messages import N_
from dlportal.ui import page

lab = page.open_lab("optimizer_race")

# After the title is drawn: these bring torch and plotly.
from dlportal.ui.race import knobs_and_picture
from dlportal.ui.race_panels import panels_of

settings = knobs_and_picture(lab)
page.panels(
    lab,
    None,
    replaced=panels_of(lab, settings),
    titles={"explain": N_("Why so different?"), "trust": N_("The optimizer, or its rate?")},
)
