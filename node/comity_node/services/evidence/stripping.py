"""A copy of an image or PDF without what it says besides what it shows: camera, place, time, author, earlier versions.

Images are drawn anew from their pixels, turned as their orientation said; nothing else is carried over. Of a PDF the
pages are copied into a new document, without information, XMP, attachments, scripts, forms' actions and comments.
What is to be seen on an image or page stays: whoever releases it looks first.
"""

from collections.abc import Callable
from typing import BinaryIO, Final

import pikepdf
from PIL import Image, ImageOps

from comity_node.services.evidence.kinds import EvidenceRefused

MOST_PIXELS = 64_000_000
"""Largest image, in pixels: a small file can unpack to gigabytes."""

_OF_PAGES = ("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/Annots", "/Thumb", "/StructParents", "/B")


def strip(media_type: str, original: BinaryIO, copy: BinaryIO) -> None:
    """Write a copy without metadata.

    Raises:
        EvidenceRefused: no such copy can be made of this type, or of this file.
    """
    make = _MAKERS.get(media_type)
    if make is None:
        raise EvidenceRefused(
            f"nothing that is {media_type} can be rid of its metadata here: it is not released. Make a PDF of what may "
            "be seen, and list that"
        )
    try:
        make(original, copy)
    except (OSError, ValueError, SyntaxError, pikepdf.PdfError, Image.DecompressionBombError) as error:
        raise EvidenceRefused("the file is damaged, protected or too large to be rid of its metadata") from error


def _image(original: BinaryIO, copy: BinaryIO) -> None:
    with Image.open(original, formats=("JPEG", "PNG")) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        kind = opened.format
        turned = ImageOps.exif_transpose(opened)
        mode = "RGBA" if kind == "PNG" and "A" in turned.getbands() else "RGB"
        drawn = turned.convert(mode)
    bare = Image.new(drawn.mode, drawn.size)
    bare.paste(drawn)
    bare.save(copy, format=kind, **({"quality": 92} if kind == "JPEG" else {}))


def _pdf(original: BinaryIO, copy: BinaryIO) -> None:
    with pikepdf.open(original) as opened, pikepdf.new() as bare:
        bare.pages.extend(opened.pages)
        for page in bare.pages:
            for name in _OF_PAGES:
                if name in page.obj:
                    del page.obj[name]
        for held in bare.objects:
            if isinstance(held, pikepdf.Stream):
                for name in ("/Metadata", "/PieceInfo", "/LastModified"):
                    if name in held:
                        del held[name]
        bare.save(copy, fix_metadata_version=False, deterministic_id=True)


_MAKERS: Final[dict[str, Callable[[BinaryIO, BinaryIO], None]]] = {
    "image/jpeg": _image,
    "image/png": _image,
    "application/pdf": _pdf,
}
