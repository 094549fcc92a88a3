#!/usr/bin/env python3
"""Tests of check_style.py: each plants a fault and expects it to be found."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import check_style  # noqa: E402


class Project(unittest.TestCase):
    """A workspace of one crate in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("demo/Cargo.toml", "")

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def crate(self, **files):
        """Writes source files; `__` in a name is a folder."""
        for name, text in files.items():
            self.write(f"demo/src/{name.replace('__', '/')}.rs", text)

    def faults(self, check):
        with contextlib.redirect_stdout(io.StringIO()):
            return check(self.root)


class Summaries(Project):
    def test_finds_summary_that_begins_with_question_word(self):
        self.crate(lib="/// What it is.\npub struct A;\n")
        self.assertEqual(len(self.faults(check_style.check_summaries)), 1)

    def test_counts_each_doc_comment_once(self):
        text = "/// Returns it.\n///\n/// How it works.\n#[must_use]\n/// Where it is.\nfn a() {}\n"
        lines = [line for _, line in check_style.summary_lines(text)]
        self.assertEqual(lines, ["Returns it."])

    def test_a_word_that_only_begins_alike_is_none(self):
        self.assertFalse(check_style.opens_with_question("Whether it is on."))
        self.assertFalse(check_style.opens_with_question("However, it is."))
        self.assertTrue(check_style.opens_with_question("Who did it."))

    def test_allows_a_share_below_the_limit(self):
        good = "/// Returns it.\nfn a() {}\n" * 30
        self.crate(lib=good + "/// Who did it.\nfn b() {}\n")
        self.assertEqual(self.faults(check_style.check_summaries), [])


class Pages(Project):
    def test_finds_banned_word_in_text_and_its_line(self):
        self.write("redflash-http/src/page.hbs", "<p>\nWas told lately</p>")
        self.assertEqual(len(self.faults(check_style.check_pages)), 1)
        self.assertEqual(list(check_style.banned_words("<p>\nWas told.</p>")), [(2, "told")])

    def test_ignores_names_in_tags_and_expressions(self):
        self.assertEqual(list(check_style.banned_words('<a class="told">{{page.told}}{{!-- said --}}</a>')), [])


class Lengths(Project):
    def test_finds_long_file_and_allows_the_limit(self):
        self.crate(lib="//\n" * check_style.MAX_LINES)
        self.assertEqual(self.faults(check_style.check_lengths), [])
        self.crate(lib="//\n" * (check_style.MAX_LINES + 1))
        self.assertEqual(len(self.faults(check_style.check_lengths)), 1)


class Circles(Project):
    def circles(self):
        return self.faults(check_style.check_circles)

    def test_finds_two_files_that_use_each_other(self):
        self.crate(lib="mod a;\nmod b;\n", a="use crate::b::B;\npub struct A;\n", b="use super::a::A;\npub struct B;\n")
        self.assertEqual(len(self.circles()), 1)

    def test_finds_inline_paths(self):
        self.crate(
            lib="mod a;\nmod b;\n",
            a="fn f() { crate::b::g() }\n",
            b="use crate::a;\npub fn g() { a::f() }\n",
        )
        self.assertEqual(len(self.circles()), 1)

    def test_follows_reexports_to_the_file_that_defines_a_name(self):
        self.crate(
            lib="mod a;\nmod b;\npub use a::A;\npub use b::B;\n",
            a="use crate::B;\npub struct A;\n",
            b="use crate::{A};\npub struct B;\n",
        )
        self.assertEqual(len(self.circles()), 1)

    def test_leaves_out_parents_and_children(self):
        self.crate(lib="mod a;\n", a="mod b;\nuse b::B;\npub struct A;\n", a__b="use super::A;\npub struct B;\n")
        self.assertEqual(self.circles(), [])

    def test_reads_grouped_imports_over_several_lines(self):
        self.crate(
            lib="mod a;\nmod b;\nmod c;\n",
            a="use crate::{\n    b::{B, X},\n    c::C as D,\n};\n",
            b="pub struct B;\npub struct X;\n",
            c="use crate::a;\npub struct C;\nfn f() { a::g() }\n",
        )
        self.assertEqual(len(self.circles()), 1)
        self.assertIn("circle of 2 files", self.circles()[0])

    def test_ignores_comments_strings_and_test_modules(self):
        self.crate(
            lib="mod a;\nmod b;\n",
            a="use crate::b::B;\npub struct A;\n",
            b='// use crate::a::A;\nconst T: &str = "crate::a::A";\npub struct B;\n'
            "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n",
        )
        self.assertEqual(self.circles(), [])

    def test_ignores_files_of_tests(self):
        self.crate(
            lib="mod a;\nmod b;\n",
            a="use crate::b::B;\npub struct A;\n#[cfg(test)]\nmod tests;\n",
            a__tests="use crate::b::B;\n",
            b="pub struct B;\n#[cfg(test)]\nmod tests;\n",
            b__tests="use crate::a::A;\n",
        )
        self.assertEqual(self.circles(), [])

    def test_follows_mounted_folders(self):
        self.crate(
            lib='#[path = "shared/mod.rs"]\n#[expect(dead_code)]\nmod query;\n',
            shared__mod="mod a;\nmod b;\n",
            shared__a="use super::b::B;\npub struct A;\n",
            shared__b="use super::a::A;\npub struct B;\n",
        )
        self.assertEqual(len(self.circles()), 1)

    def test_one_way_arrows_are_no_circle(self):
        self.crate(lib="mod a;\nmod b;\n", a="use crate::b::B;\n", b="pub struct B;\n")
        self.assertEqual(self.circles(), [])


if __name__ == "__main__":
    unittest.main()
