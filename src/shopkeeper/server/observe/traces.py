"""Traces for OpenTelemetry, sent only where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says; else they cost nothing.

A span carries the route, the operation, the status and the time: no argument, no id, no words of an
error. The provider is our own and not the process's, so that no library sends spans through it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.core.errors import MissingExtra, ShopkeeperError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_STATE = {"traceparent", "tracestate"}
_started: dict[str, TracerProvider] = {}


def start(part: str) -> None:
    """Send spans from here on, if the environment names a collector.

    Raises:
        MissingExtra: it does, but the library is not installed.
    """
    if not os.environ.get(ENDPOINT):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra("Sending traces", "observe") from error
    named = os.environ.get("OTEL_SERVICE_NAME", f"shopkeeper-{part}")
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _started["provider"] = provider


def stop() -> None:
    """Send what waits."""
    provider = _started.pop("provider", None)
    if provider is not None:
        provider.shutdown()


@contextmanager
def span(name: str, headers: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """A span around the block; what is put into the dict becomes its attributes.

    ``headers`` of a request may carry the trace that it belongs to.
    """
    noted: dict[str, Any] = {}
    provider = _started.get("provider")
    if provider is None:
        yield noted
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415 - an extra
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    sent = {k: v for k, v in (headers or {}).items() if k in _STATE}
    context = TraceContextTextMapPropagator().extract(sent) if sent else None
    with provider.get_tracer("shopkeeper").start_as_current_span(
        name,
        context=context,
        kind=SpanKind.SERVER if headers is not None else SpanKind.INTERNAL,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield noted
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            expected = isinstance(error, ShopkeeperError) and error.status < 500
            made.set_status(Status(StatusCode.OK if expected else StatusCode.ERROR))
            raise
        finally:
            renamed = noted.pop("name", None)
            if renamed:
                made.update_name(renamed)
            made.set_attributes(noted)
