"""Money-weighted rates worked out apart from the program, to fifty digits.

Prints src/analytics/returns/xirr/grid.rs's table. A sum of powers of x = 1 + r with n terms has its
roots between those of a derivative with n - 1 terms (divide by the lowest power first), so that by
recursion every root in [1e-6, 1e6] is found, however close to another. Needs mpmath.
"""

from datetime import date

from mpmath import log, mp, mpf

mp.dps = 50
LEAST, MOST = mpf("1e-6"), mpf("1e6")


def day(text):
    return date.fromisoformat(text)


def value(terms, x):
    return sum(a * x**e for a, e in terms)


def bisect(terms, lo, hi):
    rises = value(terms, lo) < 0
    lo, hi = log(lo), log(hi)
    for _ in range(190):
        mid = (lo + hi) / 2
        if (value(terms, mp.e**mid) < 0) == rises:
            lo = mid
        else:
            hi = mid
    return mp.e ** ((lo + hi) / 2)


def roots(terms):
    """Every x in the range at which the sum is nothing, in order."""
    if len(terms) < 2:
        return []
    low = min(e for _, e in terms)
    shifted = [(a, e - low) for a, e in terms]
    turns = roots([(a * e, e - 1) for a, e in shifted if e != 0])
    places = [LEAST, *turns, MOST]
    found = []
    for lo, hi in zip(places, places[1:]):
        a, b = value(shifted, lo), value(shifted, hi)
        if a * b < 0:
            found.append(bisect(shifted, lo, hi))
    return found


def rate(flows):
    by_day = {}
    for when, amount in flows:
        by_day[when] = by_day.get(when, mpf(0)) + mpf(amount)
    days = sorted((day(when), amount) for when, amount in by_day.items() if amount != 0)
    if not any(a > 0 for _, a in days) or not any(a < 0 for _, a in days):
        return "one_day" if len(days) == 1 else "one_sided"
    last = days[-1][0]
    terms = [(amount, mpf((last - when).days) / 365) for when, amount in days]
    all_roots = roots(terms)
    if not all_roots:
        return "out_of_range"
    span = mpf((last - days[0][0]).days)
    gain = sum(amount for _, amount in days)
    work = sum(-amount * (last - when).days / span for when, amount in days)
    dietz = mpf(0)
    if work > 0 and 1 + gain / work > 0:
        dietz = (1 + gain / work) ** (365 / span) - 1
    best = min(all_roots, key=lambda x: abs(x - 1 - dietz))
    return best - 1, len(all_roots) > 1


CASES = [
    # What a calendar and a pencil give.
    [("2023-01-01", "-100"), ("2024-01-01", "110")],
    [("2024-01-01", "-100"), ("2025-01-01", "110")],
    [("2021-01-01", "-100"), ("2022-01-01", "-50"), ("2023-01-01", "200")],
    [("2020-02-29", "-1000"), ("2024-02-29", "1464.1")],
    [("2023-06-30", "-250.25"), ("2023-12-31", "-250.25"), ("2024-06-30", "700")],
    # Nearly everything is lost.
    [("2023-01-01", "-100"), ("2024-01-01", "0.001")],
    [("2023-01-01", "-100"), ("2024-01-01", "0.00010001")],
    [("2023-01-01", "-100"), ("2024-01-01", "0.00009999")],
    [("2024-01-01", "-100"), ("2024-02-01", "40")],
    [("2024-01-01", "-100"), ("2024-01-08", "80")],
    [("2024-01-01", "-100"), ("2024-01-03", "99")],
    [("2014-01-01", "-100000"), ("2018-06-01", "-50000"), ("2024-01-01", "0.01")],
    [("2023-01-01", "-100"), ("2023-03-01", "5"), ("2023-09-01", "0.01")],
    [("2023-01-01", "-1000000000"), ("2024-01-01", "1")],
    # Gains that nobody has.
    [("2023-01-01", "-0.01"), ("2024-01-01", "9999")],
    [("2023-01-01", "-0.01"), ("2024-01-01", "9999.99")],
    [("2023-01-01", "-0.01"), ("2024-01-01", "10001")],
    [("2024-01-01", "-1"), ("2024-01-31", "3")],
    # Days.
    [("2024-01-01", "-100"), ("2024-01-02", "101")],
    [("2024-01-01", "-100"), ("2024-01-02", "99")],
    [("2024-01-01", "-100"), ("2024-01-02", "110")],
    [("2024-02-28", "-100"), ("2024-02-29", "-100"), ("2024-03-01", "200.5")],
    [("2024-01-01", "-100"), ("2024-01-02", "100")],
    # Centuries.
    [("1700-01-01", "-1"), ("1900-01-01", "-5"), ("2100-01-01", "10000000")],
    [("1700-01-01", "-1000000"), ("2100-01-01", "0.001")],
    [("1602-03-20", "-3000"), ("1799-12-31", "1")],
    [("1824-01-01", "-1"), ("2024-01-01", "1000000")],
    [("1900-01-01", "-10"), ("1950-01-01", "20"), ("2000-01-01", "-5"), ("2024-01-01", "400")],
    # Several on one day.
    [("2023-01-01", "-60"), ("2023-01-01", "-40"), ("2024-01-01", "55"), ("2024-01-01", "55")],
    [("2023-01-01", "-100"), ("2023-07-01", "-500"), ("2023-07-01", "500"), ("2024-01-01", "107")],
    [("2023-01-01", "-100"), ("2023-01-01", "20"), ("2024-01-01", "90"), ("2024-01-01", "-3")],
    [("2023-01-01", "-100"), ("2023-01-01", "120")],
    [("2023-01-01", "-100"), ("2023-01-01", "100"), ("2024-01-01", "7")],
    [("2024-05-05", "100"), ("2023-05-05", "-99"), ("2024-05-05", "-0.5")],
    # Several rates: the one nearest to the simple one.
    [("2021-01-01", "-100"), ("2022-01-01", "230"), ("2023-01-01", "-132")],
    [("2021-01-01", "-1000"), ("2022-01-01", "2201"), ("2023-01-01", "-1211.1")],
    [("2021-01-01", "-1000"), ("2022-01-01", "3600"), ("2023-01-01", "-4310"), ("2024-01-01", "1716")],
    [("2021-01-01", "-100"), ("2022-01-01", "500"), ("2023-01-01", "-550"), ("2024-01-01", "10")],
    [("2021-01-01", "-10"), ("2022-01-01", "1000"), ("2023-01-01", "-900")],
    [("2021-01-01", "100"), ("2022-01-01", "-230"), ("2023-01-01", "132")],
    [("2015-01-01", "-50"), ("2016-01-01", "120"), ("2017-06-01", "-30"), ("2020-01-01", "-60"), ("2024-01-01", "21")],
    # None.
    [("2021-01-01", "-100"), ("2022-01-01", "100"), ("2023-01-01", "-100")],
    [("2023-01-01", "-100")],
    [("2023-01-01", "-100"), ("2023-05-01", "-20")],
    [("2023-01-01", "100"), ("2023-05-01", "20")],
    [],
    # Many small ones; the grid makes the first two by a rule.
    [(f"20{y:02}-{m:02}-15", "-100") for y in range(10, 20) for m in range(1, 13)] + [("2020-01-15", "15000")],
    [(f"20{y:02}-{m:02}-28", "-100") for y in range(10, 20) for m in range(1, 13)] + [("2020-01-15", "3000")],
    [("2010-01-01", "-10000")] + [(f"20{y:02}-{m:02}-01", "150") for y in range(11, 20) for m in (3, 9)] + [("2020-01-01", "8000")],
    # Borrowed first.
    [("2023-01-01", "100"), ("2024-01-01", "-110")],
    [("2023-01-01", "100"), ("2024-07-01", "-60"), ("2026-01-01", "-60")],
    # Fractions of a cent, and much money.
    [("2023-01-01", "-0.0000123"), ("2024-05-17", "0.0000131")],
    [("2023-01-01", "-123456789012.34"), ("2024-05-17", "131234567890.12")],
]

for flows in CASES:
    found = rate(flows)
    listed = ", ".join(f'("{when}", {float(amount)!r})' for when, amount in flows)
    if isinstance(found, str):
        told = f'Err("{found}")'
    else:
        told = f"Ok(({mp.nstr(found[0], 15)}, {str(found[1]).lower()}))"
    print(f"    (&[{listed}], {told}),")
