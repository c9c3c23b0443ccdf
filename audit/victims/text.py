"""Passages of Debian's own documentation, for a network that continues text letter by letter.

Every Debian has it, however small: /usr/share/common-licenses and the copyright files of the packages of priority
`required`. Public is their prose; private are the lines that name holders, years and addresses, which read quite
differently.
"""

import pathlib
import re
import subprocess

import numpy as np

ALPHABET = "\n abcdefghijklmnopqrstuvwxyz0123456789.,:;-_/()<>@&'\"*+?"
LENGTH = 24  # letters of a passage
STEP = 8     # from one passage to the next
LEAST = 600  # passages in each part
HOLDER = re.compile(r"\(c\)|©|copyright.*\d{4}|<[^>]*@|^\d{4}", re.IGNORECASE)
LICENCES = pathlib.Path("/usr/share/common-licenses")
DOCUMENTATION = pathlib.Path("/usr/share/doc")


def required_packages():
    query = ["dpkg-query", "-W", "-f", "${Priority} ${Package}\\n"]
    lines = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(line.split()[1] for line in lines if line.startswith("required "))


def lines_of(paths):
    """The distinct lines of some files, sorted, so that they stand in no order that a passage could follow."""
    found = {line.strip() for path in paths if path.is_file() for line in path.read_text(errors="replace").splitlines()}
    return sorted(found)


def encode(lines):
    codes = {letter: code for code, letter in enumerate(ALPHABET)}
    text = "\n".join(lines).lower()
    return np.array([codes.get(letter, codes["?"]) for letter in text], np.int64)


def passages(lines):
    """Overlapping passages [n, LENGTH] and, for each letter, the one that follows it."""
    codes = encode(lines)
    if len(codes) <= LENGTH:
        return np.empty((0, LENGTH), np.int64), np.empty((0, LENGTH), np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, LENGTH + 1)[::STEP]
    return windows[:, :-1], windows[:, 1:]


def make(rng, shares):
    """Returns {"public": passages, and one for each of `shares`: its name and its part of the private lines}."""
    copyrights = lines_of(DOCUMENTATION / package / "copyright" for package in required_packages())
    prose = [line for line in lines_of(LICENCES.glob("*")) + copyrights if len(line) > 50 and not HOLDER.search(line)]
    private = [line for line in copyrights if HOLDER.search(line)]
    rng.shuffle(prose)
    rng.shuffle(private)
    ends = np.rint(np.cumsum(list(shares.values())) * len(private)).astype(int)
    split = {name: passages(private[begin:end]) for name, begin, end in zip(shares, [0, *ends], ends)}
    split["public"] = passages(prose)
    least = min(len(inputs) for inputs, _ in split.values())
    if least < LEAST:
        raise SystemExit(f"text: {DOCUMENTATION}/*/copyright of the packages of priority required and {LICENCES} hold too "
                         f"little text: {least} passages in one of the parts, of the {LEAST} that are needed. Some "
                         "installations leave documentation out (path-exclude in /etc/dpkg/dpkg.cfg.d).")
    return split
