"""The harmonised vocabulary as this node shows it: the originals of `comity_schemas`, data files beside them."""

from comity_node.vocabulary.indicators import CodeText, describe_codes

__all__ = ["CodeText", "describe_codes"]
