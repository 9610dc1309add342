"""Permissions of what is written, where c.CourseDirectory.groupshared or a converter's
`permissions` says something.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

GROUP_SHARED = 0o2770  # of folders: nbgrader.converters.base


def share(folder: Path, files: int | None, groupshared: bool) -> None:
    """Set the permissions of a folder and all in it; `files` are those of files, None to leave
    them.
    """
    if files is None and not groupshared:
        return
    for root, _, names in os.walk(folder):
        if files is not None:
            for name in names:
                os.chmod(os.path.join(root, name), files)
        if groupshared:
            share_folder(Path(root))


def share_folder(folder: Path) -> None:
    """Let the group write in a folder, if it is ours to change."""
    mode = folder.stat().st_mode
    if mode & GROUP_SHARED != GROUP_SHARED:
        with contextlib.suppress(PermissionError):
            folder.chmod((mode | GROUP_SHARED) & 0o2777)
