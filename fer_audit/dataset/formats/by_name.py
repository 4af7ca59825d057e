"""Sets whose images say who they are by their names: JAFFE, CK+ and AffectNet's eight classes; labels are there or in small files.

JAFFE: `KA.AN1.39.tiff` = subject, expression and take, index.
CK+, the Extended Cohn-Kanade set: frames `S005_001_00000011.png` = subject, sequence of the subject, frame. CK+48 sorts the last
three of each sequence into class folders; CK+ has `Emotion/S005/001/S005_001_00000011_emotion.txt` for the last frame.
AffectNet as its eight-class download has it: `train_set/images/N.jpg` and `train_set/annotations/N_exp.npy`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match, Reader
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing, names_note
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.names import is_expression
from fer_audit.dataset.sources.source import read_small_file
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.text import counted, encodable

MIN_SHARE = 0.5
"""Share of image names from which on a folder is taken for JAFFE or CK+."""
MAX_LABEL_BYTES = 1_000
"""Of a file with one label."""


def _mostly_named(pattern: re.Pattern[str]) -> Callable[[DatasetPath, DatasetSettings], Match]:
    """Return what is certain of a folder in which at least every second image is named so."""

    def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
        fits = given.is_folder and given.listing.share_named(pattern) >= MIN_SHARE
        return Match.CERTAIN if fits else Match.NO

    return sniff


JAFFE_EXPRESSIONS = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
_JAFFE = re.compile(
    rf"([A-Z]{{2}})\.({'|'.join(JAFFE_EXPRESSIONS)})[0-9]\.[0-9]{{1,4}}(?:\.tiff)?\.[a-z]+",
    re.IGNORECASE,
)


def _read_jaffe(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the file names describe, at any depth of folders.

    Attributes: expression, subject. Every two letters name a subject: "NA" is a person, too.
    A name that cannot be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    found = [_JAFFE.fullmatch(name) for name in listing.names()]
    order = list(JAFFE_EXPRESSIONS)
    codes = np.array([order.index(m[2].upper()) if m else -1 for m in found], dtype=np.int16)
    other = [file_id for file_id, match in zip(listing.ids, found, strict=True) if not match]
    rest = "none of JAFFE's and not annotated"
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        (
            Attribute("expression", tuple(JAFFE_EXPRESSIONS.values()), codes, "label"),
            encode_attribute("subject", [m and m[1].upper() for m in found], "subject"),
        ),
        rejects=[Reject(file_id, "name_not_jaffe") for file_id in other],
        notes=names_note(other, "file name is", "file names are", rest),
        facts=(("gender", "Female"), ("race", "Japanese (ten women, by the set's paper)")),
        label_source="The file names say which expression each woman was asked to pose (Lyons et al. 1998); "
        "how viewers rated the images is not read.",
    )


jaffe = Reader(_mostly_named(_JAFFE), _read_jaffe)

CKPLUS_EXPRESSIONS = (
    *("neutral", "anger", "contempt", "disgust"),
    *("fear", "happy", "sadness", "surprise"),
)
"""By the number in an emotion file."""
_FRAME = re.compile(r"((S[0-9]{3})_[0-9]{3})_[0-9]{8}\.[a-z]+", re.IGNORECASE)
_EMOTION = r"S[0-9]{3}_[0-9]{3}_[0-9]{8}_emotion\.txt"


def _read_ckplus(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of CK+48 or of CK+. Attributes: expression, subject.

    Of CK+, which has emotion files or no class folders, the last frame of each sequence is the row.
    A name that cannot be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    files = given.listing.named(_EMOTION)
    folders = [f"/{file_id}".split("/")[-2] for file_id in listing.ids]
    classes = [encodable(each) if is_expression(each) else None for each in folders]
    in_sequences = bool(files) or not any(classes)
    if in_sequences:
        kept, expression, rejects = _last_frames(listing, given.listing, files)
    else:
        kept, expression = listing, encode_attribute("expression", classes, "label")
        pairs = zip(kept.ids, classes, strict=True)
        rejects = [Reject(file_id, "no_class_folder") for file_id, word in pairs if not word]
    found = [_FRAME.fullmatch(name) for name in kept.names()]
    other = [file_id for file_id, match in zip(kept.ids, found, strict=True) if not match]
    frames = [match for match in found if match]
    earlier = len(listing.ids) - len(kept.ids)
    notes = []
    if in_sequences:
        unsaid = int(np.count_nonzero(expression.codes < 0))
        notes.append(
            f"Each sequence is one row, its last frame: {counted(earlier, 'earlier frame was', 'earlier frames were')} "
            f"skipped. {counted(unsaid, 'row has', 'rows have')} no emotion and so no label."
        )
    elif frames:
        sequences = counted(len({frame[1].upper() for frame in frames}), "sequence")
        people = counted(len({frame[2].upper() for frame in frames}), "person", "people")
        notes.append(
            f"{counted(len(frames), 'image is a frame', 'images are frames')} of {sequences} of {people}; frames of one "
            "sequence are nearly the same picture: test by subject, never by image."
        )
    rest = "none of CK+'s, so the subject is not known"
    notes += names_note(other, "file name is", "file names are", rest)
    subjects = [frame and frame[2].upper() for frame in found]
    return make_dataset(
        given,
        kept.source(),
        kept.ids,
        (expression, encode_attribute("subject", subjects, "subject")),
        rejects=(*rejects, *(Reject(file_id, "name_not_ckplus") for file_id in other)),
        notes=notes,
        skipped=(("earlier frame of a sequence", earlier),),
        label_source="Emotions that follow from the FACS codes of each last frame (Lucey et al. 2010)."
        if in_sequences
        else "The class folders' names, which repeat the emotions of CK+ (Lucey et al. 2010).",
        read=files,
    )


def _last_frames(
    listing: Listing, labels: Listing, files: Sequence[str]
) -> tuple[Listing, Attribute, list[Reject]]:
    """Return the last frame of every sequence, its expression, and the emotion files that could not be used."""
    last: dict[str, int] = {}
    for row, (file_id, name) in enumerate(zip(listing.ids, listing.names(), strict=True)):
        # frame numbers have one length and ids are sorted: the last one of a sequence comes last
        last[file_id.rpartition("_")[0] if _FRAME.fullmatch(name) else file_id] = row
    kept = listing.take(np.array(sorted(last.values()), dtype=np.intp))
    said: dict[str, tuple[str, int]] = {}
    rejects = []
    for file in files:
        data = read_small_file(f"{labels.root}/{file}", limit=MAX_LABEL_BYTES)
        try:  # one number such as `6.0000000e+00`
            code = {float(i): i for i in range(len(CKPLUS_EXPRESSIONS))}[float(data or b"")]
        except (ValueError, KeyError):
            rejects.append(Reject(file, "label_unreadable"))
        else:
            said[file.rpartition("/")[2].rpartition("_")[0].upper()] = (file, code)
    stems = [name.rpartition(".")[0].upper() for name in kept.names()]
    codes = np.array([said.get(stem, ("", -1))[1] for stem in stems], np.int16)
    unused = said.keys() - set(stems)
    rejects += [Reject(said[x][0], "not_of_a_last_frame") for x in said if x in unused]
    return kept, Attribute("expression", CKPLUS_EXPRESSIONS, codes, "label"), rejects


ckplus = Reader(_mostly_named(_FRAME), _read_ckplus)

_NAMES = tuple(CODES["expression", "affectnet"].values())
EXPRESSIONS, NO_EXPRESSIONS = _NAMES[:8], _NAMES[8:]
"""AffectNet's by the set's code; the last three are no expressions."""
_LABEL = re.compile(r"((?:.*/)?(?:train|val)_set/)annotations/([0-9]+)_exp\.npy")
_IMAGE = re.compile(r"((?:.*/)?((?:train|val)_set)/)images/([0-9]+)\.[^/]+")
_NPY = re.compile(
    rb"\x93NUMPY\x01\0(..)\{'descr': '([<>|])([USiu])([1-9][0-9]?)', "
    rb"'fortran_order': False, 'shape': \((?:1,)?\), \} *\n",
    re.DOTALL,
)
"""The header that numpy writes for one word or whole number: order, kind, size of the value.
np.load would make room for whatever a header claims, and takes nine times as long."""


def _sniff_affectnet8(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with a label file of that name in that place."""
    fits = given.is_folder and any(map(_LABEL.fullmatch, given.listing.others))
    return Match.CERTAIN if fits else Match.NO


def _read_affectnet8(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the images and label files. Attributes: expression, split.

    An image without a label that can be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    found = map(_LABEL.fullmatch, given.listing.others)
    files = {match[1] + match[2]: match[0] for match in found if match}
    every = tuple(files.values())
    images = [_IMAGE.fullmatch(file_id) for file_id in listing.ids]
    codes = np.full(len(images), -1, np.int16)
    unsaid: Counter[str] = Counter()
    rejects: list[Reject] = []
    for row, image in enumerate(images):
        file = files.pop(image[1] + image[3], None) if image else None
        if file is None:
            rejects.append(Reject(listing.ids[row], "label_missing"))
            continue
        code = parse_npy(read_small_file(f"{given.root}/{file}", limit=MAX_LABEL_BYTES) or b"")
        if code is None:
            rejects.append(Reject(listing.ids[row], "label_unreadable"))
        elif code < len(EXPRESSIONS):
            codes[row] = code
        else:
            unsaid[_NAMES[code]] += 1
    left = [*files.values()]
    said = tuple((word, unsaid[word]) for word in NO_EXPRESSIONS if unsaid[word])
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        (
            Attribute("expression", EXPRESSIONS, codes, "label", unsaid=said),
            encode_attribute("split", [image and image[2] for image in images], "split"),
        ),
        rejects=(*rejects, *(Reject(file, "image_missing") for file in left)),
        notes=names_note(left, "label file has", "label files have", "no image"),
        label_source="Each image was given its expression by one of twelve annotators "
        "(Mollahosseini, Hasani and Mahoor 2019).",
        read=every,
    )


@lru_cache(maxsize=1_024)  # 290,000 files hold one of a dozen codes
def parse_npy(data: bytes) -> int | None:
    """Return the code 0-10 in a .npy file of one text or whole number; None when it holds anything else."""
    header = _NPY.match(data)
    if header is None or header.end() - 10 != int.from_bytes(header[1], "little"):
        return None
    order: Literal["big", "little"] = "big" if header[2] == b">" else "little"
    kind, size, body = header[3], int(header[4]), data[header.end() :]
    if len(body) != size * (4 if kind == b"U" else 1):
        return None
    try:
        if kind in b"iu":
            word = str(int.from_bytes(body, order, signed=kind == b"i"))
        else:
            word = body.decode("ascii" if kind == b"S" else f"utf-32-{order[0]}e")
    except UnicodeDecodeError:
        return None
    return {str(code): code for code in range(len(_NAMES))}.get(word.rstrip("\0").strip())


affectnet8 = Reader(_sniff_affectnet8, _read_affectnet8)
