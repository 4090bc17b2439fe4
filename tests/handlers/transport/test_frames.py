"""Frames of a WebSocket, read back as RFC 6455 and RFC 7692 say."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.transport.frames import DEFLATE_FROM_BYTES, Packet, deflated_frame, text_frame


def unframed(frame):
    """First byte and payload of an unmasked frame."""
    first, length = frame[0], frame[1]
    assert not length & 0x80, "a server may not mask"
    start = 2
    if length == 126:
        length, start = struct.unpack("!H", frame[2:4])[0], 4
        assert length >= 126, "the length is not in its shortest form"
    elif length == 127:
        length, start = struct.unpack("!Q", frame[2:10])[0], 10
        assert length >= 65536, "the length is not in its shortest form"
    assert len(frame) == start + length
    return first, frame[start:]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_frame_of_any_length_is_read_back(length):
    payload = b"x" * length
    assert unframed(text_frame(payload)) == (0x81, payload)


@given(st.binary(max_size=3000))
def test_deflated_frame_inflates_on_its_own(payload):
    first, body = unframed(deflated_frame(payload))
    assert first == 0xC1
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(body + b"\x00\x00\xff\xff") == payload


@given(st.lists(st.binary(max_size=500), min_size=1, max_size=5))
def test_deflated_frames_suit_a_receiver_that_keeps_its_context(payloads):
    # one that agreed on no takeover resets; one inflater for all must read them too
    receiver = zlib.decompressobj(-zlib.MAX_WBITS)
    for payload in payloads:
        _, body = unframed(deflated_frame(payload))
        assert receiver.decompress(body + b"\x00\x00\xff\xff") == payload


def test_packet_is_an_event_of_socket_io_with_one_argument():
    packet = Packet("symbol_update", b'{"a":1}')
    assert unframed(packet.frame) == (0x81, b'42["symbol_update",{"a":1}]')


@pytest.mark.parametrize(("size", "first"), [(10, 0x81), (DEFLATE_FROM_BYTES, 0xC1)])
def test_packet_is_compressed_only_where_it_pays(size, first):
    assert unframed(Packet("e", b'"' + b"a" * size + b'"').deflated)[0] == first


def test_packet_is_framed_once_for_everybody():
    packet = Packet("e", b'"' + b"a" * 1000 + b'"')
    assert packet.frame is packet.frame
    assert packet.deflated is packet.deflated
