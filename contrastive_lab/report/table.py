"""The headline numbers of runs, as rows that the terminal and the page share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contrastive_lab.report.record import Record, usual_data


@dataclass(frozen=True)
class Column:
    """A headline number: its key, its head, how it is written, and what it means."""

    key: str
    head: str
    form: str
    meaning: str
    best: str = ""

    def write(self, value: float | None) -> str:
        return "–" if value is None else self.form.format(value)


COLUMNS = (
    Column("loss", "loss", "{:.3f}", "The method's own loss at the end. Losses of different methods can't be compared."),
    Column(
        "alignment",
        "alignment",
        "{:.3f}",
        "Mean squared distance of the embeddings of two views of one image: 0 is closest, 2 is unrelated.",
    ),
    Column(
        "share",
        "uniformity",
        "{:.0%}",
        "How evenly embeddings fill the sphere, in percent of the best possible value. 0 %: all in one point.",
    ),
    Column("rankme", "RankMe", "{:.1f}", "How many directions the embeddings use, roughly."),
    Column("knn", "kNN", "{:.1%}", "Test images whose nearest training images vote for the right class.", best="high"),
    Column("linear", "linear", "{:.1%}", "Test images that a linear classifier on the frozen features gets right.", best="high"),
    Column("seconds", "seconds", "{:.0f}", "Time spent on training, with the measuring on the way."),
)


@dataclass(frozen=True)
class Row:
    """Headline numbers of one run by column key; None where the run doesn't have one."""

    record: Record
    values: dict[str, float | None]


def uniformity_share(uniformity: float | None, dim: int | None) -> float | None:
    """Uniformity as a fraction of what evenly spread points of that dimension reach."""
    if uniformity is None or not dim:
        return None
    from contrastive_lab.measures import uniformity_floor

    return uniformity / uniformity_floor(dim)


def embedding_dim(record: Record) -> int | None:
    if record.embeddings is not None:
        return int(record.embeddings.shape[-1])
    return record.evaluation.get("embedding_dim")


def summarise(records: Sequence[Record]) -> list[Row]:
    """One row for each run, in the order given."""
    rows = []
    for record in records:
        values = {column.key: record.last(column.key) for column in COLUMNS}
        values["share"] = uniformity_share(record.last("uniformity"), embedding_dim(record))
        rows.append(Row(record, values))
    return rows


def best_of(rows: Sequence[Row], key: str) -> float | None:
    """The highest value of a column among the runs on the most common data; None where there is nothing to compare."""
    usual = usual_data([row.record for row in rows])
    values = [value for row in rows if row.record.settings["data"] == usual and (value := row.values[key]) is not None]
    return max(values) if len(values) > 1 else None
