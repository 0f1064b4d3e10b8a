"""Streams of the inbox: one for each declared dataset, pages from the files that lie there.

Belongs here: the way of one dropped file, from the folder to its pages and away. Does not belong
here: examining its content (`examine.py`).

Exactly once: a file leaves the inbox only when its rows are safe in a finished landing file. Its
hash is then remembered; if a night is killed in between, the manifests of the landing files say
which hashes had been finished, and the file is only moved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from sources._core.connector import Check, Page, Reject, Stream, StreamContext, StreamState, Window
from sources._core.static import static_streams
from sources.files.cells import Chunk, FileRefusedError
from sources.files.csv_file import detect_encoding, read_csv
from sources.files.declarations import Dataset, all_datasets, record_key, record_type
from sources.files.examine import Examination, Examined, Terms
from sources.files.excel_file import read_excel
from sources.files.folder import DroppedFile, Inbox, file_hash, format_of
from sources.files.header import Header, resolve_header
from sources.files.parquet_file import read_parquet
from sources.files.refusals import Refusals

_LOADED = "loaded_hashes"
# A night with the same clock as the one before still looks into the inbox.
_LOOKBACK = timedelta(days=1)
logger = logging.getLogger(__name__)


def dataset_stream(dataset: Dataset) -> Stream:
    """The stream of a dataset."""
    return Stream(
        name=dataset.name,
        record=record_type(dataset),
        key=record_key(dataset),
        read=partial(_read, dataset),
        lookback=_LOOKBACK,
        free_text=dataset.text_columns(),
        event_field=dataset.event,
    )


def check(inbox: Inbox) -> Sequence[Check]:
    """Whether the folder can be used, and what lies in it that nobody reads."""
    if inbox.settings.inbox_dir is None:
        return ()
    try:
        inbox.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return (Check("inbox", ok=False, message=f"cannot be made: {error.strerror}"),)
    known = ", ".join(dataset.name for dataset in all_datasets())
    unknown = [
        Check(
            f"inbox/{name}",
            ok=False,
            message=f"is no dataset, nothing in it is read. Datasets: {known}",
        )
        for name in inbox.unknown_folders()
    ]
    return unknown or (Check("inbox", ok=True, message="ready"),)


def _read(dataset: Dataset, context: StreamContext, _window: Window) -> Iterator[Page]:
    inbox: Inbox = context.client
    if inbox.settings.inbox_dir is None:
        return
    inbox.sweep()
    landed: Collection[str] | None = None
    for file in inbox.waiting(dataset.name):
        landed = _landed_hashes(context) if landed is None else landed
        try:
            sha256 = file_hash(file.path)
        except FileNotFoundError:
            continue
        except PermissionError:
            yield _unreadable(file)
            continue
        was_loaded = sha256 in landed or sha256 in context.state.get(_LOADED, ())
        yield from _pages_of(dataset, context, inbox, file, sha256, was_loaded=was_loaded)


def _pages_of(
    dataset: Dataset,
    context: StreamContext,
    inbox: Inbox,
    file: DroppedFile,
    sha256: str,
    *,
    was_loaded: bool,
) -> Iterator[Page]:
    reference = f"{file.name}#{sha256}"
    context.progress(file.name)
    if was_loaded:
        logger.info("inbox/%s/%s was loaded before: skipped", dataset.name, file.name)
        yield Page(
            (),
            source_ref=f"{reference}#skipped",
            on_landed=partial(_loaded, context.state, inbox, file, sha256),
        )
        return
    work = inbox.work_folder(dataset.name)
    refusals = Refusals(dataset, file.name)
    try:
        yield from _good_pages(dataset, context, inbox, file, sha256, refusals, work)
    except FileRefusedError as refused:
        if not file.is_unchanged():
            _left(dataset, file)
            return
        logger.warning("inbox/%s/%s refused: %s", dataset.name, file.name, refused)
        inbox.write_errors(dataset.name, file.name, refusals.as_csv(str(refused)))
        whole = Reject(refused.rule, refused.rows, str(refused), file.name)
        yield Page(
            (),
            source_ref=f"{reference}#refused",
            rejects=[whole, *refusals.rejects()] if refused.rows else refusals.rejects(),
            on_landed=partial(inbox.reject_file, dataset.name, file),
        )
    finally:
        inbox.remove_work(dataset.name)


def _good_pages(
    dataset: Dataset,
    context: StreamContext,
    inbox: Inbox,
    file: DroppedFile,
    sha256: str,
    refusals: Refusals,
    work: Path,
) -> Iterator[Page]:
    kind = format_of(file)
    encoding = detect_encoding(file.path, inbox.settings.encodings) if kind == ".csv" else None
    headers: list[Header] = []

    def resolve(words: Sequence[str]) -> Header:
        extras = inbox.settings.allowed_extras.get(dataset.name, ())
        headers.append(resolve_header(dataset, words, extras))
        return headers[-1]

    chunks = _chunks(kind, file.path, dataset, encoding or "", resolve)
    examined = _examine(dataset, inbox, chunks, refusals, work)
    if not file.is_unchanged():
        _left(dataset, file)
        return
    if refusals.rows:
        inbox.write_errors(dataset.name, file.name, refusals.as_csv())
    reference = f"{file.name}#{sha256}"
    for records in examined.batches():
        yield Page(records, source_ref=reference, encoding=encoding)
    yield Page(
        (),
        source_ref=reference,
        encoding=encoding,
        rejects=refusals.rejects(),
        unknown_fields=headers[0].unknown if headers else (),
        duplicates=examined.duplicates,
        on_landed=partial(_loaded, context.state, inbox, file, sha256),
    )


def _chunks(
    kind: str,
    path: Path,
    dataset: Dataset,
    encoding: str,
    resolve: Callable[[Sequence[str]], Header],
) -> Iterator[Chunk]:
    if kind == ".csv":
        return read_csv(path, encoding, resolve)
    if kind == ".parquet":
        return read_parquet(path, dataset, resolve)
    return read_excel(path, dataset, resolve)


def _examine(
    dataset: Dataset, inbox: Inbox, chunks: Iterator[Chunk], refusals: Refusals, work: Path
) -> Examined:
    settings = inbox.settings
    terms = Terms(
        today=inbox.today(),
        accounts=settings.known_accounts,
        time_zone=settings.time_zone_of(dataset.name),
        hash_key=settings.hash_key(),
    )
    examination = Examination(dataset, terms, refusals, work)
    for chunk in chunks:
        examination.take(chunk)
    return examination.finish()


def _landed_hashes(context: StreamContext) -> Collection[str]:
    """Hashes of the files that are wholly landed; of refused and skipped ones only the word."""
    return {reference.rpartition("#")[2] for reference in context.landed_refs()}


def _left(dataset: Dataset, file: DroppedFile) -> None:
    logger.info("inbox/%s/%s changed while it was read: left", dataset.name, file.name)


def _unreadable(file: DroppedFile) -> Page:
    advice = "the file may not be read: give the night's user the right to read it"
    return Page((), source_ref=file.name, rejects=[Reject("unreadable", 1, advice, file.name)])


def _loaded(state: StreamState, inbox: Inbox, file: DroppedFile, sha256: str) -> None:
    known = list(state.get(_LOADED, ()))
    if sha256 not in known:
        state[_LOADED] = [*known, sha256]
        state.save()
    inbox.archive_file(file, sha256)


STREAMS = (
    *(dataset_stream(dataset) for dataset in all_datasets()),
    *static_streams(Path(__file__).parent),
)
