"""The workbook that auditors fill in where they do not write JSON: made for a scheme, read back strictly."""

from comity_node.domain.report_sheet.reading import CellFault, SheetRefused, read_workbook
from comity_node.domain.report_sheet.writing import empty_workbook, workbook_of

__all__ = ["CellFault", "SheetRefused", "empty_workbook", "read_workbook", "workbook_of"]
