"""One document as Word, PDF and HTML: same words, numbers, links; a text is only text."""

import re
import zipfile
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import docx
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from pypdf import PdfReader

from backtest.present.document import (
    Code,
    Contents,
    Document,
    Heading,
    Listing,
    Numbers,
    Paragraph,
    Picture,
    Ref,
    Span,
    Tabular,
    Terms,
    line,
    write_document,
)
from backtest.present.document import write as writing
from backtest.present.document.layout import sheets
from backtest.present.document.pdf import compile_pdf
from backtest.present.document.typst_source import typst_source
from backtest.present.document.word import word_file
from backtest.present.document.write import moment
from backtest.present.rendering import KINDS, file_of
from backtest.present.sheet import Caption
from backtest.present.table import Cell, TextTable
from backtest.types import ResultsError

HOSTILE = "<script>alert(1)</script> #panic(\"x\") $y$ \\ `z` *b* _i_ @x & 'q' \u66f8\u202e\x01"
WIDE = tuple(f"column {place}" for place in range(14))


def facts() -> TextTable:
    return TextTable.of_facts("Facts", [("sha256", "f" * 64), (HOSTILE, HOSTILE)])


def nested() -> TextTable:
    rows = {"low": 0.0024, "rate": 0.0073}
    columns = {"rate": lambda row: f"{row['rate']:.2%} [{row['low']:.2%}]"}
    groups = [("book one", [("siloed", rows)]), (HOSTILE, [("var", rows), ("offset", rows)])]
    return TextTable.nest("Rates by book", ("book", "model"), groups, columns, note="A note.")


def wide() -> TextTable:
    cells = tuple(Cell(f"{place},234.5 [{place}.1, {place}.9]") for place in range(len(WIDE)))
    return TextTable("A wide one", ("book", *WIDE), ((f"a {HOSTILE}", (cells,)), ("b", (cells,))))


def document() -> Document:
    see = line("See ", Ref("picture"), ", ", Ref("wide"), " and ", Ref("two.one"), ".")
    blocks = (
        Paragraph(see, "lead"),
        Contents(),
        Heading("One", 1, "one"),
        Paragraph(line(HOSTILE, Span(" bold", strong=True), Span("x()", code=True))),
        Paragraph(line("must be seen"), "alarm"),
        Paragraph(line(Span("there", link="https://example.org/?a=1&b=\"2\"")), "quote"),
        Tabular("nested", nested(), note="Days of history."),
        Heading("Two", 1, "two", new_page=True),
        Heading(f"Two one {HOSTILE}", 2, "two.one"),
        Picture("picture", f"It rises by 3.2 %. {HOSTILE}", f"A line. {HOSTILE}", "figures/one"),
        Tabular("wide", wide(), simulated=True),
        Heading("Unlisted", 2, "two.two", listed=False),
        Heading("Unnumbered", 3, "three"),
        Tabular("facts", facts()),
        Listing((line("first"), line(HOSTILE)), ordered=True),
        Terms(((f"term {HOSTILE}", line("explained in ", Ref("one"))),)),
        Code(f"backtest run\n{HOSTILE}"),
    )  # fmt: skip
    return Document(f"Title {HOSTILE}", blocks, "Subtitle", f"Header {HOSTILE}", "20260629T120000Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("document"))


def written(folder: Path) -> Path:
    (folder / "figures").mkdir()
    drawing, axes = plt.subplots(figsize=(6.5, 2))
    axes.plot([1, 2])
    for kind in KINDS:
        content = file_of(drawing, kind, "one", Caption("It rises", "note", HOSTILE))
        (folder / "figures" / f"one.{kind}").write_bytes(content)
    plt.close(drawing)
    pd.DataFrame({"x": [1, 2]}).to_csv(folder / "figures" / "one.csv")
    write_document(document(), folder, "annex")
    return folder


class Page(HTMLParser):
    """Ids, links and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.alts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "img":
            self.alts.append(attributes["alt"])


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_long_words_are_broken_in_the_pdf_and_lose_no_letter(tmp_path):
    word = "".join(f"{n:03d}x" for n in range(40))
    table = TextTable.of_facts("Facts", [("sha256", word)])
    write_document(Document("D", (Tabular("facts", table),)), tmp_path, "d")
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "d.pdf").pages)
    assert word in re.sub(r"[\s\u200b]", "", text) and "\ufffd" not in text


def test_words_are_folded_sooner_than_a_table_is_cut_into_parts():
    sentence = Cell("a sentence of some words that may be folded", words=True)
    many = tuple(f"column {n}" for n in range(5))
    table = TextTable("T", ("book", *many), (("F1", (tuple(sentence for _ in many),)),))
    (part,) = sheets(table)
    assert len(part.heads) == 6 and sum(part.widths) <= 6.5 * 72.0 + 1e-9
    whole = Cell("unbreakablewordof30lettershere", words=True)
    assert len(sheets(TextTable("T", ("book", *many), (("F1", ((whole,) * 5,)),)))) > 1


def test_columns_of_words_take_the_room_that_numbers_leave():
    words = Cell("a sentence of many words " * 30, words=True)
    table = TextTable("T", ("no.", "finding", "rate"), (("F1", ((words, Cell("1.00 %")),)),))
    (part,) = sheets(table)
    assert sum(part.widths) == pytest.approx(6.5 * 72.0)
    assert part.widths[1] > 350 and part.widths[2] < 60


def test_every_number_that_is_referred_to_is_printed_in_all_three(folder: Path) -> None:
    labels = Numbers.of(document()).labels
    assert labels["picture"] == "Figure 1" and labels["two.one"] == "section 2.1"
    assert [labels[name] for name in ("nested", "wide", "facts")] == [
        "Table 1",
        "Table 2",
        "Table 3",
    ]
    pdf = words_of(" ".join(page.extract_text() for page in PdfReader(folder / "annex.pdf").pages))
    html = words_of(re.sub(r"<[^>]+>", "", (folder / "annex.html").read_text()))
    word = words_of(" ".join(p.text for p in docx.Document(folder / "annex.docx").paragraphs))
    for text in (pdf, html, word):
        assert "See Figure 1, Table 2 and section 2.1." in text
        assert "It rises by 3.2 %." in text and "Table 1. Rates by book" in text
        assert "2 Two" in text and "SIMULATED. A wide one" in text


def test_links_of_the_page_resolve_and_nothing_of_a_user_is_markup(folder: Path) -> None:
    text = (folder / "annex.html").read_text()
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert {"picture", "wide", "two.one", "one"} <= set(inner) and set(inner) <= set(page.ids)
    assert "two.two" in page.ids and "two.two" not in inner
    others = [link for link in page.links if not link.startswith("#")]
    assert others == ['https://example.org/?a=1&b="2"', "figures/one.csv"]
    assert "script" not in page.tags and page.alts == [f"A line. {HOSTILE}"]


def test_the_pdf_is_a_letter_tagged_with_its_fonts_inside(folder: Path) -> None:
    reader = PdfReader(folder / "annex.pdf")
    assert {tuple(map(float, page.mediabox[2:])) for page in reader.pages} == {(612.0, 792.0)}
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and str(root["/Lang"]).startswith("en")
    alts = re.findall(r"A line\.", _alts(root["/StructTreeRoot"]))
    assert alts
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[inner["/BaseFont"]] = inner
    assert fonts
    for font in fonts.values():
        described = font["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(described), font
    assert reader.metadata.title.startswith("Title <script>")


def _alts(node) -> str:
    node = node.get_object()
    if not hasattr(node, "get"):
        return ""
    own, kids = str(node.get("/Alt", "")), node.get("/K", [])
    kids = kids.get_object() if hasattr(kids, "get_object") else kids
    kids = kids if isinstance(kids, list) else [kids]
    return own + "".join(_alts(kid) for kid in kids if not isinstance(kid, int))


def test_no_line_of_the_pdf_leaves_the_page(folder: Path) -> None:
    for page in PdfReader(folder / "annex.pdf").pages:
        ends: list[float] = []

        def visit(text, cm, tm, fonts, size, ends=ends) -> None:
            if text.strip():
                x = tm[4] * cm[0] + cm[4]
                ends.append(x)

        page.extract_text(visitor_text=visit)
        assert all(71.0 <= x <= 541.0 for x in ends), ends


def test_word_has_headings_vectors_descriptions_and_working_references(folder: Path) -> None:
    word = docx.Document(folder / "annex.docx")
    heads = [
        (p.style.name, p.text.split(" ")[0]) for p in word.paragraphs if "Heading" in p.style.name
    ]
    assert heads == [
        ("Heading 1", "1"),
        ("Heading 1", "2"),
        ("Heading 2", "2.1"),
        ("Heading 2", "2.2"),
        ("Heading 3", "Unnumbered"),
    ]
    xml = word.element.xml
    marks = re.findall(r'w:bookmarkStart [^>]*w:name="([^"]+)"', xml)
    assert len(marks) == len(set(marks)) == len(Numbers.of(document()).labels) == 9
    targets = re.findall(r"REF (_Ref\d+) ", xml) + re.findall(r'w:anchor="([^"]+)"', xml)
    assert targets and set(targets) <= set(marks)
    (shape,) = word.inline_shapes
    assert shape._inline.docPr.get("descr").startswith("A line.") and shape.width == 6.5 * 914400
    vector = re.search(r'svgBlip [^>]*r:embed="(rId\d+)"', xml)[1]
    drawing = word.part.related_parts[vector].blob
    assert b'xmlns="http://www.w3.org/2000/svg"' in drawing and b"It rises" in drawing
    assert len(word.tables) == sum(len(sheets(table)) for table in (nested(), wide(), facts()))
    for table in word.tables:
        widths = [int(w) for w in re.findall(r'<w:gridCol w:w="(\d+)"', table._tbl.xml)]
        assert sum(widths) <= 20 * 468 + 2


def test_tables_hold_every_cell_in_all_three(folder: Path) -> None:
    cells = [cell.text for _, rows in wide().groups for cell in rows[0]]
    word = {
        c.text for t in docx.Document(folder / "annex.docx").tables for r in t.rows for c in r.cells
    }
    html = (folder / "annex.html").read_text()
    pdf = words_of(" ".join(page.extract_text() for page in PdfReader(folder / "annex.pdf").pages))
    for cell in cells:
        assert cell in word and f">{cell}<" in html and cell in pdf


def test_the_same_document_makes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = written(tmp_path)
    for kind in ("docx", "pdf", "html", "typ"):
        assert (again / f"annex.{kind}").read_bytes() == (folder / f"annex.{kind}").read_bytes(), (
            kind
        )
    with zipfile.ZipFile(BytesIO((folder / "annex.docx").read_bytes())) as parts:
        assert {info.date_time for info in parts.infolist()} == {(2026, 6, 29, 12, 0, 0)}


def test_a_reference_to_nothing_and_two_of_one_name_are_errors() -> None:
    with pytest.raises(ValueError, match="'nothing'"):
        Numbers.of(Document("D", (Paragraph(line(Ref("nothing"))),)))
    with pytest.raises(ValueError, match="two blocks"):
        Numbers.of(Document("D", (Heading("A", 1, "a"), Heading("B", 1, "a"))))
    with pytest.raises(ValueError, match="'b' skips a level"):
        Numbers.of(Document("D", (Heading("A", 1, "a"), Heading("B", 3, "b"))))


def test_what_is_missing_is_one_line(tmp_path: Path, monkeypatch) -> None:
    picture = Picture("p", "t", "a", "figures/none")
    with pytest.raises(ResultsError, match="figures/none.svg"):
        write_document(Document("D", (picture,)), tmp_path, "annex")
    monkeypatch.setattr(writing, "find_spec", lambda name: None)
    with pytest.raises(ResultsError, match=r"python-docx and typst not installed.*\[report\]"):
        write_document(Document("D", ()), tmp_path, "annex")
    assert not list(tmp_path.iterdir())


def test_a_numbered_list_counts_from_one_whatever_stands_before_it(tmp_path: Path) -> None:
    lists = [Listing(tuple(line(word) for word in words), ordered=True) for words in ("abc", "de")]
    document = Document("D", (Heading("H", 1, "h"), lists[0], Paragraph(line("x")), lists[1]))
    word = docx.Document(BytesIO(word_file(document, Numbers.of(document), tmp_path, moment(""))))
    used = [p._p.pPr.numPr.numId.val for p in word.paragraphs if p.style.name == "List Number"]
    assert len(used) == 5 and len({*used[:3]}) == len({*used[3:]}) == 1 and used[0] != used[3]
    for number in {*used}:
        made = word.part.numbering_part.element.num_having_numId(number)
        (override,) = made.lvlOverride_lst
        assert override.ilvl == 0 and override.startOverride.val == 1


def test_no_head_is_left_alone_at_the_foot_of_a_page(tmp_path: Path) -> None:
    rows = tuple((f"r{n}", ((Cell(f"c{n}."),),)) for n in range(30))
    table = Tabular("t", TextTable("Rates", ("book", "value"), rows))
    said = (Paragraph(line("NAMED"), keep=True), Listing((line("the entry"),)))
    near = set()
    for count in range(28, 50):
        filling = tuple(Paragraph(line(f"filling {n}")) for n in range(count))
        for blocks in ((table,), said):
            document = Document("D", (Heading("H", 1, "h"), *filling, *blocks))
            file = tmp_path / "d.typ"
            file.write_text(typst_source(document, Numbers.of(document), tmp_path, moment("")))
            pages = PdfReader(BytesIO(compile_pdf(file, moment("")))).pages
            first = pages[0].extract_text()
            if "Table 1." in first:
                near.add(sum(f"c{n}." in first for n in range(30)))
            assert ("NAMED" in first) == ("the entry" in first)
    assert 3 <= min(near) <= 6, near
    document = Document("D", (Heading("H", 1, "h"), table))
    word = docx.Document(BytesIO(word_file(document, Numbers.of(document), tmp_path, moment(""))))
    kept = [
        all(p.paragraph_format.keep_with_next for cell in row.cells for p in cell.paragraphs)
        for row in word.tables[0].rows
    ]
    assert kept == [True, True, True] + [False] * 28
