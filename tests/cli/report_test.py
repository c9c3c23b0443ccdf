"""What tools/report writes is well-formed, escaped, and needs nothing from anywhere else."""

import csv
import subprocess
import unittest
import xml.etree.ElementTree as xml

from harness import BUILD, CliTest

SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"
NASTY = "<script>alert(\"1\")</script> & 'quotes' ]]> \ufffd\ufffd \u00b5s"


class ReportTest(CliTest):
    def setUp(self):
        super().setUp()
        subprocess.run([BUILD / "report_sample", self.directory], check=True)

    def test_plots_are_xml_with_title_and_description(self):
        for number in range(4):
            root = xml.parse(self.directory / f"plot{number}.svg").getroot()
            self.assertEqual(root.tag, SVG + "svg")
            self.assertEqual([child.tag for child in root][:2], [SVG + "title", SVG + "desc"])
            self.assertTrue(root.find(SVG + "title").text)

    def test_nothing_leaves_the_picture(self):
        for number in range(4):
            for element in xml.parse(self.directory / f"plot{number}.svg").iter():
                for name, limit in (("x", 760), ("y", 400), ("x1", 760), ("x2", 760), ("y1", 400), ("y2", 400)):
                    if name in element.attrib:
                        self.assertTrue(0 <= float(element.get(name)) <= limit, (number, element.tag, element.attrib))

    def test_the_page_is_xml_and_text_stays_text(self):
        root = xml.parse(self.directory / "page.html").getroot()
        self.assertEqual(root.tag, HTML + "html")
        tags = {element.tag.split("}")[1] for element in root.iter()}
        self.assertFalse(tags & {"script", "link", "img", "iframe", "object", "b"}, tags)
        texts = ["".join(element.itertext()) for element in root.iter()]
        self.assertIn(NASTY, texts)
        self.assertEqual(root.find(f".//{HTML}caption").text, NASTY)

    def test_the_page_names_no_other_resource(self):
        for element in xml.parse(self.directory / "page.html").iter():
            for name, value in element.attrib.items():
                self.assertFalse(name in ("src", "srcset", "data", "action") or name.startswith("on"), (name, value))
                if name == "href":
                    self.assertTrue(value.startswith("#"), value)
        text = (self.directory / "page.html").read_text()
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)

    def test_headings_are_listed_and_linked(self):
        root = xml.parse(self.directory / "page.html").getroot()
        ids = {element.get("id") for element in root.iter(HTML + "h2")}
        self.assertEqual({element.get("href")[1:] for element in root.iter(HTML + "a")}, ids)

    def test_the_table_reads_back(self):
        with open(self.directory / "table.csv", newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = list(csv.reader(file))
        self.assertEqual(rows[0], ["name", "value", "count"])
        self.assertEqual(rows[2], ["'=1+1", "", "-4"])
        self.assertEqual(rows[3], ["a, \"b\"\nc", "1e-09", "0"])


if __name__ == "__main__":
    unittest.main()
