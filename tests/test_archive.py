"""Zips as students, operating systems and attackers make them."""

import io
import stat
import struct
import tracemalloc
import warnings
import zipfile

import pytest

from grader.archive import MB, read_zip
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


def special(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def refusal(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(InvalidSubmission) as caught:
        read_zip(data, limits)
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    assert len(text) < 250
    return text


def test_files_come_back_by_their_path():
    data = make_zip(("train.py", b"x = 1"), ("lib/", b""), ("lib/helper.py", b"y = 2"), ("empty.py", b""))
    assert read_zip(data, LIMITS) == {"train.py": b"x = 1", "lib/helper.py": b"y = 2", "empty.py": b""}


def test_a_path_is_read_like_bytes(tmp_path):
    path = tmp_path / "ada.zip"
    path.write_bytes(make_zip(("train.py", b"x = 1")))
    assert read_zip(path, LIMITS) == {"train.py": b"x = 1"}


def test_a_zip_with_a_comment_is_read():
    buffer = io.BytesIO(make_zip(("train.py", b"x")))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"handed in by Ada"
    assert read_zip(buffer.getvalue(), LIMITS) == {"train.py": b"x"}


@pytest.mark.parametrize(
    "name",
    ["../train.py", "a/../../train.py", "..\\train.py", "/etc/passwd", "C:\\train.py", "c:train.py", "\\\\pc\\x"],
)
def test_names_that_point_outside_are_refused(name):
    assert "points outside" in refusal(make_zip((name, b"x")))


@pytest.mark.parametrize("name", ["__MACOSX/../../x", ".venv/../../x"])
def test_junk_is_no_way_around_it(name):
    assert "points outside" in refusal(make_zip((name, b"x")))


@pytest.mark.parametrize("name", ["a\nb.py", "a\x1b[31m.py", "a\x07.py"])
def test_control_characters_in_names_are_refused(name):
    assert "readable file names" in refusal(make_zip((name, b"x")))


def test_a_name_with_a_hidden_end_is_refused():
    data = make_zip(("train.pyX.txt", b"x")).replace(b"train.pyX.txt", b"train.py\0.txt")
    assert "readable file names" in refusal(data)


def test_names_longer_than_file_systems_take_are_refused():
    assert "at most 255 bytes" in refusal(make_zip(("é" * 128, b"x")))
    assert "at most 255 bytes" in refusal(make_zip(("d/" * 501 + "x", b"x")))


@pytest.mark.parametrize("name", ["lib\\helper.py", "./lib/helper.py", "lib//helper.py", "lib/./helper.py"])
def test_spellings_of_a_path_are_made_one(name):
    assert read_zip(make_zip((name, b"x")), LIMITS) == {"lib/helper.py": b"x"}


@pytest.mark.parametrize(
    ("kind", "said"),
    [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a special file"), (stat.S_IFCHR, "special"), (stat.S_IFSOCK, "special")],
)
def test_links_and_special_files_are_refused(kind, said):
    text = refusal(make_zip((special("data", kind), b"/etc/passwd")))
    assert said in text
    assert "'data'" in text


def test_links_among_junk_are_left_out():
    data = make_zip((special(".venv/bin/python", stat.S_IFLNK), b"/usr/bin/python3"), ("train.py", b"x"))
    assert read_zip(data, LIMITS) == {"train.py": b"x"}


def test_an_encrypted_zip_is_refused():
    data = make_zip(("train.py", b"x" * 50))
    flags = struct.pack("<H", 1)
    assert "password" in refusal(patched(data, (LOCAL, 6, flags), (CENTRAL, 8, flags)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_are_refused(method):
    assert "ordinary zip" in refusal(make_zip(("train.py", b"x" * 100), method=method))


@pytest.mark.parametrize(
    "names",
    [
        ("train.py", "train.py"),
        ("train.py", "Train.py"),
        ("train.py", "./train.py"),
        ("caf\u00e9.py", "cafe\u0301.py"),
        ("straße.py", "STRASSE.py"),
    ],
)
def test_a_name_that_comes_twice_is_refused(names):
    assert "each file once" in refusal(make_zip(*((name, b"x") for name in names)))


@pytest.mark.parametrize("names", [("a", "a/b.py"), ("a/b.py", "a"), ("A", "a/b/c.py")])
def test_a_name_that_is_file_and_folder_is_refused(names):
    assert "found both" in refusal(make_zip(*((name, b"x") for name in names)))


def test_as_many_files_as_allowed_and_not_one_more():
    members = [(f"f{number}.py", b"x") for number in range(21)]
    junk = [(f".git/objects/{number}", b"x") for number in range(100)]
    assert len(read_zip(make_zip(*junk, *members[:20]), LIMITS)) == 20
    assert "at most 20 files" in refusal(make_zip(*members))


def test_a_flood_of_names_is_refused_before_it_is_parsed():
    data = make_zip(*((f".git/{number}", b"") for number in range(500)))
    assert "far more" in refusal(data)


def test_as_many_bytes_as_allowed_and_not_one_more():
    fits, beyond = b"x" * (2 * MB), b"x"
    assert read_zip(make_zip(("data.csv", fits)), LIMITS) == {"data.csv": fits}
    assert "at most 2 MB unpacked" in refusal(make_zip(("data.csv", fits), ("b", beyond)))


def test_a_stored_zip_of_the_allowed_size_may_have_headers(tmp_path):
    path = tmp_path / "ada.zip"
    path.write_bytes(make_zip(("data.csv", b"x" * (2 * MB)), method=zipfile.ZIP_STORED))
    assert len(read_zip(path, LIMITS)["data.csv"]) == 2 * MB


def test_a_zip_that_is_too_large_itself_is_not_read_whole(tmp_path):
    path = tmp_path / "ada.zip"
    with path.open("wb") as file:
        file.write(make_zip(("train.py", b"x")))
        file.truncate(500 * MB)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidSubmission, match="larger zip"):
            read_zip(path, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 10 * MB
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_by_what_it_declares():
    text = refusal(make_zip(("zeros.bin", bytes(64 * MB))))
    assert "'zeros.bin' (64.0 MB)" in text


def test_a_bomb_that_declares_little_is_unpacked_no_further():
    data = make_zip(("zeros.bin", bytes(64 * MB)))
    lying = patched(data, (LOCAL, 22, struct.pack("<L", 1000)), (CENTRAL, 24, struct.pack("<L", 1000)))
    tracemalloc.start()
    try:
        assert "damaged" in refusal(lying)
        assert tracemalloc.get_traced_memory()[1] < 4 * MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("declared", [5, 500])
def test_a_size_that_is_not_true_is_damage(declared):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        data = make_zip(("train.py", b"x" * 100), method=method)
        assert "damaged" in refusal(patched(data, (CENTRAL, 24, struct.pack("<L", declared))))


def test_members_that_share_their_bytes_are_refused():
    data = make_zip(("a.py", b"x" * 100))
    start, end = data.index(CENTRAL), data.index(b"PK\x05\x06")
    record = data[start:end]
    directory = record + record.replace(b"a.py", b"b.py")
    tail = bytearray(data[end:])
    struct.pack_into("<HHL", tail, 8, 2, 2, len(directory))
    assert "overlap" in refusal(data[:start] + directory + bytes(tail))


def test_a_zip_in_a_zip_stays_closed():
    inner = make_zip(("../../train.py", b"x"))
    assert read_zip(make_zip(("inner.zip", inner)), LIMITS) == {"inner.zip": inner}
