"""Whose turn it is: lanes are claimed from first as often as their weights say."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from forge_jobs.runtime.claiming.lane import Lane


def take_turns(served: AbstractSet[Lane], lanes: Sequence[Lane]) -> None:
    """Some of these lanes were served; the others that have work come nearer to their turn.

    Those that have none do not, else each job would wait for looks at them, all in vain; and one
    that had none for long would go first for as long again. Whoever kept nobody waiting owes
    nothing, and nobody owes, or is owed, more than one round of all: some can't be served, as long
    as their own limit keeps them from it.
    """
    among = [lane for lane in lanes if lane.may_hold_work or lane in served]
    if len(among) == len(served):
        for lane in served:
            lane.credit = max(lane.credit, 0)
        return
    together = sum(lane.weight for lane in among)
    for lane in among:
        gained = lane.weight * len(served) - (together if lane in served else 0)
        lane.credit = max(-together, min(lane.credit + gained, together))
