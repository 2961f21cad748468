"""Logs: JSON lines on stderr, with references and codes, never bodies, names or tokens.

An exception is told by its class, its code and where it was raised. Its text is left out: what others raise may quote
what it choked on, a whole row or a request.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.types import EventDict, Processor

from comity_schemas.errors import ComityError

_FRAMES = 12
"""How many of the innermost places are told."""


def set_up_logs(level: int = logging.INFO) -> None:
    """Send everything to stderr as JSON lines: our own log, what libraries log, and what ends the process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _cut_after_first_line, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_the_end
    threading.excepthook = lambda args: _log_the_end(args.exc_type, args.exc_value, args.exc_traceback)


def describe(error: BaseException) -> dict[str, Any]:
    """Return what is told of an exception: what it is, where it was raised, what it came of."""
    told: dict[str, Any] = {"class": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, ComityError):
        told["code"] = error.code
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if isinstance(error, BaseExceptionGroup):
        told["several"] = [describe(each) for each in error.exceptions[:5]]
    if error.__cause__ is not None:
        told["because"] = describe(error.__cause__)
    return told


def _tell_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if given:
        error = (
            given if isinstance(given, BaseException) else (given if isinstance(given, tuple) else sys.exc_info())[1]
        )
        if error is not None:
            event["exception"] = describe(error)
    return event


def _cut_after_first_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    # asyncio puts the whole exception into the second line of its message.
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _log_the_end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and issubclass(kind, Exception):
        structlog.get_logger("comity").critical("crashed", exc_info=error)
    else:
        sys.__excepthook__(kind, error or kind(), trace)
