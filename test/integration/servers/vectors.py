"""Vectors and token counts that a test can compute as well as the server.

A vector is made of blocks of eight numbers.  Each byte of SHAKE-256(text)
picks one of 256 blocks, and every block has the same length (norm), so the
whole vector has length one without being normalised.  The numbers use the full
precision of float32 and hardly ever tie, and making a vector costs
microseconds instead of a millisecond, because whole blocks are copied.

A vector with fewer dimensions is the beginning of the longer one, scaled to
length one again: the way models that know `dimensions` behave.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
import struct

BLOCK = 8


def token_count(text: str) -> int:
    """The stub's tokens: one for every four bytes of UTF-8, at least one."""
    return max(1, -(-len(text.encode()) // 4))


def expected_vector(text: str, dims: int = 1024, space: str = "") -> tuple[float, ...]:
    """The vector of a text, as float32 values.  Another space gives other vectors."""
    return struct.unpack(f"<{dims}f", vector_bytes(text, dims, space))


def vector_bytes(text: str, dims: int, space: str = "") -> bytes:
    """The vector as little-endian float32."""
    whole, rest = divmod(dims, BLOCK)
    picks = _picks(text, dims, space)
    blocks = _blocks(dims, BLOCK)
    data = b"".join([blocks[pick] for pick in picks[:whole]])
    return data + _blocks(dims, rest)[picks[-1]] if rest else data


def vector_base64(text: str, dims: int, space: str = "") -> bytes:
    """The vector as the API's base64: its float32 bytes, encoded."""
    return base64.b64encode(vector_bytes(text, dims, space))


def vector_json(text: str, dims: int, space: str = "") -> bytes:
    """The vector as a JSON array whose decimals give back each float32 exactly."""
    whole, rest = divmod(dims, BLOCK)
    picks = _picks(text, dims, space)
    decimals = _decimals(dims, BLOCK)
    parts = [decimals[pick] for pick in picks[:whole]]
    if rest:
        parts.append(_decimals(dims, rest)[picks[-1]])
    return b"[" + b",".join(parts) + b"]"


def _picks(text: str, dims: int, space: str) -> bytes:
    """One byte for each block."""
    return hashlib.shake_256(space.encode() + b"\0" + text.encode()).digest(-(-dims // BLOCK))


@functools.lru_cache(maxsize=64)
def _blocks(dims: int, length: int) -> list[bytes]:
    """The 256 blocks as float32 bytes, scaled for vectors of so many dimensions."""
    return [struct.pack(f"<{length}f", *block) for block in _scaled(dims, length)]


@functools.lru_cache(maxsize=64)
def _decimals(dims: int, length: int) -> list[bytes]:
    """The same blocks as JSON text; nine digits are enough for any float32."""
    numbers = [struct.unpack(f"<{length}f", block) for block in _blocks(dims, length)]
    return [",".join(f"{number:.9g}" for number in block).encode() for block in numbers]


def _scaled(dims: int, length: int) -> list[list[float]]:
    """Directions drawn once for all, each with norm sqrt(length / dims)."""
    scaled = []
    for direction in _directions():
        part = direction[:length]
        factor = math.sqrt(length / dims) / math.hypot(*part)
        scaled.append([number * factor for number in part])
    return scaled


@functools.lru_cache(maxsize=1)
def _directions() -> list[list[float]]:
    """256 blocks of numbers between -1 and 1, from a hash: `random` may change with Python."""
    size = struct.calcsize(f"<{BLOCK}i")
    stream = hashlib.shake_256(b"blocks of the test vectors").digest(256 * size)
    blocks = struct.iter_unpack(f"<{BLOCK}i", stream)
    return [[number / 2**31 for number in block] for block in blocks]
