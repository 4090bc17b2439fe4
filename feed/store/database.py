"""Where history is kept: SQLite in a file or in memory, or PostgreSQL; one writer at a time."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from feed.store.tables import MIGRATIONS, SCHEMA_VERSION, meta, metadata, version_of

BUSY_TIMEOUT_S = 5.0  # how long SQLite waits for another's lock before it says so
CONNECT_TIMEOUT_S = 5
_PAGE_BYTES = 8192  # a packed hour or chain record fits a page several times over
_ADVISORY_LOCK = 0x0F5EED0617  # any number, the same in every server
_memory_names = itertools.count(1)


class HistoryError(Exception):
    """History cannot be kept as asked; the message is a sentence for the operator."""


class Database:
    """One store: engines for the writer and for readers, its lock, and what its errors mean.

    ``url`` is ``sqlite:///FILE`` or a plain path, ``postgresql://…``, or None for a store that lives in
    memory; ``readers`` is how many connections may read at the same time.
    """

    def __init__(self, url: str | None, readers: int) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.is_durable = url is not None
        self.name = _name_of(self.url) if self.is_durable else "in memory"
        self._lock: sqlite3.Connection | Connection | None = None
        self._anchor: Connection | None = None
        try:
            self.writer = self._engine(NullPool)
            self.reader = self._engine(QueuePool, pool_size=readers + 1, max_overflow=0, pool_timeout=30)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise HistoryError(
                f"DATABASE_URL needs the driver {error.name if isinstance(error, ImportError) else error}: "
                "install the extra 'postgres', or use a sqlite:/// URL."
            ) from error

    @property
    def path(self) -> Path | None:
        """The file of a SQLite store on disk."""
        if not self.is_sqlite or not self.is_durable or self.url.database is None:
            return None
        return Path(self.url.database)

    def open(self, *, exclusive: bool = True) -> None:
        """Make the store ready, creating or migrating it; ``exclusive`` makes this process its writer.

        Raises HistoryError with a sentence that says what is in the way.
        """
        try:
            if exclusive:
                self._take_lock()
            if not self.is_durable:
                self._anchor = self.reader.connect()  # a store in memory ends with its last connection
            with self.writer.begin() as connection:
                _migrate(connection, self.name)
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            self.close()
            raise HistoryError(self.explain(error)) from error
        except HistoryError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of every connection and of the lock."""
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None
        self.reader.dispose()
        self.writer.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holds_lock(self) -> bool:
        """Whether this process is still the store's only writer; a lost connection loses the lock."""
        if not isinstance(self._lock, Connection):
            return True
        try:
            self._lock.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._lock.close()
            self._lock = None
            self._take_lock()
        return True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection of the readers' pool."""
        with self.reader.connect() as connection:
            yield connection

    def explain(self, error: BaseException) -> str:
        """What an error means for the operator, as one sentence."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        said = " ".join(str(cause).split()) or type(cause).__name__
        for part, sentence in _MEANINGS.items():
            if part in said.lower():
                return f"The history store {self.name} {sentence} ({said})."
        return f"The history store {self.name} cannot be used: {said}."

    def _engine(self, pool: type[NullPool] | type[QueuePool], **options: Any) -> Engine:
        if self.is_sqlite:
            engine = create_engine(
                self.url,
                poolclass=pool,
                connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
                **options,
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite if pool is NullPool else _begin_reading)
            return engine
        arguments = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "indian-options-server"}
        return create_engine(
            self.url, poolclass=pool, pool_pre_ping=pool is QueuePool, connect_args=arguments, **options
        )

    def _take_lock(self) -> None:
        if self.path is not None:
            self._lock = _lock_file(self.path)
        elif not self.is_sqlite:
            connection = self.writer.connect().execution_options(isolation_level="AUTOCOMMIT")
            query = text("SELECT pg_try_advisory_lock(:key)")
            if not connection.scalar(query, {"key": _ADVISORY_LOCK}):
                connection.close()
                raise HistoryError(_taken(self.name))
            self._lock = connection


# what a driver's message contains -> what to tell the operator; the first that fits
_MEANINGS: Mapping[str, str] = {
    "database or disk is full": "cannot grow: its disk is full",
    "no space left": "cannot grow: its disk is full",
    "readonly": "is read-only: make its file and folder writable for the server",
    "read-only": "is read-only: make it writable for the server",
    "permission denied": "may not be written by this user",
    "malformed": "is damaged: move its file away to start afresh, or restore a copy",
    "not a database": "is no SQLite file: move it away or name another in DATABASE_URL",
    "disk i/o error": "cannot be read or written: its disk reports an error",
    "unable to open": "cannot be opened: its folder must exist and be writable",
    "locked": "is held by another program",
    "connection refused": "cannot be reached: no PostgreSQL answers there",
    "password authentication": "refuses the user or password of DATABASE_URL",
    "does not exist": "does not exist: create it, or name another in DATABASE_URL",
}


def write_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replace: bool = True
) -> None:
    """Insert rows; where the key is taken, replace that row's other columns or leave it as it is."""
    if not rows:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement: Any = insert(table)
    key = [column.name for column in table.primary_key]
    if replace:
        changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    connection.execute(statement, list(rows))


def _parse(url: str | None) -> URL:
    if url is None:
        # a database of the memory VFS is shared by the connections of one process
        name = f"file:/history-{next(_memory_names)}"
        return URL.create("sqlite", database=name, query={"vfs": "memdb", "uri": "true"})
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise HistoryError(
            "DATABASE_URL must be a database URL such as sqlite:///data/history.db."
        ) from error
    backend = parsed.get_backend_name()
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise HistoryError(f"DATABASE_URL must begin with sqlite:/// or postgresql://, was {backend}://.")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        return _parse(None)
    return parsed


def _name_of(url: URL) -> str:
    """The store's name in messages: a file's path, or a URL without its password."""
    is_file = url.get_backend_name() == "sqlite" and url.database is not None
    return str(url.database) if is_file else url.render_as_string(hide_password=True)


def _migrate(connection: Connection, name: str) -> None:
    version = version_of(connection)
    if version is None:
        metadata.create_all(connection)
        write_rows(connection, meta, [{"key": "schema_version", "value": str(SCHEMA_VERSION)}])
        return
    if version > SCHEMA_VERSION:
        raise HistoryError(
            f"The history store {name} has schema version {version}, this server knows up to "
            f"{SCHEMA_VERSION}: update the server, or name another store in DATABASE_URL."
        )
    for step in range(version, SCHEMA_VERSION):
        MIGRATIONS[step](connection)
    if version < SCHEMA_VERSION:
        write_rows(connection, meta, [{"key": "schema_version", "value": str(SCHEMA_VERSION)}])


def _lock_file(path: Path) -> sqlite3.Connection:
    """Hold an exclusive transaction on a file beside the store: the system ends it with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(f"{path}.lock", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" not in str(error):
            raise
        raise HistoryError(_taken(str(path))) from error
    return lock


def _taken(name: str) -> str:
    return (
        f"Another server records into the history store {name}: stop that one, "
        "or give this one a store of its own with DATABASE_URL."
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA page_size={_PAGE_BYTES}")
    cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def read_meta(connection: Connection, key: str) -> str | None:
    """A value of the store's own notes."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))
