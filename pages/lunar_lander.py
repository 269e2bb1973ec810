"""Watch an agent land, replay its worst landings, fly yourself, and ask why it acts."""

from dlportal.ui import page

case = page.open_case("lunar_lander")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import agent_learning, agent_maps, agents, flight, lander

left, right = page.columns()
with left:
    player = agents.choose_player(case)
    start, hidden = agents.choose_start(player)
    lander.worst_landings(player)
    episode, other = agents.play(player, start, hidden)
    agents.show_rewards(player, episode, other)
    step = agents.settle_moment(player, episode)
with right:
    agents.show_episode(player, episode, other, step)
left, right = page.columns()
with left:
    picked = agents.pick_moment(player, episode)
with right:
    page.show(player.case, page.run(player.case, picked))
flight.fly(player, start)
agent_maps.policy_maps(player, episode, step)
page.panels(
    player.case,
    picked,
    extra={"explain": agents.masking_check(player, episode)},
    replaced={
        "train": agent_learning.train_and_compare(player),
        "code": agents.episode_code(player, episode, step),
    },
)
