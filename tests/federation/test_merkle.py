import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import shared_standard
from comity_federation.merkle import inclusion_path, root_of_path, tree_root

# Leaves and roots of the reference implementation of RFC 6962 (certificate-transparency, merkletree tests).
_HEX = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [bytes.fromhex(leaf) for leaf in _HEX]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert tree_root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert tree_root([]) == hashlib.sha256(b"").digest()


def test_a_leaf_is_never_taken_for_a_node() -> None:
    two = tree_root([b"a", b"b"])
    assert two != tree_root([hashlib.sha256(b"\x00a").digest() + hashlib.sha256(b"\x00b").digest()])


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_any_changed_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=8).filter(lambda leaf: leaf != leaves[at]))
    assert tree_root([*leaves[:at], other, *leaves[at + 1 :]]) != tree_root(leaves)
    assert tree_root([*leaves, other]) != tree_root(leaves)


def test_the_saved_vectors_of_rfc_6962_agree() -> None:
    saved = json.loads(shared_standard("vectors/tlog/vectors.json").read_text("utf-8"))
    leaves = [bytes.fromhex(leaf) for leaf in saved["rfc6962_leaf_data_hex"]]
    assert [tree_root(leaves[: n + 1]).hex() for n in range(len(leaves))] == saved["rfc6962_roots_hex"]
    assert tree_root([]).hex() == saved["empty_root_hex"]


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
def test_the_path_of_a_leaf_leads_to_the_root_and_nothing_else_does(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_path(leaves, at)
    assert root_of_path(leaves[at], at, len(leaves), path) == tree_root(leaves)
    assert root_of_path(leaves[at] + b"x", at, len(leaves), path) != tree_root(leaves)
    for wrong in (path[1:], [*path, bytes(32)], [bytes(32), *path[1:]] if path else [bytes(32)]):
        # A tree of one leaf has an empty path, of which nothing can be cut off.
        assert wrong == path or root_of_path(leaves[at], at, len(leaves), wrong) != tree_root(leaves)


# RFC 6962 §2.1.3 names the paths of this tree of seven leaves: leaf 0 has b, h, l; leaf 3 c, g, l; 4 f, j, k; 6 i, k.
@pytest.mark.parametrize(
    ("at", "beside"),
    [(0, [[1], [2, 3], [4, 5, 6]]), (3, [[2], [0, 1], [4, 5, 6]]), (4, [[5], [6], [0, 1, 2, 3]]),
     (6, [[4, 5], [0, 1, 2, 3]])],
)  # fmt: skip
def test_paths_are_those_of_the_standards_example(at: int, beside: list[list[int]]) -> None:
    leaves = LEAVES[:7]
    assert inclusion_path(leaves, at) == [tree_root([leaves[n] for n in group]) for group in beside]


@pytest.mark.parametrize(("index", "count"), [(-1, 3), (3, 3), (0, 0)])
def test_a_place_outside_the_tree_has_no_path(index: int, count: int) -> None:
    assert root_of_path(b"", index, count, []) is None
    with pytest.raises(IndexError):
        inclusion_path(LEAVES[:count], index)
