"""A copy of an image or PDF without what it says besides what it shows: camera, place, time, author, earlier versions.

Images are drawn anew from their pixels, turned as their orientation said; nothing else is carried over, also no colour
under what is transparent. Of a PDF the pages are copied into a new document, without information, XMP, attachments,
scripts, forms' actions and comments; photographs inside lose what their cameras wrote into them.
What is to be seen on an image or page stays: whoever releases it looks first.
"""

from collections.abc import Callable
from typing import Any, BinaryIO, Final

import pikepdf
from PIL import Image, ImageOps

from comity_node.services.evidence.jpeg import bare_jpeg
from comity_node.services.evidence.kinds import EvidenceRefused

MOST_PIXELS = 64_000_000
"""Largest image, in pixels: a small file can unpack to gigabytes."""

_OF_A_PAGE: Final = frozenset(
    "/Type /Parent /Resources /MediaBox /CropBox /BleedBox /TrimBox /ArtBox /Contents /Rotate /Group /UserUnit".split()
)
"""What of a page shows something; an attachment, a place on a map and whatever else a page may carry does not."""

_BESIDE: Final = (
    "/Metadata /PieceInfo /LastModified /AF /Measure /PtData /OPI /Alternates /OC /StructParent /StructParents".split()
)
"""What any object of a PDF may carry besides what it shows."""


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
        bare = Image.new("RGB", turned.size, "white")
        if turned.has_transparency_data:
            # What was erased is often only made transparent: its colours are still there.
            seen = turned.convert("RGBA")
            bare.paste(seen, mask=seen.getchannel("A"))
        else:
            bare.paste(turned.convert("RGB"))
    bare.save(copy, format=kind, **({"quality": 92} if kind == "JPEG" else {}))


def _pdf(original: BinaryIO, copy: BinaryIO) -> None:
    with pikepdf.open(original) as opened, pikepdf.new() as bare:
        bare.pages.extend(opened.pages)
        for page in bare.pages:
            for name in set(page.obj.keys()) - _OF_A_PAGE:
                del page.obj[name]
        for held in bare.objects:
            _rid(held)
            if isinstance(held, pikepdf.Stream) and held.get("/Subtype") == pikepdf.Name.Image:
                _rid_picture(held)
        bare.save(copy, fix_metadata_version=False, deterministic_id=True)


def _rid(held: Any) -> None:
    """Take out of an object, and of what lies within it, all that it carries besides what it shows."""
    within = [held]
    while within:
        each = within.pop()
        if isinstance(each, pikepdf.Array):
            parts = list(each)
        elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            for name in _BESIDE:
                if name in each:
                    del each[name]
            if isinstance(properties := each.get("/Properties"), pikepdf.Dictionary):
                # Of marked content, which names them: a layer's name, a text to be read aloud.
                for name in list(properties.keys()):
                    properties[name] = pikepdf.Dictionary()
            parts = [part for _, part in each.items()]
        else:
            continue
        within += [part for part in parts if isinstance(part, pikepdf.Object) and not part.is_indirect]


def _rid_picture(picture: pikepdf.Stream) -> None:
    filters = picture.get("/Filter")
    written = [filters] if isinstance(filters, pikepdf.Name) else list(filters or ())
    if pikepdf.Name.JPXDecode in written:
        raise EvidenceRefused(
            "a picture in this PDF is JPEG 2000, which cannot be rid of its metadata here: it is not released. Make a "
            "PDF of what may be seen with another program, and list that"
        )
    if pikepdf.Name.DCTDecode not in written:
        return
    if len(written) > 1:
        raise ValueError("a photograph within another filter")
    how_it_was_coded = picture.get("/DecodeParms")
    picture.write(bare_jpeg(picture.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)
    if how_it_was_coded is not None:
        picture["/DecodeParms"] = how_it_was_coded


_MAKERS: Final[dict[str, Callable[[BinaryIO, BinaryIO], None]]] = {
    "image/jpeg": _image,
    "image/png": _image,
    "application/pdf": _pdf,
}
