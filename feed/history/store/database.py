"""Where history is kept: SQLite in a file or in memory, or PostgreSQL; one writer at a time."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, delete, event, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from feed.history.store.locks import AdvisoryLock, FileLock, Lock, NoLock
from feed.history.store.problems import FAULTS, STORE_ERRORS, HistoryError, problem_of
from feed.history.store.tables import MIGRATIONS, SCHEMA_VERSION, meta, metadata, version_of

BUSY_TIMEOUT_S = 5.0  # how long SQLite waits for another's lock before it says so
_MEMORY_TIMEOUT_S = 60.0  # in memory a reader waits for a whole transaction: there is no WAL
CONNECT_TIMEOUT_S = 5
APPLICATION = "indian-options-server"  # as PostgreSQL lists our sessions
# only who writes under a term locks a row of the notes
_END_WRITERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE relation = to_regclass('meta') AND mode = 'RowShareLock' AND pid <> pg_backend_pid() "
    "AND application_name = :name AND usename = current_user"
)
_PAGE_BYTES = 8192  # a packed hour or chain record fits a page several times over
_TERM = "term"  # in the store's notes: of the feed that writes
_memory_names = itertools.count(1)


class Database:
    """One store: an engine with the writer's connection, one with the readers', and the writer's lock.

    ``url`` is ``sqlite:///FILE`` or a plain path, ``postgresql://…``, or None for a store that lives in
    memory; ``readers`` is how many connections may read at the same time.
    """

    def __init__(self, url: str | None, readers: int, on_renewed: Callable[[], None] = lambda: None) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = _path_of(self.url)
        self.is_durable = self.path is not None or not self.is_sqlite
        self.name = _name_of(self.url) if self.is_durable else "in memory"
        self._anchor: Connection | None = None
        self._lock: Lock = NoLock()
        self._identity: tuple[int, int] | None = None
        self.term: int | None = None  # of the leadership that writes; None where nothing else may
        self._on_renewed = on_renewed  # what was remembered of the store no longer holds
        try:
            self.writer = self._engine(1, _begin_writing)
            # two more than readers: one keeps a store in memory alive or holds PostgreSQL's lock,
            # with the other the past is filled
            self.reader = self._engine(readers + 2, _begin_reading)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else str(error)
            raise HistoryError(
                f"DATABASE_URL needs the driver {missing}: install the extra 'postgres', "
                "or use a sqlite:/// URL."
            ) from error

    def open(self, *, exclusive: bool = True) -> None:
        """Make the store ready; ``exclusive`` creates or migrates it and makes this process its writer.

        Raises HistoryError with a sentence that says what is in the way.
        """
        try:
            if exclusive:
                self._lock = self._make_lock()
                self._hold()
                if self.term is not None and not self.is_sqlite:
                    self._end_hung_writers()
                if not self.is_durable:
                    self._anchor = self.reader.connect()  # a store in memory ends with its last connection
                with self.writer.begin() as connection:
                    _migrate(connection, self.name)
                    self._fence(connection)
            else:
                self._look()
            self._identity = self._file_identity()
        except STORE_ERRORS as error:
            self.close()
            raise self.problem(error) from error
        except HistoryError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of every connection and of the lock."""
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None
        self._lock.release()
        self.reader.dispose()
        self.writer.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The writer's connection in a transaction.

        Raises HistoryError where the lock was lost, or the file was taken away: it is opened anew by then.
        """
        self._begin_anew_without_a_file()
        self._hold()
        with self.writer.begin() as connection:
            if self.term is not None:
                self._fence(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection of the readers' pool, seeing one state of the store."""
        with self.reader.connect() as connection:
            yield connection

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Have whatever the store, its driver or its disk raises be a HistoryError: a sentence."""
        try:
            yield
        except FAULTS as error:
            raise self.problem(error) from error

    def problem(self, error: BaseException) -> HistoryError:
        """An error as what it means for this store."""
        return problem_of(self.name, error)

    def _hold(self) -> None:
        """Take the writer's lock. A feed that was replaced may hang with it: then the fence alone must do."""
        try:
            self._lock.hold()
        except HistoryError:
            if self.term is None or not self._is_of_a_feed():
                raise

    def _end_hung_writers(self) -> None:
        """Have PostgreSQL end who is in the middle of writing: a feed that was replaced and may hang."""
        with self.reader.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(_END_WRITERS, {"name": APPLICATION})

    def _is_of_a_feed(self) -> bool:
        """Whether a feed with a term wrote here last."""
        try:
            with self.reading() as connection:
                return version_of(connection) is not None and read_meta(connection, _TERM) is not None
        except STORE_ERRORS:
            return False

    def _fence(self, connection: Connection) -> None:
        """Keep a feed out whose leadership is over. Raises HistoryError, which rolls its batch back."""
        if self.term is None:
            connection.execute(delete(meta).where(meta.c.key == _TERM))
            return
        statement = select(meta.c.value).where(meta.c.key == _TERM)
        found = connection.scalar(statement if self.is_sqlite else statement.with_for_update())
        if found is not None and int(found) > self.term:
            raise HistoryError(
                f"Another feed records into the history store {self.name} since: its term {found} is greater "
                f"than {self.term}, so nothing of this one is kept.",
                outline="Another feed records into the history store.",
            )
        if found is None or int(found) < self.term:
            write_rows(connection, meta, [{"key": _TERM, "value": str(self.term)}])

    def _file_identity(self) -> tuple[int, int] | None:
        """Which file is at the path of a SQLite store: what was deleted goes on being written to unseen."""
        if self.path is None:
            return None
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def _begin_anew_without_a_file(self) -> None:
        """Open what is at the path now, or a new store, where it is not the file that was opened."""
        try:
            if self._identity == self._file_identity():
                return
        except FileNotFoundError:
            pass
        self._lock.release()
        self.reader.dispose()
        self.writer.dispose()
        self.open()
        self._on_renewed()
        raise HistoryError(
            f"The file of the history store {self.name} was deleted or replaced under the running server; "
            "what it held is gone from here, and a store is begun anew."
        )

    def _engine(self, connections: int, begin: Any) -> Engine:
        pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0}
        if not self.is_sqlite:
            arguments = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": APPLICATION}
            return create_engine(self.url, pool_pre_ping=True, connect_args=arguments, **pool)
        timeout_s = BUSY_TIMEOUT_S if self.is_durable else _MEMORY_TIMEOUT_S
        arguments = {"timeout": timeout_s, "check_same_thread": False}
        engine = create_engine(self.url, connect_args=arguments, **pool)
        event.listen(engine, "connect", _prepare_writer if begin is _begin_writing else _prepare_reader)
        event.listen(engine, "begin", begin)
        return engine

    def _make_lock(self) -> Lock:
        if self.path is not None:
            return FileLock(self.path)
        return NoLock() if self.is_sqlite else AdvisoryLock(self.reader, self.name)

    def _look(self) -> None:
        """Make sure that there is a store of this version, changing nothing."""
        if self.path is not None and not self.path.exists():
            raise HistoryError(f"There is no history store at {self.path}: start the server to make one.")
        with self.reading() as connection:
            version = version_of(connection)
        if version is None:
            raise HistoryError(f"{self.name} holds no history: start the server to make a store of it.")
        _refuse_newer(version, self.name)
        if version < SCHEMA_VERSION:
            raise HistoryError(
                f"The history store {self.name} has the older schema version {version}: "
                "start the server once, which brings it up to date."
            )


def write_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: tuple[str, ...] = (),
    replace: bool = True,
) -> None:
    """Insert rows; where the key is taken, replace that row's other columns or leave it as it is.

    ``key`` is the primary one without it.
    """
    if rows:
        names = tuple(rows[0]) if replace else ()
        key = key or tuple(column.name for column in table.primary_key)
        connection.execute(_insertion(connection.dialect.name, table, key, names), list(rows))


@cache  # to put a statement together takes longer than to carry it out
def _insertion(dialect: str, table: Table, key: tuple[str, ...], replaced: tuple[str, ...]) -> Any:
    statement: Any = upsert(dialect)(table)
    if not replaced:
        return statement.on_conflict_do_nothing(index_elements=key)
    changed = {name: statement.excluded[name] for name in replaced if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def upsert(dialect: str) -> Any:
    """The dialect's insert that can say what becomes of a row that is there already."""
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def read_meta(connection: Connection, key: str) -> str | None:
    """A value of the store's own notes."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))


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
        raise HistoryError("DATABASE_URL must be a URL such as sqlite:///data/history.db.") from error
    backend = parsed.drivername.partition("+")[0]
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise HistoryError(f"DATABASE_URL must begin with sqlite:/// or postgresql://, was {backend}://.")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        return _parse(None)
    return parsed


def _path_of(url: URL) -> Path | None:
    """The file of a SQLite store on disk."""
    if url.get_backend_name() != "sqlite" or url.database is None or url.query.get("vfs") == "memdb":
        return None
    return Path(url.database)


def _name_of(url: URL) -> str:
    """The store's name in messages: a file's path, or a URL without its password."""
    is_file = url.get_backend_name() == "sqlite" and url.database is not None
    return str(url.database) if is_file else url.render_as_string(hide_password=True)


def _migrate(connection: Connection, name: str) -> None:
    version = version_of(connection)
    if version is None:
        metadata.create_all(connection)
    else:
        _refuse_newer(version, name)
        for step in range(version, SCHEMA_VERSION):
            MIGRATIONS[step](connection)
    if version != SCHEMA_VERSION:
        write_rows(connection, meta, [{"key": "schema_version", "value": str(SCHEMA_VERSION)}])


def _refuse_newer(version: int, name: str) -> None:
    if version > SCHEMA_VERSION:
        raise HistoryError(
            f"The history store {name} has schema version {version}, this server knows up to "
            f"{SCHEMA_VERSION}: update the server, or name another store in DATABASE_URL."
        )


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA page_size={_PAGE_BYTES}")
    cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON").close()


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
