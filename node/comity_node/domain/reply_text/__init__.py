"""Checking the one text that ever leaves a node: a supplier's reply. Pure.

Rules: nothing in it may tell a person, a number, a document or how to reach anybody, in Latin, Cyrillic, Arabic and Han
script; in any other script nothing is checked, so nothing leaves. When in doubt it is refused: a supplier can say the
same otherwise, or with a code alone. Two people read it all the same before it leaves.
"""

from comity_node.domain.reply_text.checking import Problem, ProblemKind, check_text

__all__ = ["Problem", "ProblemKind", "check_text"]
