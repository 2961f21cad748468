"""Copies of evidence for release show what the original shows, and tell nothing of who took it, where and when."""

import io
from typing import Any

import pikepdf
import pytest
from PIL import Image

from comity_node.services.evidence.jpeg import bare_jpeg
from comity_node.services.evidence.kinds import EvidenceRefused
from comity_node.services.evidence.stripping import strip


def picture(**saved: Any) -> bytes:
    drawn = io.BytesIO()
    image = Image.new("RGB", (40, 20), "navy")
    image.putpixel((0, 0), (255, 255, 255))
    image.save(drawn, **saved)
    return drawn.getvalue()


def stripped(media_type: str, raw: bytes) -> bytes:
    copy = io.BytesIO()
    strip(media_type, io.BytesIO(raw), copy)
    return copy.getvalue()


def test_a_photograph_loses_camera_place_and_time_and_keeps_what_it_shows() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0132], exif[0x0112] = "CanaryCam", "2026:09:14 10:00:00", 6
    exif.get_ifd(0x8825)[1] = "N"
    raw = picture(format="JPEG", exif=exif, comment=b"CanaryComment", icc_profile=b"CanaryProfile")
    assert b"CanaryCam" in raw and b"CanaryComment" in raw
    copy = stripped("image/jpeg", raw + b"CanaryTail")
    assert b"Canary" not in copy and b"Exif" not in copy
    with Image.open(io.BytesIO(copy)) as opened:
        assert (opened.size, len(opened.getexif())) == ((20, 40), 0)


def test_a_png_loses_its_texts() -> None:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    texts = PngInfo()
    texts.add_text("Author", "Canary Author")
    copy = stripped("image/png", picture(format="PNG", pnginfo=texts))
    assert b"Canary" not in copy
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_pdf_loses_author_xmp_attachments_scripts_and_comments_and_keeps_its_pages() -> None:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(2):
            made.add_blank_page()
        made.docinfo["/Author"] = "Canary Author"
        with made.open_metadata() as xmp:
            xmp["dc:creator"] = ["Canary Creator"]
        made.attachments["canary.txt"] = pikepdf.AttachedFileSpec(made, b"CanaryAttachment")
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="CanaryScript")
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Contents="CanaryComment")
        made.pages[0].obj["/Annots"] = made.make_indirect(pikepdf.Array([note]))
        made.pages[1].obj["/Metadata"] = made.make_stream(b"CanaryPage")
        made.save(raw, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert raw.getvalue().count(b"Canary") >= 4
    copy = stripped("application/pdf", raw.getvalue())
    with pikepdf.open(io.BytesIO(copy)) as opened:
        assert len(opened.pages) == 2
        written = io.BytesIO()
        opened.save(written, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"Canary" not in written.getvalue()


@pytest.mark.parametrize(
    ("media_type", "raw"),
    [
        ("text/plain", b"words"),
        ("image/png", b"\x89PNG\r\n\x1a\nbroken"),
        ("image/jpeg", b"GIF89a"),
        ("application/pdf", b"%PDF-1.7 broken"),
    ],
)
def test_what_cannot_be_rid_of_its_metadata_is_not_released(media_type: str, raw: bytes) -> None:
    with pytest.raises(EvidenceRefused):
        stripped(media_type, raw)


def test_what_was_made_transparent_in_a_png_is_not_given_away_under_it() -> None:
    drawn = Image.new("RGBA", (2, 1), (250, 1, 2, 255))
    drawn.putpixel((1, 0), (9, 200, 3, 0))
    raw = io.BytesIO()
    drawn.save(raw, "PNG")
    with Image.open(io.BytesIO(stripped("image/png", raw.getvalue()))) as opened:
        copy = opened.convert("RGBA")
    assert [copy.getpixel((n, 0)) for n in (0, 1)] == [(250, 1, 2, 255), (255, 255, 255, 255)]


def photograph() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0132] = "CanaryCam", "2026:09:14 10:00:00"
    exif.get_ifd(0x8825)[29] = "Canary place"
    return picture(format="JPEG", exif=exif, comment=b"CanaryComment", icc_profile=b"CanaryProfile") + b"CanaryTail"


def pdf_with(photo: bytes, **more: Any) -> bytes:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        shown = pikepdf.Stream(made, photo)
        for name, value in {
            "Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "Width": 40, "Height": 20,
            "ColorSpace": pikepdf.Name.DeviceRGB, "BitsPerComponent": 8, "Filter": pikepdf.Name.DCTDecode, **more,
        }.items():  # fmt: skip
            shown[f"/{name}"] = value
        page = made.pages[0]
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=shown))
        page.obj.Contents = made.make_stream(b"q 40 0 0 20 0 0 cm /Im0 Do Q")
        made.save(raw)
    return raw.getvalue()


def test_a_photograph_in_a_pdf_loses_what_its_camera_wrote_and_no_pixel_of_it() -> None:
    photo = photograph()
    copy = stripped("application/pdf", pdf_with(photo))
    with pikepdf.open(io.BytesIO(copy)) as opened:
        shown = opened.pages[0].obj.Resources.XObject.Im0.read_raw_bytes()
    assert photo.count(b"Canary") >= 4 and b"Canary" not in copy + shown and b"Exif" not in shown
    with Image.open(io.BytesIO(photo)) as before, Image.open(io.BytesIO(shown)) as after:
        assert (after.tobytes(), len(after.getexif())) == (before.tobytes(), 0)


def test_every_kind_of_jpeg_keeps_its_scans_and_one_without_an_end_is_ended() -> None:
    noise = Image.effect_noise((64, 48), 90).convert("RGB")
    for more in ({"progressive": True}, {"restart_marker_blocks": 2}, {"qtables": "web_low"}):
        raw = io.BytesIO()
        noise.save(raw, "JPEG", comment=b"Canary", **more)
        bare = bare_jpeg(raw.getvalue())
        with Image.open(io.BytesIO(raw.getvalue())) as before, Image.open(io.BytesIO(bare)) as after:
            assert after.tobytes() == before.tobytes() and b"Canary" not in bare
        assert bare_jpeg(raw.getvalue()[:-2]) == bare
    for broken in (b"", b"GIF89a", b"\xff\xd8xx", b"\xff\xd8\xff\xe1\x00\x10Exif"):
        with pytest.raises(ValueError, match=r"JPEG|marker"):
            bare_jpeg(broken)


def test_a_pdf_loses_what_its_pages_and_objects_carry_besides_what_they_show() -> None:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        page = made.pages[0].obj
        attached = pikepdf.AttachedFileSpec(made, b"CanaryAttachment", filename="canary.txt").obj
        told = pikepdf.Dictionary(Type=pikepdf.Name.Measure, Bounds="CanaryPlace")
        page.AF = pikepdf.Array([attached])
        page.VP = pikepdf.Array([pikepdf.Dictionary(Type=pikepdf.Name.Viewport, Name="CanaryMap", Measure=told)])
        form = made.make_stream(b"q Q")
        form.Type, form.Subtype, form.AF = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([attached])
        form.BBox = pikepdf.Array([0, 0, 9, 9])
        form.OC = made.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="CanaryLayer"))
        spoken = pikepdf.Dictionary(ActualText="CanaryWords", Metadata=made.make_stream(b"CanaryXmp"))
        page.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(Fm0=form),
            Properties=pikepdf.Dictionary(P0=spoken),
            ExtGState=pikepdf.Dictionary(G0=pikepdf.Dictionary(PieceInfo=pikepdf.Dictionary(Who="CanaryAuthor"))),
        )
        page.Contents = made.make_stream(b"/Span /P0 BDC /Fm0 Do EMC")
        made.save(raw, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert raw.getvalue().count(b"Canary") == 7
    copy = stripped("application/pdf", raw.getvalue())
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(copy)) as opened:
        assert opened.pages[0].obj.Resources.XObject.Fm0.BBox == [0, 0, 9, 9]
        opened.save(written, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"Canary" not in written.getvalue()


@pytest.mark.parametrize(
    "how", [pikepdf.Name.JPXDecode, pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.DCTDecode])]
)
def test_a_picture_in_a_pdf_that_cannot_be_looked_into_is_not_released(how: Any) -> None:
    with pytest.raises(EvidenceRefused):
        stripped("application/pdf", pdf_with(b"\x00\x00\x00\x0cjP  \r\n\x87\nCanary", Filter=how))
