"""Tables as columns: rows for JSON, and the changes between two tables."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.chains import ROW_COLUMNS, ChainRowSchema
from schemas.columns import Column, RowWriter, differs, rounded, rows
from schemas.wire import encode
from tests.handlers.shapes import problems, strict_json

COLUMNS = (
    Column("strike_price", 2, "INR", "key"),
    Column("price", 2, "INR", "a price"),
    Column("oi", None, "contracts", "a count"),
    Column("build_up", 0, "", "a coded value", choices=("up", "down")),
    Column("is_atm", 0, "", "a flag", flag=True),
)
WRITER = RowWriter(COLUMNS)
NO_WHOLE_COUNTS = (37.5, 2.0**53 + 2, 1e300)
STRIKES = 5

unknown = st.just(np.nan)
cells = {
    "price": st.floats(-1e6, 1e6).map(lambda value: round(value, 2) + 0.0) | unknown,
    "oi": st.integers(0, 10**9).map(float) | st.sampled_from(NO_WHOLE_COUNTS) | unknown,
    "build_up": st.sampled_from([0.0, 1.0, 2.0]) | unknown,
    "is_atm": st.sampled_from([0.0, 1.0]),
}


@st.composite
def tables(draw):
    """A table as the server makes it: strikes known, everything else may be unknown."""
    lines = [np.arange(STRIKES) * 50.0]
    lines += [draw(arrays(np.float64, STRIKES, elements=cells[column.name])) for column in COLUMNS[1:]]
    return np.array(lines)


def on_the_wire(value):
    return strict_json(encode(value))


def changed_rows(table, changed):
    return WRITER.texts(table, changed).array(0, table.shape[1])


masks = arrays(np.bool_, (len(COLUMNS), STRIKES))


@given(tables(), tables())
def test_changed_rows_applied_to_the_old_rows_are_the_new_rows(before, after):
    changed = differs(before, after)
    changed[0] = False
    state = {row["strike_price"]: row for row in on_the_wire(rows(COLUMNS, before))}
    for row in on_the_wire(changed_rows(after, changed)):
        state[row["strike_price"]].update(row)
    assert list(state.values()) == on_the_wire(rows(COLUMNS, after))


@given(tables(), tables())
def test_changed_rows_name_no_cell_that_is_the_same(before, after):
    old = {row["strike_price"]: row for row in on_the_wire(rows(COLUMNS, before))}
    changed = differs(before, after)
    changed[0] = False
    for row in on_the_wire(changed_rows(after, changed)):
        assert len(row) > 1
        for name in row.keys() - {"strike_price", "build_up"}:
            assert row[name] != old[row["strike_price"]][name]


def named_cells(table, changed):
    """What a row writer writes, made of dicts cell by cell."""
    found = []
    for number, row in enumerate(rows(COLUMNS, table)):
        names = [column.name for column, told in zip(COLUMNS, changed[:, number], strict=True) if told]
        if set(names) - {"strike_price"}:
            found.append({"strike_price": row["strike_price"], **{name: row[name] for name in names}})
    return found


@given(tables(), masks)
def test_written_rows_have_the_bytes_of_rows_of_dicts(table, changed):
    assert encode(WRITER.whole(table)) == encode(rows(COLUMNS, table))
    assert encode(changed_rows(table, changed)) == encode(named_cells(table, changed))


@given(tables(), masks, st.integers(0, STRIKES), st.integers(0, STRIKES), st.data())
def test_rows_of_a_range_are_written_the_same_alone_and_together(table, changed, one, other, data):
    first, stop = sorted((one, other))
    together = WRITER.texts(table, changed)
    expected = encode(named_cells(table[:, first:stop], changed[:, first:stop]))
    assert encode(together.array(first, stop)) == expected
    part = together.between(first, stop)
    assert encode(part.array(0, stop - first)) == expected
    low = data.draw(st.integers(0, stop - first))
    assert encode(part.array(low, stop - first)) == encode(together.array(first + low, stop))


@given(tables())
def test_table_does_not_differ_from_itself(table):
    assert not differs(table, table.copy()).any()


@given(tables())
def test_row_has_every_column_and_null_for_what_is_not_known(table):
    for number, row in enumerate(on_the_wire(rows(COLUMNS, table))):
        assert list(row) == [column.name for column in COLUMNS]
        for line, column in enumerate(COLUMNS):
            if np.isnan(table[line, number]):
                assert row[column.name] is None
        assert isinstance(row["is_atm"], bool)
        assert row["build_up"] in (None, "up", "down")
        assert row["oi"] is None or isinstance(row["oi"], int) or row["oi"] in NO_WHOLE_COUNTS


@given(
    arrays(np.float64, 8, elements=st.floats(-1e15, 1e15) | unknown | st.sampled_from([np.inf, -np.inf])),
    st.sampled_from([None, 0, 2, 4, 7]),
)
def test_rounded_values_are_finite_or_unknown_and_no_negative_zero(values, decimals):
    before = values.copy()
    told = rounded(values, decimals)
    assert not np.isinf(told).any()
    assert not np.signbit(told[told == 0]).any()
    np.testing.assert_array_equal(values, before, "the caller's array was written to")
    np.testing.assert_array_equal(np.isnan(told), ~np.isfinite(values))


def test_rows_made_from_columns_are_what_their_schema_describes():
    generator = np.random.default_rng(1)
    table = np.abs(generator.normal(100, 30, (len(ROW_COLUMNS), 9)))
    for line, column in enumerate(ROW_COLUMNS):
        table[line] = rounded(table[line], 0 if column.decimals is None else column.decimals)
        if column.flag or column.choices:
            table[line] = np.arange(9) % 2
    table[2:, ::3] = np.nan
    for row in on_the_wire(rows(ROW_COLUMNS, table)):
        assert problems(ChainRowSchema(), row) == []
