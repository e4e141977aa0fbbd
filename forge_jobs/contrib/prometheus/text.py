"""Writes metrics down: in a fraction of the time of the client's writers, which take any name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import Metric


def plain(metrics: Iterable[Metric]) -> str:
    """In Prometheus' own format, to which a counter is what its samples are called."""
    return "".join(line for metric in metrics for line in _plain(metric))


def openly(metrics: Iterable[Metric]) -> str:
    """In OpenMetrics'."""
    return "".join(line for metric in metrics for line in _openly(metric)) + "# EOF\n"


def _plain(metric: Metric) -> Iterator[str]:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    yield f"# HELP {name} {metric.documentation}\n# TYPE {name} {metric.type}\n"
    yield from _samples(metric)


def _openly(metric: Metric) -> Iterator[str]:
    name = metric.name
    yield f"# HELP {name} {metric.documentation}\n# TYPE {name} {metric.type}\n"
    if metric.unit:
        yield f"# UNIT {name} {metric.unit}\n"
    yield from _samples(metric)


def _samples(metric: Metric) -> Iterator[str]:
    for sample in metric.samples:
        labels = ",".join([f'{name}="{_escaped(text)}"' for name, text in sample.labels.items()])
        yield f"{sample.name}{{{labels}}} {float(sample.value)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
