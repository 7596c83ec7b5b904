"""
documents.py - makes small documents of every format, from a list of sentences.

Only as much of each format as a reader needs: a .docx of one part, a PDF of one font.
"""

import html
import io
import zipfile

WORDS = (
    "anchor beacon channel dredger estuary ferry gangway harbour island jetty keel lantern mooring narrows "
    "outrigger pilot quay rudder skipper tide undertow vessel wharf yawl"
).split()


def sentences(name, count):
    """Sentences that appear nowhere else: each tells whose it is and its number."""
    for number in range(1, count + 1):
        first, second = (WORDS[(number * step) % len(WORDS)] for step in (7, 11))
        yield f"Entry {number} of {name} tells how the {first} met the {second} before the tide had turned."


def text(lines):
    return "\n".join(lines) + "\n"


def markdown(title, lines):
    return f"# {title}\n\n" + "\n\n".join(lines) + "\n"


def html_page(title, lines):
    paragraphs = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>\n{paragraphs}\n</body></html>\n"


def docx(lines):
    """A Word document with a paragraph for each line."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{html.escape(line)}</w:t></w:r></w:p>" for line in lines)
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        "</Relationships>",
        "word/document.xml": f'<w:document xmlns:w="{main}"><w:body>{paragraphs}</w:body></w:document>',
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + part)
    return archive.getvalue()


def pdf(lines, lines_of_a_page=40, encrypted=False):
    """A PDF in Helvetica.  An encrypted one names a key that nobody has."""
    pages = [lines[start : start + lines_of_a_page] for start in range(0, len(lines), lines_of_a_page)]
    numbers = [4 + 2 * page for page in range(len(pages))]
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{n} 0 R' for n in numbers)}] >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, page in zip(numbers, pages):
        shown = "\n".join(f"({line}) Tj T*" for line in page)
        content = f"BT /F1 10 Tf 14 TL 40 780 Td\n{shown}\nET".encode()
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        objects[number + 1] = b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)
    return pdf_file(objects, encrypted)


def pdf_file(objects, encrypted):
    more = b""
    if encrypted:
        secret = b"<" + b"5a" * 32 + b">"
        objects[len(objects) + 1] = (
            b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O " + secret + b" /U " + secret + b" >>"
        )
        more = b" /Encrypt %d 0 R /ID [<00> <00>]" % len(objects)
    file = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in sorted(objects.items()):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R%b >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, more, table)
    return bytes(file)
