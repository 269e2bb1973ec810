"""Watch an agent play beside a random one, hide inputs from it, and ask why it acts."""

from dlportal.ui import page

case = page.open_case("classic_control")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import agents

left, right = page.columns()
with left:
    player = agents.choose_player(case)
    start, hidden = agents.choose_start(player)
    episode, chance = agents.play(player, start, hidden)
    step, picked = agents.pick_moment(player, episode)
    page.show(player.case, page.run(player.case, picked))
with right:
    agents.show_episode(player, episode, chance, step)
page.panels(
    player.case,
    picked,
    extra={"explain": agents.masking_check(player, episode)},
    replaced={"code": agents.episode_code(player, episode, step)},
)
