"""Learning a file chunk by chunk, from where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from rich.console import Console

from privml.cli.csv_records import CsvRecords
from privml.cli.model_directory import MODEL, ModelDirectory, Record, Source, reading_of
from privml.cli.progress import bar
from privml.data.table import Table
from privml.errors import DataError, DuplicateUploadError, SettingError
from privml.roles.data_owner import SEALED_CHUNK


def new_source(records: CsvRecords, chunk_rows: int | None, screen: Console) -> Source:
    """A file that is not learned from yet, every record of which fits.

    Raises
    ------
    DataError
        A record does not fit, or there is none.
    """
    digest = records.sha256()
    with bar(screen, f"Checking {records.path.name}", None) as advance:
        rows = records.count(advance)
    return Source(records.path.name, digest, reading_of(records), rows, chunk_rows or SEALED_CHUNK)


def old_source(record: Record, records: CsvRecords, chunk_rows: int | None) -> Source | None:
    """The same file as it was begun before, None for a further one.

    Raises
    ------
    SettingError
        It was begun in another way, or there is another file that has not come to its end.
    """
    digest = records.sha256()
    for source in record.sources:
        if source.sha256 != digest:
            continue
        if not source.is_finished:
            _check_same(source, records, chunk_rows)
        return source
    for source in record.sources:
        if not source.is_finished:
            raise SettingError(
                f"{source.name} was learned up to record {source.taken} of {source.rows}, and {records.path.name} is "
                "another file, or has changed since: its digest differs. Go on with the file as it was before adding "
                "another"
            )
    return None


def _check_same(source: Source, records: CsvRecords, chunk_rows: int | None) -> None:
    wanted = {"chunk-rows": chunk_rows or source.chunk_rows, **reading_of(records)}
    for option, found in {"chunk-rows": source.chunk_rows, **source.reading}.items():
        if wanted[option] != found:
            raise SettingError(
                f"--{option}: {source.name} was begun with {_shown(found)}, not {_shown(wanted[option])}; go on in the "
                "same way"
            )


def _shown(value: Any) -> str:
    return (", ".join(map(str, value)) or "nothing") if isinstance(value, list) else str(value)


def learn(
    directory: ModelDirectory,
    records: CsvRecords,
    source: Source,
    *,
    save_every: int,
    screen: Console,
    is_time_to_stop: Callable[[], bool],
) -> None:
    """Upload what is left of a file, saving after every so many chunks, and bring the model up to date.

    A chunk has the same identifier whenever it is sent. If the units took it before, they say so, and it counts once.

    Raises
    ------
    KeyboardInterrupt
        It was time to stop; everything that was uploaded is saved.
    DataError
        The file has changed since it was checked.
    """
    card, owner, unsaved = directory.card, directory.owner(), 0
    with bar(screen, f"Learning {source.name}", source.rows, source.taken) as advance:
        for chunk, table in _left(source, records):
            message = owner.seal(card, records.encoded(table), directory.record.upload_id(source, chunk))
            # a chunk that was taken when the confirmation was lost is refused as a duplicate
            with suppress(DuplicateUploadError):
                directory.provider.upload(message)
            source.chunks, unsaved = chunk + 1, unsaved + 1
            advance(len(table))
            if unsaved == save_every or is_time_to_stop():
                directory.save()
                unsaved = 0
            if is_time_to_stop() and not source.is_finished:
                raise KeyboardInterrupt
    directory.provider.refresh(MODEL)
    directory.save()


def _left(source: Source, records: CsvRecords) -> Iterator[tuple[int, Table]]:
    """The chunks of a file that the units have not taken, with their numbers."""
    read = 0
    for chunk, table in enumerate(records.tables(source.chunk_rows)):
        read += len(table)
        if read > source.rows:
            break
        if chunk >= source.chunks:
            yield chunk, table
    if read != source.rows:
        raise DataError(f"{source.name} changed while it was read")
