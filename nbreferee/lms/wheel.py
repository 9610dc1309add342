"""This very package as a wheel, made from its installed files: no build tool, no network."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Collection, Iterator
from importlib import metadata
from pathlib import Path

import nbreferee

NAME = "nbreferee"
_SAME_TIME = (2020, 1, 1, 0, 0, 0)  # one wheel for one version, whenever it is made


def make_wheel() -> tuple[str, bytes]:
    """Return the wheel's file name and bytes."""
    distribution = metadata.distribution(NAME)
    version = distribution.version
    info = f"{NAME}-{version}.dist-info"
    package = Path(nbreferee.__file__).parent
    files = {
        str(path.relative_to(package.parent)): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    files[f"{info}/METADATA"] = (distribution.read_text("METADATA") or "").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: nbreferee\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = (distribution.read_text("entry_points.txt") or "").encode()
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _SAME_TIME), data, zipfile.ZIP_DEFLATED)
    return f"{NAME}-{version}-py3-none-any.whl", buffer.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def pinned_requirements(modules: Collection[str]) -> list[str]:
    """Return the packages that nbreferee and these modules need, at the versions that are installed
    here.
    """
    owners = metadata.packages_distributions()
    roots = [NAME, *sorted({owner for module in modules for owner in owners.get(module, ())})]
    found: dict[str, str] = {}
    queue = list(roots)
    while queue:
        name = _normal(queue.pop())
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another system
            continue
        found[name] = distribution.version
        queue += _needed(distribution)
    return sorted(f"{name}=={version}" for name, version in found.items() if name != NAME)


def _needed(distribution: metadata.Distribution) -> Iterator[str]:
    from packaging.requirements import Requirement

    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name
            for extra in requirement.extras:
                yield from _of_extra(requirement.name, extra)


def _of_extra(name: str, extra: str) -> Iterator[str]:
    from packaging.requirements import Requirement

    try:
        requires = metadata.distribution(name).requires or ()
    except metadata.PackageNotFoundError:
        return
    for text in requires:
        requirement = Requirement(text)
        if requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
            yield requirement.name


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
