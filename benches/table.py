"""Figures, with aims where there are any, as a table."""

from dataclasses import dataclass
from typing import Optional


@dataclass
class Figure:
    what: str
    value: float
    unit: str
    most: Optional[float] = None
    least: Optional[float] = None

    def aim(self):
        if self.most is not None:
            return f"<= {self.most:g}"
        return f">= {self.least:g}" if self.least is not None else ""

    def verdict(self):
        if self.most is None and self.least is None:
            return ""
        met = self.value <= self.most if self.most is not None else self.value >= self.least
        return "met" if met else "MISSED"


def percentile(values, percent):
    """The smallest value that so many percent of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def digits(value):
    """Three digits, and never an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def show(figures):
    rows = [(f.what, digits(f.value), f.unit, f.aim(), f.verdict()) for f in figures]
    rows.insert(0, ("", "here", "", "aim", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for what, value, unit, aim, verdict in rows:
        line = f"{what:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {aim:<{widths[3]}}  {verdict}"
        print(line.rstrip())
