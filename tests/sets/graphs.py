"""Random graphs of jobs and batches, and how they must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from forge_jobs import JobHandler, open_batch
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Batch, BatchState, Job, Needs, Predecessor, State

OPTIONS = {Needs.SUCCESS: "after", Needs.END: "after_end", Needs.FAILURE: "after_failure"}


@dataclass
class Node:
    """A job; each of `needs` is the place of a node before it, or a batch's name."""

    fails: bool
    needs: list[tuple[int | str, Needs]]
    batch: str | None
    job: Job | None = None


@dataclass
class Graph:
    nodes: list[Node]
    parents: dict[str, str | None]
    batches: dict[str, Batch] = field(default_factory=dict)

    @classmethod
    def random(cls, chance: Random, *, size: int) -> Graph:
        names = [f"b{number}" for number in range(chance.randint(0, 3))]
        parents = {name: chance.choice([None, *names[:place]]) for place, name in enumerate(names)}
        nodes = []
        for place in range(size):
            before: list[int | str] = [*range(place), *names]
            needs = [
                (one, chance.choices(list(OPTIONS), weights=[8, 3, 1])[0])
                for one in chance.sample(
                    before, min(len(before), chance.choice([0, 0, 1, 1, 2, 4]))
                )
            ]
            nodes.append(Node(chance.random() < 0.1, needs, chance.choice([None, None, *names])))
        return cls(nodes, parents)

    def enqueue(self, handler: JobHandler, chance: Random) -> None:
        """Store it; what would close a circle is left out."""
        for name, parent in self.parents.items():
            self.batches[name] = open_batch(name, within=self.batches[parent] if parent else None)
        for place, node in enumerate(self.nodes):
            try:
                self._enqueue(handler, node, place)
            except InvalidOption:
                node.needs = []
                self._enqueue(handler, node, place)
        for batch in chance.sample(list(self.batches.values()), len(self.batches)):
            batch.seal()

    def _enqueue(self, handler: JobHandler, node: Node, place: int) -> None:
        options: dict[str, Any] = {option: [] for option in OPTIONS.values()}
        for one, needs in node.needs:
            options[OPTIONS[needs]].append(
                self.nodes[one].job if isinstance(one, int) else self.batches[one]
            )
        batch = self.batches[node.batch] if node.batch else None
        node.job = handler.using(batch=batch, **options).enqueue(number=place, fails=node.fails)

    def expected(self) -> tuple[list[str], dict[str, str]]:
        """The states that the jobs and the batches must come to."""

        @cache
        def of_node(place: int) -> str:
            node = self.nodes[place]
            if not all(fits(one, needs) for one, needs in node.needs):
                return State.CANCELLED
            return State.DEAD if node.fails else State.SUCCEEDED

        @cache
        def of_batch(name: str) -> str:
            members = [place for place, node in enumerate(self.nodes) if node.batch == name]
            parts = [part for part, parent in self.parents.items() if parent == name]
            is_well = all(of_node(place) == State.SUCCEEDED for place in members)
            is_well &= all(of_batch(part) == BatchState.SUCCEEDED for part in parts)
            return BatchState.SUCCEEDED if is_well else BatchState.FAILED

        def fits(one: int | str, needs: Needs) -> bool:
            state = of_node(one) if isinstance(one, int) else of_batch(one)
            is_well = state in (State.SUCCEEDED, BatchState.SUCCEEDED)
            return needs == Needs.END or is_well == (needs == Needs.SUCCESS)

        nodes = [of_node(place) for place in range(len(self.nodes))]
        return nodes, {name: of_batch(name) for name in self.parents}

    def found(self) -> tuple[list[str], dict[str, str]]:
        """The states that they have come to."""
        states = dict(Job.objects.values_list("pk", "state"))
        batches = dict(Batch.objects.values_list("name", "state"))
        return [states[node.job.pk] for node in self.nodes if node.job], batches


def refuse_too_early(job_id: int, tell: Callable[[str], None]) -> None:
    """Tell of predecessors that had not ended when a job began."""
    for one in Predecessor.objects.filter(gate__jobs=job_id).unmet():
        tell(f"{job_id} began before {one}")
