"""Outlook messages for tests: the properties that MS-OXMSG asks for, in a compound file (MS-CFB)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Tree = Mapping[str, "bytes | Tree"]


def message(
    *,
    strings: Mapping[int, str],
    binaries: Mapping[int, bytes] | None = None,
    numbers: Mapping[int, int] | None = None,
    attachments: Sequence[tuple[Mapping[int, str], Mapping[int, bytes]]] = (),
) -> bytes:
    """A message of properties by their ids; attachments are (strings, binaries)."""
    tree: dict[str, bytes | Tree] = dict(_streams(strings, binaries or {}))
    head = struct.pack("<8x4I8x", 0, len(attachments), 0, len(attachments))
    tree["__properties_version1.0"] = head + _properties(strings, binaries or {}, numbers or {})
    tree["__nameid_version1.0"] = {
        "__substg1.0_00020102": b"",
        "__substg1.0_00030102": b"",
        "__substg1.0_00040102": b"",
    }
    for number, (texts, raws) in enumerate(attachments):
        inner: dict[str, bytes | Tree] = dict(_streams(texts, raws))
        inner["__properties_version1.0"] = bytes(8) + _properties(texts, raws, {0x3705: 1})
        tree[f"__attach_version1.0_#{number:08X}"] = inner
    return compound_file(tree)


def _streams(strings: Mapping[int, str], binaries: Mapping[int, bytes]) -> dict[str, bytes]:
    found = {f"__substg1.0_{pid:04X}001F": text.encode("utf-16-le") for pid, text in strings.items()}
    return found | {f"__substg1.0_{pid:04X}0102": raw for pid, raw in binaries.items()}


def _properties(strings: Mapping[int, str], binaries: Mapping[int, bytes], numbers: Mapping[int, int]) -> bytes:
    rows = [(0x001F, pid, 2 * len(text) + 2) for pid, text in strings.items()]
    rows += [(0x0102, pid, len(raw)) for pid, raw in binaries.items()]
    rows += [(0x0003, pid, value) for pid, value in numbers.items()]
    return b"".join(struct.pack("<HHIII", kind, pid, 6, value, 0) for kind, pid, value in rows)


def compound_file(tree: Tree) -> bytes:
    """A compound file of folders and streams, with sectors of 512 bytes; streams below 4,096 bytes in small ones."""
    entries: list[list[object]] = [["Root Entry", 5, FREE, FREE, FREE, END, 0]]
    small, big = bytearray(), []
    small_fat: list[int] = []

    def add(folder: Tree, parent: int) -> None:
        last = None
        for name, held in sorted(folder.items(), key=lambda item: (len(item[0]), item[0].upper())):
            index = len(entries)
            entries.append([name, 2 if isinstance(held, bytes) else 1, FREE, FREE, FREE, END, 0])
            if last is None:
                entries[parent][4] = index
            else:
                entries[last][3] = index
            last = index
            if not isinstance(held, bytes):
                add(held, index)
                entries[index][5] = 0
            elif len(held) >= 4096:
                entries[index][6] = len(held)
                big.append((index, held))
            elif held:
                entries[index][5:] = [len(small_fat), len(held)]
                count = -(-len(held) // 64)
                small_fat.extend([*range(len(small_fat) + 1, len(small_fat) + count), END])
                small.extend(held.ljust(count * 64, b"\0"))

    add(tree, 0)
    entries[0][6] = len(small)
    chains: list[tuple[object, bytes]] = [(index, held) for index, held in big]
    chains += [("small", bytes(small)), ("smallfat", b"".join(struct.pack("<I", n) for n in small_fat))]
    directory = -(-len(entries) // 4)
    sectors, fat = bytearray(), list[int]()
    starts: dict[object, int] = {}
    for key, held in chains:
        count = -(-len(held) // 512)
        starts[key] = len(fat) if count else END
        fat += [*range(len(fat) + 1, len(fat) + count), END][:count] if count else []
        sectors += held.ljust(count * 512, b"\xff" if key == "smallfat" else b"\0")
    for index, _ in big:
        entries[index][5] = starts[index]
    entries[0][5] = starts["small"]
    starts["directory"] = len(fat)
    fat += [*range(len(fat) + 1, len(fat) + directory), END]
    sectors += b"".join(_entry(*entry) for entry in entries).ljust(directory * 512, b"\0")
    tables = 1
    while (len(fat) + tables) > tables * 128:
        tables += 1
    first = len(fat)
    fat += [FAT] * tables
    fat += [FREE] * (tables * 128 - len(fat))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, tables, starts["directory"], 0, 4096, starts["smallfat"], -(-len(small_fat) // 128), END, 0),
    )
    header += b"".join(struct.pack("<I", first + n if n < tables else FREE) for n in range(109))
    return header + bytes(sectors) + b"".join(struct.pack("<I", n) for n in fat)


def _entry(
    name: object, kind: object, left: object, right: object, child: object, start: object, size: object
) -> bytes:
    raw = str(name).encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI16xIII", raw, len(raw) + 2, kind, 1, left, right, child, 0, start, size, 0)
