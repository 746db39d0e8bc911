"""The server's log for people, and its measurements for Prometheus."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from app.settings import Settings

if TYPE_CHECKING:  # it loads torch
    from app.lab import Lab

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def set_up_logging(settings: Settings) -> None:
    """Sends our log, and that of the libraries, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    as_json = settings.log_format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    final: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        *([structlog.processors.format_exc_info] if as_json else []),
        renderer,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final)
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def measurements(lab: "Lab") -> bytes:
    """The state of the lab in Prometheus' text format."""
    registry = CollectorRegistry()
    for name, text, value in (
        ("newton_lab_runs_waiting", "Runs that wait.", lab.queue.waiting),
        ("newton_lab_runs_active", "Runs that are being computed.", lab.queue.active),
        ("newton_lab_viewers", "Open event streams.", lab.feed.viewers),
        ("newton_lab_disk_bytes", "Bytes of logs and snapshots.", lab.store.bytes_used()),
    ):
        Gauge(name, text, registry=registry).set(value)
    runs = Gauge("newton_lab_runs", "Runs by status.", ["status"], registry=registry)
    for status, count in lab.store.counts().items():
        runs.labels(status).set(count)
    return generate_latest(registry)
