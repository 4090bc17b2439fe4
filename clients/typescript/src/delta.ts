import type { Chain, ChainRow, Quote } from "./types.js";

type Fields = Record<string, unknown>;
interface Delta extends Fields {
  epoch: string;
  seq: number;
  prev_seq: number;
}

/** Fields of an update that say how it is to be taken, and are no part of a state. */
const BOOKKEEPING = new Set(["kind", "prev_seq", "conflated", "removed", "rows", "reason"]);

/** A snapshot as REST would answer it. */
export function stateOf<T>(payload: Fields): T {
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !BOOKKEEPING.has(name))) as T;
}

/** Whether a delta follows what is held: else something was missed. */
export function follows(state: { epoch: string; seq: number }, delta: Delta): boolean {
  return state.epoch === delta.epoch && state.seq === delta.prev_seq;
}

/** The quote after a delta. */
export function quoteAfter(quote: Quote, delta: Delta): Quote {
  return { ...quote, ...stateOf<Partial<Quote>>(delta) };
}

/** The chain after a delta: rows that did not change keep their identity, and so does the list if none did. */
export function chainAfter(chain: Chain, delta: Delta): Chain {
  const rows = (delta["rows"] as Partial<ChainRow>[] | undefined) ?? [];
  const removed = (delta["removed"] as number[] | undefined) ?? [];
  return { ...chain, ...stateOf<Partial<Chain>>(delta), option_chain: rowsAfter(chain.option_chain, rows, removed) };
}

function rowsAfter(before: ChainRow[], changes: Partial<ChainRow>[], removed: number[]): ChainRow[] {
  if (!changes.length && !removed.length) return before;
  const left = removed.length ? before.filter((row) => !removed.includes(row.strike_price)) : before.slice();
  const places = new Map(left.map((row, place) => [row.strike_price, place]));
  let isSorted = true;
  for (const change of changes) {
    const place = places.get(change.strike_price as number);
    if (place === undefined) {
      left.push(change as ChainRow);
      isSorted = false;
    } else {
      left[place] = { ...left[place], ...change } as ChainRow;
    }
  }
  return isSorted ? left : left.sort((one, other) => one.strike_price - other.strike_price);
}
