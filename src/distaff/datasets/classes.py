"""Folders that sort images into classes, as labels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from distaff.datasets.labels import Labels
from distaff.files import natural


def class_labels(files: Sequence[PurePath]) -> Labels | None:
    """The folders that files lie in as labels: "class", or "folder_1", "folder_2" where several levels vary.

    None where they say nothing: where the files lie at different depths, all in one folder, or each in a
    folder of its own.
    """
    folders = [file.parts[:-1] for file in files]
    if len({len(parts) for parts in folders}) > 1 or max(Counter(folders).values()) < 2:
        return None
    levels = [level for level in zip(*folders, strict=True) if len(set(level)) > 1]
    if not levels:
        return None
    names = ["class"] if len(levels) == 1 else [f"folder_{j + 1}" for j in range(len(levels))]
    words, columns = {}, []
    for name, level in zip(names, levels, strict=True):
        words[name] = tuple(sorted(set(level), key=natural))
        number = {word: place for place, word in enumerate(words[name])}
        columns.append([number[word] for word in level])
    note = f"labels from the folders: {', '.join(names)}"
    return Labels(np.array(columns, dtype=np.int64).T, tuple(names), words, [note])


def uneven(files: Sequence[PurePath]) -> str:
    """A note where folders are no labels because images lie at different depths."""
    depths = {len(file.parts) for file in files}
    return "folders are no labels, for images lie at different depths" if len(depths) > 1 else ""
