"""gzip for an answer whose body many clients ask for: compressed once, framed for each."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952 section 2.3: deflate, no name, no time
GZIP_FROM_BYTES = 1024  # a smaller answer fits into a packet as it is
LEVEL = 6
CACHED = 64  # a state lasts half a second; in it this many chains and windows of them may be asked for


def gzipped(before: bytes, shared: bytes, after: bytes) -> bytes:
    """The three parts, one after the other, as one gzip member; ``shared`` is compressed once.

    Deflate blocks of a fresh compressor refer to nothing before them, and a sync flush ends them at the edge
    of a byte, so runs of them may be joined into one stream (RFC 1951 section 3.2.3).
    """
    last = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = zlib.crc32(after, zlib.crc32(shared, zlib.crc32(before)))
    size = (len(before) + len(shared) + len(after)) & 0xFFFFFFFF
    return b"".join(
        (
            HEADER,
            _blocks(before),
            cached_blocks(shared),
            last.compress(after) + last.flush(zlib.Z_FINISH),
            struct.pack("<II", checksum, size),
        )
    )


def _blocks(part: bytes) -> bytes:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH)


cached_blocks = lru_cache(maxsize=CACHED)(_blocks)
