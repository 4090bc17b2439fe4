import type { Chain, ChainRow } from "indian-options-client";
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "react";

import { compact, number, percent, signed, signedCompact, tone } from "../format.ts";
import { parseLegs, setLegs, withLeg } from "../legs.ts";
import { useShownChain } from "../market.ts";
import { Figure, Panel, Stated } from "../parts/panel.tsx";
import { go, useRoute } from "../route.ts";

type Leg = "ce" | "pe";
type Value = number | null | undefined;
interface ColumnSpec {
  name: string;
  field: string;
  show: (value: any) => string;
  toned?: boolean;
  bar?: boolean;
}

const col = (name: string, field: string, show: (value: any) => string, more: Partial<ColumnSpec> = {}): ColumnSpec => ({ name, field, show, ...more });
const WORDS: Record<string, string> = { long_build_up: "long build-up", short_build_up: "short build-up", long_unwinding: "long unwinding", short_covering: "short covering" };
const LTP = col("LTP", "ltp", (value: Value) => number(value));

/** From the edge to the strike; the other side is mirrored. */
const COLUMN_SETS: Record<string, ColumnSpec[]> = {
  quotes: [
    col("OI", "oi", compact, { bar: true }), col("Chg OI", "oi_change", signedCompact, { toned: true }), col("Volume", "volume", compact),
    col("IV", "iv", (value: Value) => number(value, 1)), col("Chg", "change", (value: Value) => signed(value), { toned: true }), LTP,
  ],
  greeks: [
    col("Vega", "vega", (value: Value) => number(value)), col("Theta", "theta", (value: Value) => number(value)),
    col("Gamma", "gamma", (value: Value) => number(value, 5)), col("Delta", "delta", (value: Value) => number(value)),
    col("IV", "iv", (value: Value) => number(value, 1)), LTP,
  ],
  positioning: [
    col("Build-up", "build_up", (value: string | null) => (value ? (WORDS[value] ?? value) : "–")), col("OI", "oi", compact, { bar: true }),
    col("Chg OI", "oi_change", signedCompact, { toned: true }), col("Chg OI %", "oi_change_percent", (value: Value) => percent(value, 1), { toned: true }), LTP,
  ],
  depth: [
    col("Bid qty", "bid_qty", compact), col("Bid", "bid_price", (value: Value) => number(value)), col("Ask", "ask_price", (value: Value) => number(value)),
    col("Ask qty", "ask_qty", compact), LTP,
  ],
};

export function ChainPage() {
  const route = useRoute();
  const shown = useShownChain();
  const columns = COLUMN_SETS[route.columns] ?? COLUMN_SETS["quotes"]!;
  const query = `symbol=${encodeURIComponent(route.symbol)}${route.expiry ? `&expiry=${route.expiry}` : ""}${route.strikes !== "all" ? `&strikes=${route.strikes}` : ""}${route.at ? `&at=${encodeURIComponent(route.at)}` : ""}`;
  return (
    <Panel
      title={`${route.symbol} option chain`}
      curl={`/api/option_chain?${query}`}
      hook={`const { data, status } = useOptionChain({ symbol: "${route.symbol}"${route.expiry ? `, expiry: "${route.expiry}"` : ""}${route.strikes !== "all" ? `, strikes: ${route.strikes}` : ""} });`}
    >
      <div className="tools">
        <Choice label="Columns" value={route.columns} options={Object.keys(COLUMN_SETS)} onChange={(value) => go({ columns: value }, true)} />
        <Choice label="Strikes" value={route.strikes} options={["5", "10", "20", "40", "all"]} onChange={(value) => go({ strikes: value }, true)} />
        <span className="quiet wide">A click on an LTP buys it as a leg of a strategy, with Shift it sells.</span>
      </div>
      <Stated shown={shown}>{(chain) => <ChainTable chain={chain} columns={columns} />}</Stated>
    </Panel>
  );
}

export function Choice({ label, value, options, onChange }: { label: string; value: string; options: string[]; onChange: (value: string) => void }) {
  return (
    <label className="choice">
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => <option key={option}>{option}</option>)}
      </select>
    </label>
  );
}

function ChainTable({ chain, columns }: { chain: Chain; columns: ColumnSpec[] }) {
  const rows = chain.option_chain;
  const atm = rows.find((row) => row.is_atm);
  const most = useMemo(() => roundUp(Math.max(1, ...rows.flatMap((row) => [row.ce_oi ?? 0, row.pe_oi ?? 0]))), [rows]);
  const scroller = useRef<HTMLDivElement>(null);
  const key = `${chain.symbol} ${chain.expiry}`;
  useEffect(() => {
    const box = scroller.current;
    const row = box?.querySelector<HTMLElement>("tr.atm");
    if (box && row) box.scrollTop = row.offsetTop - box.clientHeight / 2;
    if (box && box.scrollWidth > box.clientWidth) box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
  }, [key, columns, rows.length]);
  const route = useRoute();
  const legs = useRef(route.legs);
  legs.current = route.legs;
  const pick = useCallback((strike: number, type: "CE" | "PE", sells: boolean) => {
    setLegs(withLeg(parseLegs(legs.current), { strike, type, side: sells ? "sell" : "buy" }));
  }, []);
  const straddle = atm && atm.ce_ltp != null && atm.pe_ltp != null ? atm.ce_ltp + atm.pe_ltp : null;
  const spot = chain.spot_price ?? 0;
  return (
    <>
      <dl className="figures">
        <Figure name="Spot" value={number(chain.spot_price)} />
        <Figure name="Forward" value={number(chain.forward)} note="from put-call parity" />
        <Figure name="PCR" value={number(chain.pcr_oi)} note="open interest of puts per call, all strikes" />
        <Figure name="Max pain" value={number(chain.max_pain, 0)} />
        <Figure name="ATM straddle" value={number(straddle)} />
        <Figure name="Days" value={chain.days_to_expiry} />
        <Figure name="Lot" value={chain.lot_size ?? "–"} />
        <Figure name="Quoted" value={`${chain.coverage.quoted} / ${2 * chain.coverage.strikes}`} note="legs with a price, of all that are listed" />
      </dl>
      <div className="scroll" ref={scroller} tabIndex={0} role="region" aria-label="Strikes">
        <table className="chain" data-epoch={chain.epoch} data-seq={chain.seq}>
          <thead>
            <tr><th colSpan={columns.length} scope="colgroup">Calls</th><th /><th colSpan={columns.length} scope="colgroup">Puts</th></tr>
            <tr>
              {columns.map((column) => <th key={column.field} scope="col">{column.name}</th>)}
              <th scope="col" className="at-strike">Strike</th>
              {columns.toReversed().map((column) => <th key={column.field} scope="col">{column.name}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => <StrikeRow key={row.strike_price} row={row} columns={columns} most={most} isCallIn={row.strike_price < spot} pick={pick} />)}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Bars keep their scale until something outgrows it by much. */
function roundUp(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / size) * size;
}

const StrikeRow = memo(function StrikeRow({ row, columns, most, isCallIn, pick }: {
  row: ChainRow; columns: ColumnSpec[]; most: number; isCallIn: boolean; pick: (strike: number, type: "CE" | "PE", sells: boolean) => void;
}) {
  return (
    <tr className={row.is_atm ? "atm" : ""}>
      {columns.map((column) => <Cell key={column.field} row={row} leg="ce" column={column} most={most} isIn={isCallIn} pick={pick} />)}
      <th scope="row" className="strike">{number(row.strike_price, row.strike_price % 1 ? 2 : 0)}</th>
      {columns.toReversed().map((column) => <Cell key={column.field} row={row} leg="pe" column={column} most={most} isIn={!isCallIn} pick={pick} />)}
    </tr>
  );
});

function Cell({ row, leg, column, most, isIn, pick }: {
  row: ChainRow; leg: Leg; column: ColumnSpec; most: number; isIn: boolean; pick: (strike: number, type: "CE" | "PE", sells: boolean) => void;
}) {
  const value = (row as any)[`${leg}_${column.field}`];
  const classes = `${leg} ${isIn ? "in" : ""} ${column.toned ? tone(value) : ""} ${column.bar ? "bar" : ""}`;
  if (column.field === "ltp") {
    return (
      <td className={classes}>
        <button
          type="button" className="ltp" tabIndex={-1} title="Add to the strategy (Shift: sell)"
          onClick={(event) => pick(row.strike_price, leg === "ce" ? "CE" : "PE", event.shiftKey)}
        >
          <Flash value={value} text={column.show(value)} />
        </button>
      </td>
    );
  }
  const style = column.bar && value ? ({ "--part": Math.min(1, value / most).toFixed(3) } as React.CSSProperties) : undefined;
  return <td className={classes} style={style}>{column.show(value)}</td>;
}

const FLASH_MS = 400;
const flashing = new Set<HTMLElement>();
let fading: ReturnType<typeof setTimeout> | null = null;

/** Tint a price for a moment. All fade at once: an animation of each would paint sixty times a second. */
function flash(element: HTMLElement, className: string): void {
  element.className = className;
  flashing.add(element);
  fading ??= setTimeout(() => {
    fading = null;
    for (const one of flashing) one.className = "";
    flashing.clear();
  }, FLASH_MS);
}

/** A price that shows for a moment that it rose or fell. */
function Flash({ value, text }: { value: Value; text: string }) {
  const element = useRef<HTMLSpanElement>(null);
  const before = useRef<Value>(value);
  useLayoutEffect(() => {
    const last = before.current;
    before.current = value;
    if (element.current && value != null && last != null && value !== last) flash(element.current, value > last ? "rose" : "fell");
  }, [value]);
  return <span ref={element}>{text}</span>;
}
