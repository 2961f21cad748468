"""Pages for people in a browser: rendered here, one whole page an address, without a script.

Rules:
- Whoever shows a text asks the vocabulary which language leads; on these pages that is the English original always.
- A form changes something only when it comes from a page of this node; what was done is answered with a redirect.
- A page tells what happened, what is safe and what to do; what was typed is kept.
"""

from comity_node.web.supplier import routes

__all__ = ["routes"]
