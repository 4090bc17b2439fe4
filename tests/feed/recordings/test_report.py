"""What a report keeps of what it counts."""

from feed.recordings.frames import BadRow
from feed.recordings.report import MOST_REMEMBERED, ImportReport


def test_all_bad_rows_are_counted_and_so_many_remembered_as_a_person_reads() -> None:
    report = ImportReport("rows.csv")
    for line in range(MOST_REMEMBERED + 500):
        report.refuse(BadRow(line, f"close must be positive, was {-line}"))
        report.flaw(BadRow(line, "volume must be a number"))
    assert report.refused == sum(report.reasons.values()) == MOST_REMEMBERED + 500
    assert len(report.bad_rows) == len(report.flaws) == MOST_REMEMBERED
