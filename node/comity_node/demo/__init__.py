"""`comity demo`: one finding crosses a network of three real nodes on this machine, told step by step.

All names are invented. `stage` sets the network up, `story` tells it, `attacks` plays the hostile broker.
"""

from comity_node.demo.stage import Stage
from comity_node.demo.story import StepFailed, Story, tell

__all__ = ["Stage", "StepFailed", "Story", "tell"]
