"""What `seedsoil calibrate` prints, and the soils it writes."""

import csv
import io
from collections.abc import Iterator

import numpy as np

from ..body.anatomy import Anatomy
from ..plain_text import printable
from . import drainage, sizes
from .arrivals import Arrivals
from .autopsies import Autopsies
from .leave_one_out import NEIGHBOURS, OURS, Scores, chance_level, fitted_by, scores, site_sets, trivial
from .posterior import Posterior, posterior
from .small_cells import Share, fitted_to, independent, without
from .soils import Fitted

_NOTE = """\
  Kullback-Leibler divergence of predicted from observed shares of sites; the mean over primaries, each
  predicted by a fit that never saw it. The organ that a primary stands in is left out."""
_BLIND = """\
  Counts of patients fix products: aggressiveness x route x soil. Survival in blood, killing after arrest,
  extravasation, dormancy and growth are all inside a soil; none of them can be told from another here."""


def calibration(anatomy: Anatomy, table: Autopsies, by_size: sizes.Sizes) -> Iterator[str]:
    """Lines of the whole report, as they are found."""
    arrivals = Arrivals.of(anatomy, table.primaries, table.sites)
    yield (
        f"{len(table.primaries)} primaries, {len(table.sites)} sites, {table.counts.sum():,.0f} metastases; "
        f"body: {printable(anatomy.title)}"
    )
    yield from _scores(anatomy, table)
    fitted = fitted_by(table, arrivals)
    yield from _fit(fitted)
    yield from _unidentified(posterior(table, arrivals, fitted.sigma))
    yield from of_drainage(anatomy, table, fitted)
    yield from _sizes(by_size)


def csv_shares(primary: str, sites: tuple[str, ...], shares: np.ndarray, at_risk: np.ndarray) -> Iterator[str]:
    """Lines of `primary,site,share`, over the sites at risk; they add up to one."""
    yield _csv("primary", "site", "share")
    for site, share, risk in zip(sites, shares, at_risk, strict=True):
        if risk > 0:
            yield _csv(primary, site, f"{share:.6f}")


def csv_sizes(cancer: str, law: sizes.Law, diameters_cm: np.ndarray) -> Iterator[str]:
    """Lines of `cancer,diameter_cm,p`."""
    yield _csv("cancer", "diameter_cm", "p")
    for d, p in zip(diameters_cm, law.p(cancer, diameters_cm), strict=True):
        yield _csv(cancer, f"{d:g}", f"{p:.6f}")


def _csv(*fields: str) -> str:
    """A line of CSV; a name with a comma or a quote in it is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def soils_toml(fitted: Fitted, anatomy: Anatomy, source: str) -> str:
    """Tables `[body.soil.<organ>]` for a scenario: soils relative to the most receptive organ."""
    relative = np.exp(fitted.soils - fitted.soils.max())
    lines = [
        f"# Soils fitted by seedsoil calibrate to {printable(source)}, body: {printable(anatomy.title)}.",
        "# One for all primaries, relative to the most receptive organ. They stand for all that happens after arrest",
        "# (killing, extravasation, dormancy, growth), so give the rest of it the same values in every organ.",
    ]
    for site, value in zip(fitted.table.sites, relative, strict=True):
        lines += ["", f"[body.soil.{site}]", f"receptive_probability = {value:.3g}"]
    return "\n".join(lines) + "\n"


def _scores(anatomy: Anatomy, table: Autopsies) -> Iterator[str]:
    yield ""
    yield "LEAVE ONE PRIMARY OUT, nats per metastasis"
    yield _NOTE
    sets = site_sets(table)
    yield _row("", [f"{name}" for name in sets])
    for one in (*trivial(table), *(scores(table, anatomy, model) for model in NEIGHBOURS)):
        yield _macro(one)
    ours = scores(table, anatomy, OURS)
    yield _macro(ours)
    yield _macro(chance_level(table))
    yield ""
    yield _row("of these, routes and soils", [f"{name}" for name in sets])
    for name, found, sigma in zip(table.primaries, ours.nats, ours.sigmas, strict=True):
        yield _row(f"  without {name}", [_figure(value) for value in found]) + f"   sigma {sigma:g}"


def _fit(fitted: Fitted) -> Iterator[str]:
    small, plexus, lymph, cavities = fitted.theta
    yield ""
    yield f"FIT TO ALL, deviations of s.d. {fitted.sigma:g} (ridge and over-dispersion)"
    yield f"  share of small cells, which go round {1 / (1 + np.exp(-small)):.3f}  (from liver and lung)"
    yield f"  a seed in the vertebral plexus counts {np.exp(plexus):.3g}, in lymph {np.exp(lymph):.3g}, in a cavity"
    yield f"  {np.exp(cavities):.3g} of one in the other veins (at the shares of the body)"
    if not fitted.settled:
        yield "  the fit has not settled: the numbers are the last of its steps"
    yield "  soil, ln of relative hazard, shared by all primaries:"
    centred = fitted.soils - fitted.soils.mean()
    for k in np.argsort(-centred):
        yield f"    {fitted.table.sites[k]:<16} {centred[k]:+.2f}"
    yield "  aggressiveness, ln of hazard:"
    for name, value in zip(fitted.table.primaries, fitted.aggressiveness, strict=True):
        yield f"    {name:<16} {value:+.2f}"


def _unidentified(found: Posterior) -> Iterator[str]:
    yield ""
    yield "NOT IDENTIFIABLE, posterior correlations (circulation fitted with the rest here)"
    yield _BLIND
    for number in found.numbers[:-1]:
        if not number.name.startswith("soil"):
            yield f"  {number.name:<20} {number.value:+.2f} s.d. {number.sd:.2f}; {number.left:.0%} of its prior variance left"
    for number in found.unlearnt():
        yield f"  {number.name}: the data hardly say"
    pairs = found.pairs()
    for first, second, value in pairs[:12]:
        yield f"  {first} against {second}: {value:+.2f}"
    if not pairs:
        yield "  no pair beyond 0.5"


def of_drainage(anatomy: Anatomy, table: Autopsies, fitted: Fitted) -> Iterator[str]:
    """Lines of the odds ratios: what is fitted, what is predicted, and by which share of small cells."""
    yield ""
    yield "DRAINAGE, odds ratios"
    seen = drainage.observed(anatomy, table)
    if seen is None:
        yield "  the table has no portal and caval primaries with liver and lung"
    else:
        names = [", ".join(table.primaries[row] for row in rows) for rows in drainage.groups(anatomy, table)]
        yield f"  liver:lung of {names[0]} against {names[1]}"
        yield f"    counted             {seen.value:.2f} ({seen.low:.2f} to {seen.high:.2f})"
        yield f"    fitted, in-sample   {drainage.expected(anatomy, table, fitted):.2f}"
        alone, grouped = drainage.expected_without(anatomy, table)
        yield f"    predicted           {_ratio(alone)} with each primary left out, {_ratio(grouped)} with all of its group"
        yield from _equal_soils(anatomy, table, fitted)
    pair = ("rectum", "colon", "lung", "liver")
    seen = drainage.ratio_between(table, *pair)
    if seen is not None and len(table.primaries) > 3:
        yield "  lung:liver of rectum against colon"
        yield f"    counted        {seen.value:.2f} ({seen.low:.2f} to {seen.high:.2f})"
        yield f"    predicted with rectum left out {drainage.predicted_between(anatomy, table, *pair):.2f}"


def _equal_soils(anatomy: Anatomy, table: Autopsies, fitted: Fitted) -> Iterator[str]:
    def line(share: Share) -> str:
        if np.isnan(share.small):
            return f"    {share.source:<56}{'no share gives it':>24}"
        counts, rates = drainage.with_equal_soils(anatomy, table, share.small)
        fit = "" if np.isnan(share.sigma) else f"{share.left:>11.0%}{share.sigma:>7g}"
        return f"    {share.source:<56}{share.small:>8.2g}{_ratio(counts):>8}{_ratio(rates):>8}{fit}"

    where = drainage.groups(anatomy, table)
    own = fitted_to("liver and lung of all: a fit, not a prediction", anatomy, table, sigma=fitted.sigma)
    apart = list(without(anatomy, table, where))
    yield "  the same with equal soils: a function of one number, the share of small cells, which is taken from"
    yield f"    {'':<56}{'share':>8}{'counts':>8}{'rates':>8}{'prior left':>11}{'sigma':>7}"
    yield line(own)
    yield from (line(share) for share in apart)
    if any(share.sigma != own.sigma for share in apart):
        yield f"    at sigma {own.sigma:g}, as in the fit to all:"
        yield from (line(share) for share in without(anatomy, table, where, sigma=own.sigma))
    yield from (line(share) for share in independent(anatomy))
    cut = drainage.without_portal_edge(anatomy)
    yield f"    {'no portal vein':<64}{drainage.with_equal_soils(cut, table, own.small)[0]:>8.2f}"
    low, high = drainage.BAR
    inside = [low < drainage.with_equal_soils(anatomy, table, x.small)[0] < high for x in (own, *apart)]
    yield (
        f"    bar for the shipped table, {low:g} to {high:g} of counts: {'met' if inside[0] else 'missed'} in-sample, "
        f"{'met' if all(inside[1:]) else 'MISSED'} out of sample"
    )


def _sizes(table: sizes.Sizes) -> Iterator[str]:
    law = sizes.fit(table)
    bins = len(table.cancer)
    yield ""
    yield f"P(METASTASIS AT DIAGNOSIS) against diameter: {law.numbers} numbers fitted to {bins} bins"
    yield f"  alpha {law.alpha:.3f}, shared; deviance {sizes.deviance(table, law):.1f}"
    for cancer in table.cancers:
        plateau = f", plateau {law.plateaus[cancer]:.3f}" if law.plateaus[cancer] < 1 else ""
        yield f"  {printable(cancer):<10} scale {law.scales[cancer]:.4g} per cm^(3 alpha){plateau}"
    line = float(sizes.row_deviances(table, sizes.line_through_origin(table)).sum())
    yield f"  a line through the origin for each: deviance {line:.1f}"
    small, large = table.diameter_cm <= sizes.SMALL_CM, table.diameter_cm > sizes.LARGE_CM
    beyond = table.of(large)
    if not np.any(large) or {*table.cancer[large]} - {*table.cancer[small]}:
        return
    ahead = sizes.fit(table.of(small))
    p = sizes.expected(beyond, ahead)
    yield f"  fitted up to {sizes.SMALL_CM:g} cm, predicted beyond {sizes.LARGE_CM:g} cm:"
    for k, cancer in enumerate(table.cancers):
        mine = beyond.cancer == k
        if np.any(mine):
            wanted, seen = float((p * beyond.patients)[mine].sum()), float(beyond.metastatic[mine].sum())
            off = float(sizes.row_deviances(beyond, p)[mine].sum())
            yield (
                f"    {printable(cancer):<10} {wanted:.0f} with metastasis, {seen:.0f} were; "
                f"deviance {off:.1f} on {int(mine.sum())} bins"
            )


def _macro(one: Scores) -> str:
    return _row(f"  {one.name}", [_figure(value) for value in one.macro])


def _row(head: str, cells: list[str]) -> str:
    return f"{head:<30}" + "".join(f"{cell:>16}" for cell in cells)


def _ratio(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _figure(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"
