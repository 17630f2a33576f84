"""What went wrong with a request to InfluxDB: in, an exception of the client; out, a `StoreError` with the remedy."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from influxdb_client.client.exceptions import InfluxDBError
from urllib3.exceptions import HTTPError

from telemetry.settings import InfluxSettings
from telemetry.store import (
    BatchMalformed,
    BatchPartlyWritten,
    BatchTooLarge,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

_OF_A_BATCH: dict[int, type[StoreError]] = {
    HTTPStatus.BAD_REQUEST: BatchMalformed,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BatchTooLarge,
    HTTPStatus.UNPROCESSABLE_ENTITY: BatchPartlyWritten,
}
_LONGEST_MESSAGE = 500


@contextmanager
def translated(settings: InfluxSettings, *, writing: bool) -> Iterator[None]:
    """Turn every failure of the request inside into a `StoreError`; `writing` tells what a 400 is about."""
    try:
        yield
    except InfluxDBError as error:
        raise _of_answer(settings, error, writing=writing) from error
    except HTTPError as error:
        raise StoreUnavailable(f"{settings.url}: no answer: {error}") from error
    except (ValueError, LookupError, csv.Error) as error:
        raise StoreError(f"{settings.url}: this is no answer of InfluxDB 2.x ({error}); correct the url") from error


def _of_answer(settings: InfluxSettings, error: InfluxDBError, *, writing: bool) -> StoreError:
    status = getattr(error, "status", None) or 0
    said = f"{settings.url}: {status or 'no secure connection'}: {str(error.message or error)[:_LONGEST_MESSAGE]}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailable(said, _seconds(error.retry_after))
    if writing and status in _OF_A_BATCH:
        return _OF_A_BATCH[status](said)
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return StoreRefused(f"{said}; give the token in {settings.token_file} the right to these buckets")
        case HTTPStatus.NOT_FOUND | HTTPStatus.BAD_REQUEST:  # 400 where a query names an unknown organisation
            return StoreRefused(f"{said}; is there an organisation {settings.org}, and has it these buckets?")
        case _:
            return StoreRefused(f"{said}; correct url or ca_file")


def _seconds(retry_after: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        wait = parsedate_to_datetime(retry_after) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())
