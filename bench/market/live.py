"""What the live path costs beside a broker's sockets: decoding Kite's frames, and a cycle of many ticks."""

from __future__ import annotations

import argparse
import datetime
from functools import partial

import numpy as np

from bench.analytics import best
from bench.machine import describe
from bench.verdicts import Row, at_most, table
from domain.instants import to_ms
from feed.live.broker import TICK_FIELDS, Ticks
from feed.live.gather import Gather
from feed.live.kite_wire import decode
from feed.live.reconcile import TokenTable
from feed.market.market import Market
from feed.market.universe import Universe
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from handlers.kite_mock.frames import FULL, Mode, frame, packets

AT = datetime.datetime.fromisoformat("2026-11-23T10:00+05:30")
PACKETS = 3000
TICKS_A_SECOND, CYCLES_A_SECOND, FRAMES_A_CYCLE = 5000, 2, 10
REPEATS = 60


def _frames() -> tuple[bytes, bytes]:
    """A frame of full packets, and one of full and quote packets mixed."""
    record = np.zeros(PACKETS, FULL)
    record["token"] = np.arange(PACKETS) * 256 + 2
    record["last_price"], record["volume"], record["depth"]["price"] = 12_345, 9, 100
    half = PACKETS // 2
    mixed = [packets(record[:half], Mode.quote).tobytes(), packets(record[half:], Mode.full).tobytes()]
    return frame([packets(record, Mode.full).tobytes()], PACKETS), frame(mixed, PACKETS)


def _path() -> tuple[float, int]:
    """Seconds of CPU that a second of ticks takes, from decoded ticks to the market's publication."""
    catalogue = Catalogue.load(Calendar.load())
    spots = np.array([item.reference_price for item in catalogue.underlyings])
    universe = Universe.build(catalogue, AT, spots)
    tokens = np.array([item.token for item in catalogue.underlyings], np.int64)
    table_of = TokenTable.of(universe, tokens)
    gather, now_ms = Gather(table_of), to_ms(AT)
    market = Market(universe, source="kite", epoch="bench", interest_rate=0.065, stale_after_s=15)
    chance = np.random.default_rng(1)
    count = TICKS_A_SECOND // CYCLES_A_SECOND // FRAMES_A_CYCLE
    ticks = [
        Ticks(
            chance.choice(table_of.tokens, count, replace=False),
            {name: chance.random(count) * 100 for name in TICK_FIELDS},
        )
        for _ in range(FRAMES_A_CYCLE)
    ]

    def cycle() -> None:
        for some in ticks:
            gather.take(some, now_ms)
        update = gather.drain()
        assert update is not None
        market.apply(update)
        market.publish(now_ms)

    return best(cycle, REPEATS) * CYCLES_A_SECOND, universe.contract_count


def rows() -> list[Row]:
    """Decoding, and the path behind it."""
    full, mixed = _frames()
    decoding = {
        "full": best(partial(decode, full), REPEATS) * 1000,
        "mixed": best(partial(decode, mixed), REPEATS) * 1000,
    }
    path, contracts = _path()
    return [
        Row(
            f"decoding {PACKETS:,} full packets into arrays",
            f"{decoding['full']:.2f} ms",
            f"half of them quotes: {decoding['mixed']:.2f} ms",
            must="at most 0.8 ms",
            verdict=at_most(decoding["full"], 0.8),
        ),
        Row(
            f"{TICKS_A_SECOND:,} ticks a second into {contracts:,} contracts, published twice",
            f"{path:.2%} of a core",
            must="at most 10 %",
            verdict=at_most(100 * path, 10),
        ),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    argparse.ArgumentParser(prog="python -m bench.market.live", description=__doc__).parse_args(arguments)
    print(describe(), flush=True)
    print(table(rows()))


if __name__ == "__main__":
    main()
