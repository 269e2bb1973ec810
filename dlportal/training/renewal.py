"""A full training of one part: new agents for one world beside the shipped ones of the others."""

from collections.abc import Sequence

from dlportal.cards import Card
from dlportal.kinds.agent_case import TRAINING_SEEDS, Agents
from dlportal.kinds.world import World
from dlportal.training.events import Run
from dlportal.training.store import load_weights


def renew(card: Card, worlds: Sequence[World], fresh: Agents, run: Run) -> Agents:
    """Shipped agents with those of some worlds replaced.

    Args:
        card: The case's; its receipt tells how the other agents came to be.
        worlds: All of the case's, the main one first.
        fresh: New agents, as many a world as are shipped.
        run: Its `facts` are joined with those of the worlds that stay; `kept` names for each of
            these the training that made its agents: `command`, `trained_at` and `seconds`.
    """
    agents = Agents(worlds, TRAINING_SEEDS)
    load_weights(agents, card.weights)
    for place, world in enumerate(fresh.worlds.values()):
        agents.policies[world.id] = fresh.policies[world.id]
        agents.best[worlds.index(world)] = fresh.best[place]
    receipt = card.receipt() or {}
    facts = receipt.get("facts", {})
    stay = [world.id for world in worlds if world not in fresh.worlds.values()]
    for name in ("validation_rewards", "learning", "best"):
        run.facts[name] |= {world: facts[name][world] for world in stay if world in facts[name]}
    whole = {key: receipt[key] for key in ("command", "trained_at", "seconds")}
    run.facts["kept"] = {world: facts.get("kept", {}).get(world, whole) for world in stay}
    return agents.eval()
