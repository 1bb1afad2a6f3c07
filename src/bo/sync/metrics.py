"""Figures of the server's work for Prometheus, in a registry of their own. No figure names a person or a device.

With several processes (`PROMETHEUS_MULTIPROC_DIR` is set) each writes its figures into that folder, and whichever is
asked adds up all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What is counted. One of it in a process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second figure for each, of when it began
        made = self.registry = CollectorRegistry()
        self.requests = Counter(
            "bo_http_requests", "Requests that were answered.", ("method", "route", "status"), registry=made
        )
        self.seconds = Histogram(
            "bo_http_request_seconds", "Time until the answer.", ("route",), buckets=SECONDS, registry=made
        )
        self.operations = Counter(
            "bo_operations", "Operations of devices, by what became of them.", ("status",), registry=made
        )
        self.rows = Counter("bo_rows_sent", "Rows sent to devices.", ("kind",), registry=made)
        self.faults = Counter("bo_faults", "Requests that met a fault of the server's.", registry=made)
        self.writing = Gauge(
            "bo_pushes_in_flight", "Pushes that run or wait.", registry=made, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "bo_pulls_waiting", "Pulls that wait for news.", registry=made, multiprocess_mode="livesum"
        )

    @contextmanager
    def under_way(self, gauge: Gauge) -> Iterator[None]:
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self, figures: Mapping[str, Mapping[str, int]]) -> bytes:
        """Everything in Prometheus' text form. `figures` is what was looked up for this very answer: name of the figure
        -> organisation -> value."""
        registry = self.registry
        if os.environ.get(SHARED_FOLDER):
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        looked_up = CollectorRegistry()
        looked_up.register(_LookedUp(figures))
        return generate_latest(registry) + generate_latest(looked_up)


DESCRIBED: Final = {
    "bo_journal_head": "Number of the last operation.",
    "bo_webhooks_behind": "Operations that the slowest webhook has not been told of.",
}


class _LookedUp(Collector):
    def __init__(self, figures: Mapping[str, Mapping[str, int]]) -> None:
        self.figures = figures

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, values in self.figures.items():
            family = GaugeMetricFamily(name, DESCRIBED.get(name, name), labels=("organisation",))
            for organisation, value in values.items():
                family.add_metric((organisation,), value)
            yield family
