"""The lexicon: what names of firms say beside the name itself, in many languages, as tables that people can review.

- `legal/`: legal forms. They fall away when names are compared.
- `trades/`: words for goods, trades and kinds of firm, with the English word.
- `places/`: names of countries, provinces and cities, with the usual Latin spelling.
- `short.tsv`: abbreviations and what they stand for.
- `plain-words.tsv`: words that many firms have in their names and that tell none apart.
- `letters-alike.tsv`, `han-variants.tsv`: letters that are written in several ways.
- `sounds.tsv`: letters that together sound otherwise than one by one.
- `number-words.tsv`: numbers that names have in words.
- `register-parents.tsv`: which part of a register's number names the company.

Each file says where its rows come from. Data only: what is done with it is in `comity_node.domain.matching`.
"""

from comity_node.lexicon.reading import BrokenFile, Row, check, read
from comity_node.lexicon.words import Lexicon, lexicon

__all__ = ["BrokenFile", "Lexicon", "Row", "check", "lexicon", "read"]
