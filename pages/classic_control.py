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
    agents.show_rewards(player, episode, chance)
    step = agents.settle_moment(player, episode)
with right:
    agents.show_episode(player, episode, chance, step)
left, right = page.columns()
with left:
    picked = agents.pick_moment(player, episode)
with right:
    page.show(player.case, page.run(player.case, picked))
page.panels(
    player.case,
    picked,
    extra={
        "explain": agents.masking_check(player, episode),
        "train": agents.training_note(player),
    },
    replaced={"code": agents.episode_code(player, episode, step)},
)
