import type { Chain, Expiry } from "indian-options-client";
import { useAnswer } from "indian-options-client/react";

import { day, minute, number, percent } from "../format.ts";
import { useShownChain, type Shown } from "../market.ts";
import { Panel, Stated } from "../parts/panel.tsx";
import { Plot } from "../parts/plot.tsx";
import { useRoute } from "../route.ts";

const EACH_MS = 5_000;
const MOST_EXPIRIES = 8;

export function VolatilityPage({ expiries }: { expiries: Expiry[] }) {
  const route = useRoute();
  const chain = useShownChain();
  const symbol = encodeURIComponent(route.symbol);
  const some = expiries.slice(0, MOST_EXPIRIES);
  const terms = useAnswer(
    some.length ? JSON.stringify([route.symbol, route.at, some.map((expiry) => expiry.date)]) : null,
    (rest) => Promise.all(some.map((expiry) => rest.dashboard({ symbol: route.symbol, expiry: expiry.date, ...(route.at ? { at: route.at } : {}) }).catch(() => null))),
    route.at ? undefined : EACH_MS,
  );
  const past = useAnswer(
    JSON.stringify([route.symbol, route.expiry, route.at]),
    (rest) => rest.dashboardHistory(route.symbol, { interval: "5m", per_page: 200, ...(route.expiry ? { expiry: route.expiry } : {}), ...(route.at ? { to: route.at } : {}) } as never),
    route.at ? undefined : 30_000,
  );
  const known = (terms.data ?? []).filter((one) => one !== null);
  const points = past.data?.points ?? [];
  return (
    <div className="grid">
      <Panel title="Smile" curl={`/api/option_chain?symbol=${symbol}`} hook={`const { data } = useOptionChain({ symbol: "${route.symbol}", fields: "greeks" });`}>
        <Smile shown={chain} />
      </Panel>
      <Panel title="Term structure" curl={`/api/dashboard_data?symbol=${symbol}`}>
        {terms.error && <p className="word bad">{terms.error.message}</p>}
        <Plot
          label="At-the-money volatility by expiry" x={known.map((_, index) => index)} nameY={(value) => percent(value, 1)}
          nameX={(index) => (known[Math.round(index)] ? day(known[Math.round(index)]!.expiry) : "")}
          series={[{ name: "ATM IV", className: "accent", values: known.map((one) => one.atm_iv) }]}
        />
      </Panel>
      <Panel title="Through the day" curl={`/api/dashboard-history/${symbol}?interval=5m`}>
        {past.error && <p className="word bad">{past.error.message}</p>}
        <Plot
          label="At-the-money volatility and volatility index through the day" x={points.map((point) => Date.parse(point.date))} nameX={(value) => minute(new Date(value).toISOString())}
          nameY={(value) => percent(value, 1)}
          series={[
            { name: "ATM IV", className: "accent", values: points.map((point) => point.atm_iv ?? null) },
            { name: "volatility index", className: "pe", values: points.map((point) => point.volatility_index ?? null) },
          ]}
        />
      </Panel>
    </div>
  );
}

function Smile({ shown }: { shown: Shown<Chain> }) {
  return (
    <Stated shown={shown}>
      {({ option_chain: rows, forward }) => (
        <Plot
          label="Implied volatility by strike" x={rows.map((row) => row.strike_price)} nameY={(value) => percent(value, 1)} nameX={(value) => number(value, 0)}
          marks={forward ? [{ x: forward, name: "forward" }] : []}
          series={[
            { name: "calls", className: "ce", values: rows.map((row) => row.ce_iv ?? null) },
            { name: "puts", className: "pe", values: rows.map((row) => row.pe_iv ?? null) },
          ]}
        />
      )}
    </Stated>
  );
}
