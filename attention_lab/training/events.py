"""Events for TensorBoard, in the few fields of its protocol buffers that a run needs.

tensorboardX and tensorboard would do, but import PyTorch or TensorFlow where they find them: seconds at every
start. The test reads these bytes with tensorboardX.
"""

import struct
from collections.abc import Mapping

import numpy as np

START = 1  # SessionLog.status: TensorBoard drops what other files hold from this event's step on


def event(wall_time: float, step: int = 0, version: str = "", scalars: Mapping[str, float] | None = None,
          status: int = 0) -> bytes:
    """An Event: scalars by name, the file's version, or a session's status; wall_time: seconds since 1970."""
    content = struct.pack("<Bd", 1 << 3 | 1, wall_time) + b"\x10" + _integer(step)
    if version:
        content += _field(3, version.encode())
    if scalars:
        with np.errstate(over="ignore"):  # beyond float32 it is inf
            numbers = np.array(list(scalars.values()), float).astype("<f4")
        content += _field(5, b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + number.tobytes())
            for name, number in zip(scalars, numbers)))
    if status:
        content += _field(7, b"\x08" + _integer(status))
    return content


def record(content: bytes) -> bytes:
    """A record of a TFRecord file: length, its checksum, content, its checksum."""
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _field(number: int, content: bytes) -> bytes:
    """A field that holds bytes, text or a message."""
    return bytes([number << 3 | 2]) + _integer(len(content)) + content


def _integer(value: int) -> bytes:
    """A number of at least 0, seven bits in each byte, the lowest first."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _table() -> list[int]:
    """CRC-32C (Castagnoli) of each byte."""
    table = list(range(256))
    for _ in range(8):
        table = [crc >> 1 ^ (0x82F63B78 if crc & 1 else 0) for crc in table]
    return table


TABLE = _table()


def _checksum(content: bytes) -> bytes:
    """The CRC-32C, rotated by 15 bits and moved on, so that it is no checksum of what holds it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
