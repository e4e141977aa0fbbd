"""Metrics for Prometheus, of the whole cluster, from any web process; needs the extra `prometheus`.

`path("jobs/metrics", metrics)` is all that it takes, and a token for those who scrape.
"""

from forge_jobs.contrib.prometheus.view import metrics

__all__ = ["metrics"]
