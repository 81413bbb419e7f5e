"""Zips that are none, not whole, or not what they say; and names."""

import io
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.archive import MB, is_junk, member_path, quoted, read_zip
from grader.course import Limits
from grader.errors import InvalidSubmission

LIMITS = Limits(submission_mb=2, submission_files=20)
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def make_zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # doubled names are meant
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def patched(data: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """The zip with bytes replaced in its headers: (signature, offset in the first header with it, new bytes)."""
    out = bytearray(data)
    for signature, offset, new in changes:
        place = data.index(signature) + offset
        out[place : place + len(new)] = new
    return bytes(out)


def refusal(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(InvalidSubmission) as caught:
        read_zip(data, limits)
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    assert len(text) < 250
    return text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"Rar!\x1a\x07\x01\x00...", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c...", "a 7-Zip archive"),
        (b"\x1f\x8b\x08\x00...", "a gzip file (.tar.gz)"),
        (b"x" * 257 + b"ustar\x0000", "a tar archive"),
        (b"\n<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"print('hello')", "something else"),
    ],
)
def test_another_format_is_called_by_its_name(data, said):
    assert f"found {said}" in refusal(data)


def test_utf8_names_without_the_flag_are_utf8_as_macos_means_them():
    data = make_zip(("año.py", b"x"))
    unflagged = patched(data, (LOCAL, 6, b"\0\0"), (CENTRAL, 8, b"\0\0"))
    assert read_zip(unflagged, LIMITS) == {"año.py": b"x"}


def test_names_of_the_old_dos_encoding_are_read():
    data = make_zip(("a_o.py", b"x")).replace(b"a_o.py", b"a\xa4o.py")
    assert read_zip(data, LIMITS) == {"año.py": b"x"}


def test_a_name_that_is_not_the_utf8_it_claims_is_refused():
    data = make_zip(("é.py", b"x")).replace("é".encode(), b"\xff\xfe")
    assert "cannot be decoded" in refusal(data)


def test_a_flipped_bit_is_damage():
    data = make_zip(("train.py", b"y" * 100), method=zipfile.ZIP_STORED)
    place = data.index(b"y" * 100)
    assert "damaged" in refusal(data[:place] + b"Y" + data[place + 1 :])


def test_a_cut_off_zip_is_damage_wherever_it_is_cut():
    data = make_zip(("train.py", b"import torch\n" * 30), ("lib/helper.py", bytes(range(256))))
    for length in range(4, len(data)):
        assert "damaged or incomplete" in refusal(data[:length])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_whatever_is_changed_it_is_read_or_refused(data):
    whole = bytearray(make_zip(("train.py", b"import torch\n" * 5), ("é/x.py", b"y = 1")))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6)):
        whole[place] = value
    try:
        files = read_zip(bytes(whole), LIMITS)
    except InvalidSubmission:
        return
    assert sum(map(len, files.values())) <= 2 * MB


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_garbage_is_refused_whatever_it_starts_with(garbage):
    for data in (garbage, LOCAL + garbage, LOCAL + garbage + b"PK\x05\x06" + garbage[:18]):
        try:
            files = read_zip(data, LIMITS)
        except InvalidSubmission:
            continue
        assert files == {}  # an end record may fit by chance, and then declares an empty zip


names = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='/\\:"'), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(names, min_size=1, max_size=4))
def test_a_clean_path_has_nothing_left_to_clean(parts):
    try:
        path = member_path("/".join(parts))
    except InvalidSubmission:
        assert ".." in parts
        return
    assert member_path(path) == path
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/")) or path == ""


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(st.text("abcXYZéß🎉 '._", min_size=1, max_size=8), st.binary(max_size=50), max_size=8))
def test_what_was_zipped_comes_back(files):
    honest = {f"d{number}/n{name}.py": content for number, (name, content) in enumerate(files.items())}
    assert read_zip(make_zip(*honest.items()), LIMITS) == {member_path(name): data for name, data in honest.items()}


@pytest.mark.parametrize(
    "path",
    [
        "__MACOSX/train.py",
        "lib/.DS_Store",
        "._train.py",
        "lib/__pycache__/x.pyc",
        ".git",
        "venv/lib/x.py",
        "lib/Icon\r",
    ],
)
def test_junk_is_known(path):
    assert is_junk(path)
    assert read_zip(make_zip((path, b"x")), LIMITS) == {}


@pytest.mark.parametrize("path", ["train.py", ".gitignore", "data/train.csv", "git/x.py", "mygit.git.py"])
def test_what_students_write_is_no_junk(path):
    assert not is_junk(path)


def test_long_names_are_cut_for_messages():
    assert quoted("train.py") == "'train.py'"
    assert len(quoted("x" * 500)) < 90
    assert quoted("a\n\u202eb") == r"'a\n\u202eb'"
