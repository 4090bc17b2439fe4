"""A store that feeds write: the batch of one that was replaced is rolled back, whatever it believes."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from feed.history.store.database import Database, write_rows
from feed.history.store.problems import HistoryError
from feed.history.store.tables import symbols


def write(database, name):
    with database.writing() as connection:
        write_rows(connection, symbols, [{"id": len(name), "name": name}])


def names(database):
    with database.reading() as connection:
        return sorted(connection.scalars(select(symbols.c.name)))


@pytest.fixture
def feeds(store_url):
    """Two feeds on a store, the first of which hangs with the lock while the second begins to lead."""
    first, second = (Database(store_url, readers=1) for _ in range(2))
    first.term, second.term = 1_700, 1_800
    first.open()
    write(first, "of the first")
    second.open()
    yield first, second
    first.close()
    second.close()


def test_feed_that_leads_writes_beside_one_that_hangs_with_the_lock(feeds):
    first, second = feeds
    write(second, "of the second one")
    assert names(second) == ["of the first", "of the second one"]
    assert names(first) == names(second)


def test_batch_of_an_older_term_is_rolled_back(feeds):
    first, second = feeds
    write(second, "of the second one")
    with pytest.raises(HistoryError, match="term 1800 is greater than 1700"):
        write(first, "of the first, too late")
    assert names(second) == ["of the first", "of the second one"]
    first.term = 1_900  # it leads again
    write(first, "of the first, again")
    with pytest.raises(HistoryError, match="1900"):
        write(second, "of the second, too late")


def test_single_server_is_kept_off_a_store_of_a_feed_and_ends_the_fence(store_url):
    feed = Database(store_url, readers=1)
    feed.term = 7
    feed.open()
    single = Database(store_url, readers=1)
    with pytest.raises(HistoryError, match="Another server records"):
        single.open()
    feed.close()
    single.open()
    late = Database(store_url, readers=1)
    late.term = 8
    with pytest.raises(HistoryError, match="Another server records"):
        late.open()  # who holds the lock has no term: it would not notice the fence
    single.close()
    late.open()
    late.close()


def test_feed_that_hangs_in_a_transaction_is_not_waited_for(postgres_url):
    first, second = (Database(postgres_url, readers=1) for _ in range(2))
    first.term, second.term = 1_700, 1_800
    first.open()

    def hang():
        with first.writing() as connection:
            write_rows(connection, symbols, [{"id": 1, "name": "half done"}])
            second.open()
            write(second, "of the second")
            write_rows(connection, symbols, [{"id": 2, "name": "and awake again"}])

    with pytest.raises(SQLAlchemyError):
        hang()
    assert names(second) == ["of the second"]
    first.close()
    second.close()
