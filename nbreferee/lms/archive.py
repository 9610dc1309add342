"""A zip file that anybody may have made: its members as paths that can do no harm, and the rest
with reasons.
"""

from __future__ import annotations

import contextlib
import re
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE_BYTES = 64 << 20
MEMBERS = 500_000
TOTAL_BYTES = 200 << 30
PACKED_BYTES = 4 << 20  # below this size, any ratio will do
RATIO = 200
JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", ".ipynb_checkpoints", "__pycache__", "desktop.ini")


class ZipError(Exception):
    """A file that is no zip, or one that cannot be used at all; the text says why and what to
    do.
    """


@dataclass(frozen=True)
class Member:
    """A file in the zip."""

    path: str
    size: int
    modified: tuple[int, int, int, int, int, int]
    info: zipfile.ZipInfo


@dataclass(frozen=True)
class Refused:
    """An entry that is left out, and why."""

    path: str
    why: str


class Archive:
    """A zip file, open for reading; use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise ZipError(f"{path}: no such file. Name the zip that you downloaded.") from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeDecodeError) as error:
            raise ZipError(
                f"{path}: this is not a whole zip file ({error}). Download it again."
            ) from None
        except OSError as error:
            raise ZipError(f"{path}: {error.strerror or error}.") from None
        self.members, self.refused = self._list()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, member: Member) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        ZipError
            where they are damaged.
        """
        try:
            with self._zip.open(member.info) as file:
                data = file.read(FILE_BYTES + 1)
                if len(data) != member.size or file.read(1):
                    raise ZipError("its size is not what the zip says")
                return data
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise ZipError(f"it is damaged in the zip ({error})") from None

    def _list(self) -> tuple[list[Member], list[Refused]]:
        infos = self._zip.infolist()
        if len(infos) > MEMBERS:
            raise ZipError(
                f"{self.path}: {len(infos):,} files, and {MEMBERS:,} are allowed. Is it the right "
                "file?"
            )
        members: list[Member] = []
        refused: list[Refused] = []
        total = 0
        for info in infos:
            name = _name(info)
            if info.is_dir() or _is_junk(name):
                continue
            path, why = _safe_path(name)
            if why := why or _fault(info):
                refused.append(Refused(_shown(name), why))
                continue
            total += info.file_size
            members.append(Member(path, info.file_size, info.date_time, info))
        if total > TOTAL_BYTES:
            raise ZipError(
                f"{self.path}: {total >> 30} GB when unpacked, and {TOTAL_BYTES >> 30} GB are "
                "allowed. Is it the right file?"
            )
        return self._without_twins(members, refused)

    def _without_twins(
        self, members: list[Member], refused: list[Refused]
    ) -> tuple[list[Member], list[Refused]]:
        """Leave out what stands several times in the zip, unless it is the same each time: nobody
        can tell which one counts.
        """
        counts = Counter(member.path for member in members)
        folders = (
            {str(parent) for member in members for parent in PurePosixPath(member.path).parents}
            if members
            else set()
        )
        kept: dict[str, Member] = {}
        for member in members:
            first = kept.get(member.path)
            alike = first is None or (first.info.CRC, first.size) == (member.info.CRC, member.size)
            if counts[member.path] > 1 and not alike:
                counts[member.path] = -1
            kept.setdefault(member.path, member)
        twice = {path for path, count in counts.items() if count < 0}
        refused += [
            Refused(path, "it is in the zip several times, with different contents")
            for path in sorted(twice)
        ]
        both = folders & kept.keys()
        refused += [Refused(path, "it is a file and a folder") for path in sorted(both)]
        return [member for path, member in kept.items() if path not in twice | both], refused


def _name(info: zipfile.ZipInfo) -> str:
    """Return a member's name: UTF-8 where it says so or can be read so, else in the old code page,
    in composed letters.
    """
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        if extra := _unicode_path(info, name):
            name = extra
        else:
            with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
                name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _unicode_path(info: zipfile.ZipInfo, name: str) -> str:
    """Return what Info-ZIP's extra field says of a name that is not in UTF-8."""
    extra = info.extra
    while len(extra) >= 4:
        tag, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if (
            tag == 0x7075
            and len(body) > 5
            and int.from_bytes(body[1:5], "little") == zlib.crc32(name.encode("cp437", "replace"))
        ):
            return body[5:].decode("utf-8", "replace")
    return ""


def _is_junk(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any(part in JUNK or part.startswith("._") for part in parts)


def _safe_path(name: str) -> tuple[str, str]:
    """Return a relative path, or why there is none."""
    path = name.replace("\\", "/")
    parts = path.split("/")
    if re.search(r"[\x00-\x1f\x7f]", path):
        return "", "its name holds control characters"
    if any("\ud800" <= character <= "\udfff" for character in path):
        return "", "its name is no text"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in parts:
        return "", "its name leads out of the zip's folder"
    parts = [part for part in parts if part not in ("", ".")]
    if (
        not parts
        or any(len(part.encode()) > 250 for part in parts)
        or len(path.encode()) > 2000
        or len(parts) > 40
    ):
        return "", "its name is empty or too long"
    return "/".join(parts), ""


def _fault(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "it is a link or no regular file"
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is compressed in a way that platforms do not use"
    if info.file_size > FILE_BYTES:
        return f"it is {info.file_size >> 20} MB large, and {FILE_BYTES >> 20} MB are allowed"
    if info.file_size > PACKED_BYTES and info.file_size > RATIO * max(info.compress_size, 1):
        return f"it unpacks to {info.file_size // max(info.compress_size, 1)} times its size"
    return ""


def _shown(name: str) -> str:
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name
    )
    return text if len(text) <= 120 else f"{text[:117]}..."
