"""Where a figure stands that a report does not state: the lines that it is computed from, and their statements.

An annual report seldom says "quick ratio" or "days payable outstanding"; whoever is asked for one opens the balance
sheet and looks for current assets and current liabilities. These are the usual definitions, with the usual names of
the lines and of the statements in reports in English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_INCOME = (
    "consolidated statements of operations",
    "consolidated statements of income",
    "consolidated statements of earnings",
)
_BALANCE = ("consolidated balance sheets",)
_CASH_FLOWS = ("consolidated statements of cash flows",)
_SALES = ("total revenues", "total net sales", "net sales", "total net revenue", "revenue")
_COST = ("cost of sales", "cost of revenue", "cost of goods sold")
_OPERATING = ("operating income", "income from operations")
_NET = ("net income", "net earnings")
_DEPRECIATION = ("depreciation and amortization",)
_INVESTED = ("purchases of property and equipment", "capital expenditures", "additions to property")
_FROM_OPERATIONS = ("net cash provided by operating activities",)
_BEFORE_TAX = ("income before income taxes",)
_EQUITY = ("total stockholders equity", "total shareholders equity", "total equity")
_CURRENT = ("total current assets", "total current liabilities")

_FIGURES: Sequence[tuple[str, tuple[str, ...]]] = (
    (r"gross (?:profit )?margins?|gross profit", (*_INCOME, *_COST, "gross profit", *_SALES)),
    (r"operating (?:profit )?margins?|operating (?:profit|income)|ebit\b", (*_INCOME, *_OPERATING, *_SALES)),
    (r"net (?:profit )?margins?|net (?:income|earnings|profit)|profit margin", (*_INCOME, *_NET, *_SALES)),
    (
        r"ebitda|before depreciation",
        (*_INCOME, *_CASH_FLOWS, *_OPERATING, *_DEPRECIATION, "interest expense", *_BEFORE_TAX),
    ),
    (r"tax rate", (*_INCOME, "provision for income taxes", *_BEFORE_TAX)),
    (r"interest coverage", (*_INCOME, *_OPERATING, "interest expense")),
    (r"return on (?:total )?assets?|\broa\b", (*_INCOME, *_BALANCE, *_NET, "total assets")),
    (
        r"return on (?:total |common |(?:share|stock)holders'? )?equity|\broe\b",
        (*_INCOME, *_BALANCE, *_NET, *_EQUITY),
    ),
    (
        r"(?:quick|current|liquidity|cash) ratio|acid test|working capital",
        (*_BALANCE, *_CURRENT, "cash and cash equivalents", "inventories"),
    ),
    (
        r"(?:current |long.term |total )?(?:liabilities|assets)\b|debt to|equity\b.*ratio|common equity",
        (*_BALANCE, *_CURRENT, "total liabilities", "total assets", "long-term debt", "total equity"),
    ),
    (r"payables? (?:outstanding|turnover)|\bdpo\b", (*_BALANCE, *_INCOME, "accounts payable", "inventories", *_COST)),
    (
        r"receivables? turnover|sales outstanding|\bdso\b",
        (*_BALANCE, *_INCOME, "accounts receivable", "receivables net", *_SALES),
    ),
    (r"inventory (?:outstanding|turnover)|\bdio\b", (*_BALANCE, *_INCOME, "inventories", *_COST)),
    (
        r"asset turnover|capital.intensive|capital intensity",
        (*_BALANCE, *_INCOME, *_CASH_FLOWS, *_INVESTED, *_SALES, "total assets", "property and equipment net"),
    ),
    (r"free cash ?flow", (*_CASH_FLOWS, *_FROM_OPERATIONS, *_INVESTED)),
    (
        r"cash ?flows?\b|(?:operating|investing|financing) activities",
        (
            *(*_CASH_FLOWS, *_FROM_OPERATIONS),
            *("net cash used in investing activities", "net cash used in financing activities"),
        ),
    ),
    (r"capital expenditures?|\bcapex\b", (*_CASH_FLOWS, *_INVESTED)),
    (r"payout ratio", (*_CASH_FLOWS, *_INCOME, "dividends paid", *_NET)),
    (
        r"(?:change|growth|increase|cagr)\b.*\brevenues?\b|(?:revenues?|net sales) (?:growth|change)|total revenues?",
        (*_INCOME, *_SALES),
    ),
    (r"balance sheet", _BALANCE),
    (r"cash flow statement|statements? of cash flows", _CASH_FLOWS),
    (r"income statement|statements? of (?:income|operations|earnings)|p&l", _INCOME),
)
"""What a question asks for, and the phrases that stand where it is found."""


def lines_of(question: str) -> list[str]:
    """The phrases on the pages that a figure which is asked for is computed from; none for most questions."""
    asked = question.lower()
    found = (phrases for pattern, phrases in _FIGURES if re.search(pattern, asked))
    return list(dict.fromkeys(phrase for phrases in found for phrase in phrases))
