"""Answers that are compressed once: what is joined unpacks to what was put in, whoever unpacks it."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.transport import compression
from handlers.transport.compression import gzipped

parts = st.binary(max_size=300) | st.binary(max_size=20).map(lambda part: part * 5000)


@given(before=parts, shared=parts, after=parts)
def test_parts_unpack_as_one_member(before, shared, after):
    whole = before + shared + after
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert unpacker.decompress(gzipped(before, shared, after)) == whole
    assert unpacker.eof
    assert unpacker.unused_data == b""  # a second member is what many receivers drop


def test_shared_part_is_compressed_once():
    shared = bytes(range(256)) * 200
    before = compression.cached_blocks.cache_info()
    for number in range(5):
        assert gzip.decompress(gzipped(b"%d" % number, shared, b"")) == b"%d" % number + shared
    after = compression.cached_blocks.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 4)


@pytest.mark.parametrize(
    "path", ["/api/option_chain?symbol=NIFTY", "/api/option_chain?symbol=NIFTY&strikes=5"]
)
@pytest.mark.gen_test
async def test_chain_says_the_same_packed_and_plain(sandbox, fetch, path):
    plain = await fetch(sandbox, path, decompress_response=False)
    packed = await fetch(sandbox, path, headers={"Accept-Encoding": "gzip"}, decompress_response=False)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.raw))["data"] == plain.data
    assert len(packed.raw) < len(plain.raw) / 3
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_node_unpacks_it():
    shared = json.dumps({"strikes": list(range(5000))}).encode()
    script = "process.stdin.pipe(require('zlib').createGunzip()).pipe(process.stdout)"
    packed = gzipped(b"[", shared, b"]")
    done = subprocess.run(["node", "-e", script], input=packed, capture_output=True, check=True, timeout=60)
    assert done.stdout == b"[" + shared + b"]"
