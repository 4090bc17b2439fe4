import type { Chain, StrategyRequest } from "indian-options-client";
import { useStrategy } from "indian-options-client/react";

import { number, percent, scale, signed, tone } from "../format.ts";
import { parseLegs, setLegs, type Leg } from "../legs.ts";
import { useShownChain } from "../market.ts";
import { Figure, Panel } from "../parts/panel.tsx";
import { Plot } from "../parts/plot.tsx";
import { useRoute } from "../route.ts";

const READY: Record<string, (atm: number, step: number) => Leg[]> = {
  Straddle: (atm) => [leg("CE", atm, "buy"), leg("PE", atm, "buy")],
  Strangle: (atm, step) => [leg("CE", atm + 4 * step, "buy"), leg("PE", atm - 4 * step, "buy")],
  "Bull call spread": (atm, step) => [leg("CE", atm, "buy"), leg("CE", atm + 4 * step, "sell")],
  "Iron condor": (atm, step) => [leg("PE", atm - 8 * step, "buy"), leg("PE", atm - 4 * step, "sell"), leg("CE", atm + 4 * step, "sell"), leg("CE", atm + 8 * step, "buy")],
  Butterfly: (atm, step) => [leg("CE", atm - 4 * step, "buy"), { ...leg("CE", atm, "sell"), lots: 2 }, leg("CE", atm + 4 * step, "buy")],
};
function leg(type: "CE" | "PE", strike: number, side: "buy" | "sell"): Leg {
  return { type, strike, side, lots: 1 };
}

/** By how many rupees a position may cost more or less than its mid prices say; null where a leg has no two sides. */
export function halfSpread(legs: Leg[], chain: Chain): number | null {
  let error = 0;
  for (const one of legs) {
    const row = chain.option_chain.find((item) => item.strike_price === one.strike);
    const [bid, ask] = one.type === "CE" ? [row?.ce_bid_price, row?.ce_ask_price] : [row?.pe_bid_price, row?.pe_ask_price];
    if (!bid || !ask || !chain.lot_size) return null;
    error += (one.lots * chain.lot_size * (ask - bid)) / 2;
  }
  return error;
}

export function StrategyPage() {
  const route = useRoute();
  const legs = parseLegs(route.legs);
  const chain = useShownChain().data;
  const order: StrategyRequest | null = legs.length
    ? {
        symbol: route.symbol, ...(route.expiry ? { expiry: route.expiry } : {}),
        legs: legs.map((one) => ({ strike: one.strike, option_type: one.type, side: one.side, quantity: one.lots })),
      }
    : null;
  const { data, error, isLoading } = useStrategy(order);
  const strikes = chain?.option_chain.map((row) => row.strike_price) ?? [];
  const place = strikes.indexOf(chain?.atm_strike ?? Number.NaN);
  const step = place >= 0 && strikes[place + 1] !== undefined ? strikes[place + 1]! - strikes[place]! : 0;
  const body = JSON.stringify(order);
  const priceError = data && chain && !route.at ? halfSpread(legs, chain) : null;
  return (
    <>
      <Panel
        title={`${route.symbol} strategy`} hook={`const { data } = useStrategy(${body});`}
        {...(order ? { curl: "/api/strategy", body } : {})}
      >
        <div className="tools">
          {Object.entries(READY).map(([name, make]) => (
            <button key={name} type="button" disabled={!step} onClick={() => setLegs(make(chain!.atm_strike as number, step))}>{name}</button>
          ))}
          {legs.length > 0 && <button type="button" onClick={() => setLegs([])}>Clear</button>}
        </div>
        {route.at && <p className="word">Positions are priced by the live market: the instant of the past does not apply here.</p>}
        {!legs.length && <p className="word">No legs yet: choose one of these, or click on prices of the chain.</p>}
        {legs.length > 0 && (
          <table className="legs">
            <thead><tr><th scope="col">Side</th><th scope="col">Contract</th><th scope="col">Lots</th><th scope="col">Price</th><th scope="col">IV</th><th scope="col">Delta</th><th /></tr></thead>
            <tbody>
              {legs.map((one, index) => {
                const priced = data?.legs[index];
                const change = (made: Partial<Leg>) => setLegs(legs.map((other, at) => (at === index ? { ...other, ...made } : other)));
                return (
                  <tr key={`${one.side}${one.type}${one.strike}`}>
                    <td><button type="button" className={one.side === "buy" ? "up" : "down"} onClick={() => change({ side: one.side === "buy" ? "sell" : "buy" })}>{one.side}</button></td>
                    <td>{number(one.strike, one.strike % 1 ? 2 : 0)} {one.type}</td>
                    <td><input type="number" min={1} max={10000} value={one.lots} aria-label="Lots" onChange={(event) => change({ lots: Math.max(1, Number(event.target.value) || 1) })} /></td>
                    <td>{number(priced?.price)} <span className="quiet">{priced?.price_source}</span></td>
                    <td>{percent(priced?.iv, 1)}</td>
                    <td>{number(priced?.delta)}</td>
                    <td><button type="button" aria-label={`Remove ${one.strike} ${one.type}`} onClick={() => setLegs(legs.filter((_, at) => at !== index))}>×</button></td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
        {error && <p className="word bad" role="status">{error.message}</p>}
        {order && isLoading && <p className="word" role="status">Pricing …</p>}
        {data && (
          <dl className="figures">
            <Figure name={data.net_premium !== null && data.net_premium < 0 ? "Received" : "Paid"} value={number(Math.abs(data.net_premium ?? Number.NaN))} />
            <Figure name="Margin of error" value={priceError === null ? "–" : `± ${number(priceError, 0)}`} note="half the spread of the legs" />
            <Figure name="Max profit" value={data.unlimited_profit ? "unlimited" : number(data.max_profit, 0)} tone="up" />
            <Figure name="Max loss" value={data.unlimited_loss ? "unlimited" : number(data.max_loss, 0)} tone="down" />
            <Figure name="Break-even" value={data.break_evens.map((price) => number(price, 0)).join(", ") || "–"} />
            <Figure name="Chance of profit" value={percent(data.probability_of_profit === null ? null : 100 * data.probability_of_profit, 0)} note="risk-neutral, by the smile" />
            <Figure name="Delta" value={number(data.greeks.delta)} tone={tone(data.greeks.delta)} />
            <Figure name="Gamma" value={number(data.greeks.gamma, 4)} />
            <Figure name="Theta a day" value={signed(data.greeks.theta, 0)} tone={tone(data.greeks.theta)} />
            <Figure name="Vega" value={signed(data.greeks.vega, 0)} />
          </dl>
        )}
      </Panel>
      {data && (
        <Panel title="Pay-off">
          <Plot
            label="Profit by price of the underlying, today and at expiry" x={data.curve.map((point) => point.spot_price)} nameY={scale} height={300}
            marks={data.spot_price ? [{ x: data.spot_price, name: "spot" }] : []}
            series={[
              { name: "at expiry (₹)", className: "accent", values: data.curve.map((point) => point.at_expiry) },
              { name: "today (₹)", className: "pe", values: data.curve.map((point) => point.today) },
            ]}
          />
          <p className="quiet">
            Margin is the broker's to say and is not in these figures. They rest on {data.coverage.legs_quoted} of {data.coverage.legs} legs with a two-sided quote,
            {" "}{data.coverage.legs_iv_solved} with a volatility.
          </p>
        </Panel>
      )}
    </>
  );
}
