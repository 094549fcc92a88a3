#!/usr/bin/env python3
"""Checks the reading rules of the source: summaries, page words, file lengths, circles of files.

Prints each place that breaks a rule and exits with 1 if there is one.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

MAX_LINES = 450
MAX_QUESTION_SHARE = 0.04
QUESTION_WORDS = ("What", "How", "Who", "Why", "Where")
# Words that page templates may not use: each is a coinage or a translation, with a plain word beside it.
BANNED_ON_PAGES = (
    "told", "said", "stands", "whoever", "anew", "so many", "comes of", "gives word", "by hand", "the way of",
    "named by", "nobody knows", "not for now", "to look at", "the same again", "look again", "another password",
)


def crates(root):
    """Returns the folders of the workspace that have a `src/lib.rs` or `src/main.rs`, by name."""
    return {
        path.parent.name: path.parent / "src"
        for path in sorted(root.glob("*/Cargo.toml"))
        if (path.parent / "src").is_dir()
    }


def source_files(root):
    """Returns every Rust file of the workspace but those of build output."""
    return [
        path
        for folder in sorted(root.glob("*"))
        if folder.is_dir() and folder.name != "target" and not folder.name.startswith(".")
        for path in sorted(folder.rglob("*.rs"))
    ]


# Summaries ------------------------------------------------------------------------------------------


def summary_lines(text):
    """Yields (line number, text) of the first line of each doc comment."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"\s*//[/!] ?(.*)$", line)
        if found and not line.lstrip().startswith("////"):
            if not inside and found[1]:
                yield number, found[1]
            inside = True
        elif not re.match(r"\s*#!?\[", line):
            inside = False


def opens_with_question(summary):
    """Returns True if a summary begins with a word such as "What"."""
    return re.match(rf"({'|'.join(QUESTION_WORDS)})\b", summary) is not None


def check_summaries(root):
    """Returns the faults of all summaries, if too large a share begins with a question word."""
    total, places = 0, []
    for path in source_files(root):
        for number, summary in summary_lines(path.read_text()):
            total += 1
            if opens_with_question(summary):
                places.append(f"{path.relative_to(root)}:{number}: summary begins with a question word: {summary}")
    share = len(places) / max(total, 1)
    print(f"summaries: {len(places)} of {total} begin with a question word ({share:.1%})")
    return places if share >= MAX_QUESTION_SHARE else []


# Pages ----------------------------------------------------------------------------------------------


def banned_words(text):
    """Yields (line number, word) of the banned words in the visible text of a template."""
    for number, line in enumerate(text.splitlines(), 1):
        visible = re.sub(r"\{\{!--.*?--\}\}|\{\{\{?[^{}]*\}?\}\}|<[^<>]*>", " ", line)
        for word in BANNED_ON_PAGES:
            if re.search(rf"\b{word}\b", visible, re.IGNORECASE):
                yield number, word


def check_pages(root):
    """Returns the banned words of all page templates."""
    faults, count = [], 0
    for path in sorted(root.glob("redflash-*/src/**/*.hbs")):
        count += 1
        for number, word in banned_words(path.read_text()):
            faults.append(f"{path.relative_to(root)}:{number}: banned word on a page: {word}")
    print(f"pages: {len(faults)} banned words in {count} templates")
    return faults


# Lengths --------------------------------------------------------------------------------------------


def check_lengths(root):
    """Returns the source files that are too long."""
    faults = []
    files = source_files(root)
    for path in files:
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES:
            faults.append(f"{path.relative_to(root)}: {lines} lines, {MAX_LINES} are allowed")
    print(f"lengths: {len(faults)} of {len(files)} files have more than {MAX_LINES} lines")
    return faults


# Circles --------------------------------------------------------------------------------------------


def without_comments(text):
    """Returns the text with comments and the contents of strings blanked, and test modules cut."""
    text = re.sub(r'(?s)//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|"(?:\\.|[^"\\])*"', blank, text)
    return re.split(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod \w+ \{", text)[0]


def blank(found):
    return '""' if found[0].lstrip("b").startswith(('"', "r")) else " "


def use_paths(tree, prefix=()):
    """Yields the paths of a use tree such as `a::{b, c::d as e}`, as (segments, name in scope)."""
    tree = tree.strip()
    if "{" in tree:
        head, inner = tree.split("{", 1)
        head = tuple(part.strip() for part in head.split("::") if part.strip())
        for part in split_top(inner.rsplit("}", 1)[0]):
            yield from use_paths(part, prefix + head)
    elif tree:
        path, _, alias = tree.partition(" as ")
        segments = prefix + tuple(part.strip() for part in path.split("::") if part.strip())
        if segments and segments[-1] == "self":
            segments = segments[:-1]
        yield segments, alias.strip() or segments[-1]


def split_top(text):
    """Splits at the commas that stand outside of braces."""
    depth, start = 0, 0
    for index, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


class Crate:
    """The modules of one crate: their files, and the files that each one names."""

    def __init__(self, src):
        self.src = src
        self.files = {}  # module path -> file
        self.texts = {}  # module path -> text without comments
        self.uses = defaultdict(list)  # module path -> [(segments, name, is re-export)]
        for root in ("lib.rs", "main.rs"):
            if (src / root).exists():
                self.load((), src / root)
                break

    def load(self, module, path):
        """Reads a file and the modules that it declares, but those of tests. `#[path]` is followed."""
        raw = path.read_text()
        text = without_comments(raw)
        mount = r'#\[path = "([^"]+)"\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))? )?mod (\w+);'
        mounted = {name: path.parent / file for file, name in re.findall(mount, raw)}
        self.files[module], self.texts[module] = path, text
        for found in re.finditer(r"\b(pub(?:\([^)]*\))? )?use ([^;]+);", text):
            for segments, name in use_paths(found[2]):
                self.uses[module].append((segments, name, bool(found[1])))
        home = path.parent if path.name in ("lib.rs", "main.rs", "mod.rs") else path.parent / path.stem
        for found in re.finditer(r"((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))? )?mod (\w+);", text):
            if re.search(r"cfg\((all\()?test", found[1]):
                continue
            places = (mounted.get(found[2]), home / f"{found[2]}.rs", home / found[2] / "mod.rs")
            file = next((file for file in places if file and file.exists()), None)
            if file:
                self.load(module + (found[2],), file)

    def absolute(self, module, segments):
        """Returns the path from the root of the crate, or None for one of another crate."""
        first, rest = segments[0], segments[1:]
        if first == "crate":
            return rest
        if first == "self":
            return module + rest
        if first == "super":
            module = module[:-1]
            while rest and rest[0] == "super":
                module, rest = module[:-1], rest[1:]
            return module + rest
        if module + (first,) in self.files:
            return module + segments
        return None

    def owner(self, path, seen=()):
        """Returns the module whose file defines a path, through re-exports."""
        module = ()
        while len(module) < len(path) and path[: len(module) + 1] in self.files:
            module = path[: len(module) + 1]
        rest = path[len(module):]
        if not rest or (module, rest[0]) in seen:
            return module
        for segments, name, public in self.uses[module]:
            target = self.absolute(module, segments) if public and name == rest[0] else None
            if target is not None:
                return self.owner(target + rest[1:], seen + ((module, rest[0]),))
        return module

    def edges(self):
        """Returns, by module, the modules that it names; those above and below it are left out."""
        edges = defaultdict(set)
        for module, text in self.texts.items():
            body = re.sub(r"\b(?:pub(?:\([^)]*\))? )?use [^;]+;", " ", text)
            paths = [segments for segments, _, public in self.uses[module] if not public]
            paths += [tuple(found[0].split("::")) for found in re.finditer(r"\b(?:crate|super|self)(?:::\w+)+", body)]
            scope = {
                name: self.absolute(module, segments)
                for segments, name, _ in self.uses[module]
                if self.absolute(module, segments) in self.files
            }
            for found in re.finditer(r"(?<![:\w])(\w+)((?:::\w+)+)", body):
                if found[1] in scope:
                    paths.append(("crate",) + scope[found[1]] + tuple(found[2].split("::")[1:]))
            for segments in paths:
                path = self.absolute(module, segments)
                target = self.owner(path) if path is not None else module
                if target[: len(module)] != module and module[: len(target)] != target:
                    edges[module].add(target)
        return edges


def circles(edges):
    """Returns the strongly connected parts with more than one member (Tarjan), largest first."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for target in sorted(edges.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in on_stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            part = []
            while not part or part[-1] != node:
                part.append(stack.pop())
                on_stack.discard(part[-1])
            if len(part) > 1:
                found.append(sorted(part))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(found, key=len, reverse=True)


def check_circles(root):
    """Returns the circles of files of every crate, each with the arrows that tie it."""
    faults = []
    for name, src in crates(root).items():
        crate = Crate(src)
        edges = crate.edges()
        for part in circles(edges):
            arrows = [
                f"    {'::'.join(a)} -> {'::'.join(b)}" for a in part for b in sorted(edges[a]) if b in part
            ]
            faults.append("\n".join([f"{name}: circle of {len(part)} files:"] + arrows))
    print(f"circles: {len(faults)} in {len(crates(root))} crates")
    return faults


def main(root):
    """Runs all checks, prints the faults, and returns the exit status."""
    sys.setrecursionlimit(10_000)
    checks = (check_summaries, check_pages, check_lengths, check_circles)
    faults = [fault for check in checks for fault in check(root)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
