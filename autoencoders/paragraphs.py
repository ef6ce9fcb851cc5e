"""The report's paragraphs: templates beside the chapters, whose clauses have a wording for each verdict of a claim.

A file in `report/paragraphs/` maps names to paragraphs; a chapter shows one by `{{< var paragraphs.r06 >}}`. What may
stand in a paragraph is described in docs/adding.md.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoencoders import reading, tables
from autoencoders.coercion import listed
from autoencoders.errors import InputError
from autoencoders.judging import Judged

WORDINGS = ("supported", "contradicted", "equivalent", "undecided")  # that every clause has
VOID = "void"  # a wording that a clause may have; without one it is left out where its claim is void
NOTHING = "This run trained none of the models that would be compared here."


@dataclass(frozen=True)
class Clause:
    """What is said of one claim, or of all whose ids match a pattern, by verdict."""

    claims: str
    wordings: Mapping[str, str]
    join: str = ""  # and, but: it goes on with the sentence before; both change where the verdicts part
    lead: str | None = None  # what the wordings of several verdicts go on from; without it they are sentences


@dataclass(frozen=True)
class Case:
    """A sentence that holds under verdicts of some claims."""

    when: Mapping[str, tuple[str, ...]]
    say: str


Item = Clause | tuple[Case, ...] | str


@dataclass(frozen=True)
class Paragraph:
    items: tuple[Item, ...]
    is_cell: bool = False  # of a table: neither a capital nor a full stop


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(folder: Path) -> dict[str, Paragraph]:
    """Read all paragraphs of a folder by name, checked."""
    found: dict[str, Paragraph] = {}
    for path in sorted(folder.glob("*.yml")):
        contents = reading.parsed_yaml(path)
        if not isinstance(contents, dict):
            raise InputError(f"{path} must hold paragraphs by name")
        for name, content in contents.items():
            if name in found:
                raise InputError(f"{path}: there are two paragraphs called {name}")
            items = content if isinstance(content, list) else [content]
            parsed = tuple(_item(each, f"{path}, {name}") for each in items)
            found[name] = Paragraph(parsed, is_cell=not isinstance(content, list))
    return found


def _item(content: Any, where: str) -> Item:
    if isinstance(content, str):
        return content
    if isinstance(content, dict) and isinstance(content.get("claim"), str):
        return _clause(content["claim"], {name: text for name, text in content.items() if name != "claim"}, where)
    if isinstance(content, dict) and isinstance(content.get("cases"), list):
        return tuple(_case(each, where) for each in content["cases"])
    raise InputError(f"{where}: a paragraph holds sentences, clauses (claim: …) and cases (cases: …), not {content!r}")


def _clause(claims: str, rest: Mapping[str, Any], where: str) -> Clause:
    wordings = {verdict: text for verdict, text in rest.items() if verdict not in ("join", "lead")}
    if wordings.keys() == {"always"}:  # values alone: nothing to be decided
        wordings = dict.fromkeys((*WORDINGS, VOID), wordings["always"])
    if missing := [verdict for verdict in WORDINGS if verdict not in wordings]:
        raise InputError(f"{where}: the clause on {claims} has no wording for {listed(missing)}")
    if unknown := [verdict for verdict in wordings if verdict not in (*WORDINGS, VOID)]:
        raise InputError(f"{where}: the clause on {claims} has {listed(unknown)}, which is no verdict")
    join = rest.get("join", "")
    if join not in ("", "and", "but"):
        raise InputError(f"{where}: join is 'and' or 'but', not {join!r}")
    return Clause(claims, wordings, join, rest.get("lead"))


def _case(content: Any, where: str) -> Case:
    if not isinstance(content, dict) or "say" not in content or not content.keys() <= {"when", "say"}:
        raise InputError(f"{where}: a case has 'say: …' and may have 'when: …', not {content!r}")
    wanted = content.get("when", {})
    when = {claims: tuple([v] if isinstance(v, str) else v) for claims, v in wanted.items()}
    if unknown := {verdict for verdicts in when.values() for verdict in verdicts} - {*WORDINGS, VOID}:
        raise InputError(f"{where}: {listed(sorted(unknown))} is no verdict")
    return Case(when, content["say"])


def unbound(paragraphs: Iterable[Paragraph], ids: Iterable[str]) -> list[str]:
    """List what clauses and cases are bound to although there is no such claim."""
    items = [item for paragraph in paragraphs for item in paragraph.items]
    patterns = [item.claims for item in items if isinstance(item, Clause)]
    patterns += [claims for item in items if isinstance(item, tuple) for case in item for claims in case.when]
    known = list(ids)
    return [pattern for pattern in dict.fromkeys(patterns) if not fnmatch.filter(known, pattern)]


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict(judged: Judged) -> str:
    """The verdict that the text follows."""
    return VOID if judged.claim.void else judged.verdict_corrected


@dataclass(frozen=True)
class Quoted:
    """Claims of one verdict, with what a wording may quote of them: `{pair}`, `{ae-pca.a}`."""

    judged: tuple[Judged, ...]

    @property
    def a(self) -> str:
        return tables.in_a_row([each.claim.scale.text(each.a.mean) for each in self.judged]) + self.unit

    @property
    def b(self) -> str:
        return tables.in_a_row([each.claim.scale.text(each.b.mean) for each in self.judged]) + self.unit

    @property
    def pair(self) -> str:
        """As papers give two values: `23.81 against 23.64 dB`."""
        return self._against(lambda each: (each.a.mean, each.b.mean))

    @property
    def reversed(self) -> str:
        """The same, `b` first."""
        return self._against(lambda each: (each.b.mean, each.a.mean))

    def _against(self, values: Callable[[Judged], tuple[float, float]]) -> str:
        pairs = [map(each.claim.scale.text, values(each)) for each in self.judged]
        return tables.in_a_row([" against ".join(pair) for pair in pairs]) + self.unit

    @property
    def gap(self) -> str:
        """The difference of the values as they are shown, without its sign."""
        unit = f"{tables.NO_BREAK}points" if self.judged[0].claim.scale.percent else self.unit
        return tables.in_a_row([each.claim.scale.gap(each.a.mean, each.b.mean) for each in self.judged]) + unit

    @property
    def unit(self) -> str:
        return self.judged[0].claim.scale.symbol.replace(" ", tables.NO_BREAK, 1)

    @property
    def at(self) -> str:
        """What tells claims of one pattern apart: `σ = 0.1, 0.3 and variance 0.1`."""
        labels = [each.claim.at for each in self.judged]
        heads = ["", *(label.rpartition(" ")[0] for label in labels)]
        pairs = zip(labels, heads[:-1], heads[1:], strict=True)
        return tables.in_a_row(
            [label.rpartition(" ")[2] if head == before != "" else label for label, before, head in pairs]
        )

    @property
    def each(self) -> str:
        """Each of several with its values: `σ = 0.1 (23.33 against 27.05 dB) and σ = 0.3 (21.87 against 22.11 dB)`."""
        return tables.in_a_row([f"{each.claim.at} ({Quoted((each,)).pair})" for each in self.judged])

    @property
    def each_reversed(self) -> str:
        return tables.in_a_row([f"{each.claim.at} ({Quoted((each,)).reversed})" for each in self.judged])

    @property
    def scope(self) -> str:
        """As far as all of them reach: seeds, if they have the same."""
        scopes = {each.scope for each in self.judged}
        return scopes.pop() if len(scopes) == 1 else "in this run"

    @property
    def name_a(self) -> str:
        return self.judged[0].a.name

    @property
    def name_b(self) -> str:
        return self.judged[0].b.name


@dataclass
class _Fields:
    """What the braces of a text stand for; it remembers which claims were quoted."""

    own: Quoted | None
    judged: Mapping[str, Judged]
    values: Mapping[str, str]
    quoted: dict[str, None]

    def __getitem__(self, name: str) -> Any:
        if name in self.judged:
            self.quoted[name] = None
            return Quoted((self.judged[name],))
        return self.values[name] if self.own is None and name in self.values else getattr(self.own, name)


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Part:
    """A clause or a sentence as this run has it."""

    text: str
    marks: str = ""
    join: str = ""
    verdict: str = ""  # of a clause; mixed: its claims have several


@dataclass(frozen=True)
class Writer:
    """Writes paragraphs as Markdown, on what a run says of the claims."""

    judged: Mapping[str, Judged]
    values: Mapping[str, str]  # of the run: `{scope}` outside clauses
    page: str  # the chapter with the table of claims, from the project's root; without one there are no marks

    @classmethod
    def of(cls, judged: Iterable[Judged], values: Mapping[str, str], page: str = "/report/claims.qmd") -> Writer:
        return cls({each.claim.id: each for each in in_order(judged)}, values, page)

    def write(self, paragraph: Paragraph) -> str:
        parts = list(self._parts(paragraph))
        if paragraph.is_cell:  # one that states a value leads to its claim
            shown = [part.text + part.marks if re.search(r"\d", part.text) else part.text for part in parts]
            return shown[0] if shown else tables.MISSING
        sentences: list[str] = []
        for part, before in zip(parts, [None, *parts], strict=False):
            if part.join and before and before.verdict:
                connective = _connective(part.join, before.verdict, part.verdict)
                sentences[-1] += f", {connective} {part.text}{part.marks}"
            else:
                sentences.append(_capitalised(part.text.removesuffix(".")) + part.marks)
        return " ".join(f"{sentence}." for sentence in sentences) or NOTHING

    def _parts(self, paragraph: Paragraph) -> Iterator[_Part]:
        """What holds in this run."""
        for item in paragraph.items:
            match item:
                case Clause():
                    if members := self._members(item):
                        yield self._worded(item, members)
                case str():
                    yield _Part(self._filled(item, None, {}))
                case _:
                    if case := next((case for case in item if self._holds(case)), None):
                        quoted: dict[str, None] = {}
                        yield _Part(self._filled(case.say, None, quoted), self._marks(quoted))

    def _members(self, clause: Clause) -> list[Judged]:
        found = [self.judged[id] for id in fnmatch.filter(self.judged, clause.claims)]
        return [each for each in found if verdict(each) in clause.wordings]

    def _worded(self, clause: Clause, members: Sequence[Judged]) -> _Part:
        """One wording for each verdict that there is among the members."""
        present = [v for v in clause.wordings if v in map(verdict, members)]
        groups = {v: Quoted(tuple(each for each in members if verdict(each) == v)) for v in present}
        quoted = {each.claim.id: None for each in members}
        texts = [self._filled(clause.wordings[v], group, quoted) for v, group in groups.items()]
        sentences = ". ".join(map(_capitalised, texts)) if len(texts) > 1 else texts[0]
        listed = tables.in_a_row(texts) if len(texts) < 2 else f"{', '.join(texts[:-1])}, and {texts[-1]}"
        whole = sentences if clause.lead is None else f"{clause.lead} {listed}".strip()
        return _Part(whole, self._marks(quoted), clause.join, present[0] if len(present) == 1 else "mixed")

    def _holds(self, case: Case) -> bool:
        """Whether all the claims are there, with one of the verdicts that it asks for."""
        found = {claims: fnmatch.filter(self.judged, claims) for claims in case.when}
        return all(
            ids and all(verdict(self.judged[id]) in case.when[claims] for id in ids) for claims, ids in found.items()
        )

    def _filled(self, text: str, own: Quoted | None, quoted: dict[str, None]) -> str:
        try:
            return text.format_map(_Fields(own, self.judged, self.values, quoted))
        except AttributeError:
            raise InputError(f"{text!r} quotes what there isn't in this run: put it under 'when: …'") from None

    def _marks(self, ids: Iterable[str]) -> str:
        """Links to the table, which both renderers' styles raise; a caret before one would begin a footnote."""
        found = list(ids) if self.page else []
        texts = [self.number(id) + ("," if id != found[-1] else "") for id in found]
        targets = [f'{self.page}#claim-{id} "{_title(self.judged[id])}"' for id in found]
        return "".join(f"[{text}]({target}){{.claim}}" for text, target in zip(texts, targets, strict=True))

    def number(self, id: str) -> str:
        return f"c{list(self.judged).index(id) + 1}"

    def table(self) -> str:
        """Every claim with its whole statistics, to be included in a chapter."""
        headings = ["no.", "for", "expected", "measured", "difference", "margin", "n", "p", "verdict"]
        rows = [[f"[{self.number(id)}]{{#claim-{id}}}", *_row(each)] for id, each in self.judged.items()]
        return tables.pipes([headings, *rows], [False] * 4 + [True] * 4 + [False])


def in_order(judged: Iterable[Judged]) -> list[Judged]:
    """As the table has them: by the requirement that they answer."""
    return sorted(judged, key=lambda each: int(each.claim.requirement[1:]))


def _connective(wanted: str, before: str, now: str) -> str:
    """`and` between what went the same way and `but` where it parted, the other way round where `but` is wanted."""
    if before == now == "equivalent":
        return "and"
    if not {before, now} <= {"supported", "contradicted", "equivalent"}:
        return "and" if before == now else "but"
    same = (before == "supported") == (now == "supported")
    return "and" if same == (wanted == "and") else "but"


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:] if text[0].isascii() else text


def _title(judged: Judged) -> str:
    """What a mark shows on hover and focus: no Markdown, no quotes."""
    *values, margin, n, _, verdict = _row(judged)[2:]
    shown = f"{'; difference '.join(values)}; margin {margin}; n = {n}; p {judged.chance}; {verdict}"
    return shown.replace("\\", "").replace('"', "")


def _row(judged: Judged) -> list[str]:
    claim, scale, difference = judged.claim, judged.claim.scale, judged.difference
    low, high = map(scale.text, difference.interval())
    sides = "; ".join(f"{side.name}: {scale.text(side.mean)}" for side in (judged.a, judged.b)) + scale.symbol
    found, void = verdict(judged), f" (void: {claim.void})" if claim.void else ""
    if judged.verdict != judged.verdict_corrected:
        found += f"; alone {judged.verdict}"
    return [
        claim.requirement,
        tables.escape(claim.statement + void),
        tables.escape(sides),
        f"{scale.text(difference.value)} \\[{low}, {high}\\]".replace(", ", f",{tables.NO_BREAK}"),
        scale.text(claim.scale.margin),
        f"{difference.n:,}" + (f" × {difference.seeds}" if difference.seeds > 1 else ""),
        judged.chance.removeprefix("= ").replace(" 0.0001", f"{tables.NO_BREAK}10⁻⁴"),
        tables.escape(found),
    ]
