import type { Dashboard } from "indian-options-client";

import { compact, number, percent, scale, signed, signedCompact, tone } from "../format.ts";
import { useShownChain, useShownDashboard } from "../market.ts";
import { Figure, Panel, Stated } from "../parts/panel.tsx";
import { Plot } from "../parts/plot.tsx";
import { useRoute } from "../route.ts";

export function DashboardPage() {
  const route = useRoute();
  const shown = useShownDashboard();
  const chain = useShownChain();
  const query = `symbol=${encodeURIComponent(route.symbol)}${route.expiry ? `&expiry=${route.expiry}` : ""}${route.at ? `&at=${encodeURIComponent(route.at)}` : ""}`;
  const hook = `const { data } = useDashboard({ symbol: "${route.symbol}"${route.expiry ? `, expiry: "${route.expiry}"` : ""} });`;
  return (
    <>
      <Panel title={`${route.symbol} dashboard`} curl={`/api/dashboard_data?${query}`} hook={hook}>
        <Stated shown={shown}>{(data) => <Figures data={data} />}</Stated>
      </Panel>
      <div className="grid">
        <Panel title="Open interest by strike" curl={`/api/option_chain?${query}`}>
          <Stated shown={chain}>
            {({ option_chain: rows, spot_price, max_pain }) => (
              <Plot
                label="Open interest of calls and puts by strike" x={rows.map((row) => row.strike_price)} nameY={scale} marks={marksOf(spot_price, max_pain)}
                series={[
                  { name: "calls", className: "ce", kind: "bar", values: rows.map((row) => row.ce_oi ?? null) },
                  { name: "puts", className: "pe", kind: "bar", values: rows.map((row) => row.pe_oi ?? null) },
                ]}
              />
            )}
          </Stated>
        </Panel>
        <Panel title="Change of open interest" curl={`/api/option_chain?${query}`}>
          <Stated shown={chain}>
            {({ option_chain: rows, spot_price }) => (
              <Plot
                label="Change of open interest by strike" x={rows.map((row) => row.strike_price)} nameY={scale} marks={marksOf(spot_price, null)}
                series={[
                  { name: "calls", className: "ce", kind: "bar", values: rows.map((row) => row.ce_oi_change ?? null) },
                  { name: "puts", className: "pe", kind: "bar", values: rows.map((row) => row.pe_oi_change ?? null) },
                ]}
              />
            )}
          </Stated>
        </Panel>
        <Panel title="Max pain">
          <Stated shown={shown}>
            {(data) => (
              <Plot
                label="What holders of all options would be paid, by settlement" x={data.max_pain_curve.map((point) => point.strike_price)} nameY={scale}
                series={[{ name: "paid to holders (₹)", className: "accent", values: data.max_pain_curve.map((point) => point.payout) }]}
                marks={marksOf(data.spot_price, data.max_pain)}
              />
            )}
          </Stated>
        </Panel>
        <Panel title="Gamma exposure">
          <Stated shown={shown}>
            {({ gamma_exposure, zero_gamma, spot_price }) => (
              <>
                <Plot
                  label="Gamma exposure by strike" x={gamma_exposure.by_strike.map((point) => point.strike_price)} nameY={scale}
                  series={[{ name: "₹ of delta for 1 %", className: "accent", kind: "bar", values: gamma_exposure.by_strike.map((point) => point.exposure) }]}
                  marks={[...marksOf(spot_price, null), ...(zero_gamma ? [{ x: zero_gamma, name: "zero gamma" }] : [])]}
                />
                <p className="quiet">{gamma_exposure.convention}. It rests on {gamma_exposure.legs} legs.</p>
              </>
            )}
          </Stated>
        </Panel>
      </div>
    </>
  );
}

function marksOf(spot: number | null, pain: number | null) {
  return [...(spot ? [{ x: spot, name: "spot" }] : []), ...(pain ? [{ x: pain, name: "max pain" }] : [])];
}

function Figures({ data }: { data: Dashboard }) {
  const { sentiment, expected_range: range } = data;
  return (
    <>
      <dl className="figures">
        <Figure name="Spot" value={number(data.spot_price)} />
        <Figure name="Today" value={percent(sentiment.change_percent)} tone={tone(sentiment.change_percent)} />
        <Figure name="PCR (OI)" value={number(data.pcr_oi)} />
        <Figure name="PCR (volume)" value={number(data.pcr_volume)} />
        <Figure name="PCR (change)" value={number(data.pcr_oi_change)} />
        <Figure name="Max pain" value={number(data.max_pain, 0)} />
        <Figure name="ATM IV" value={percent(data.atm_iv)} />
        <Figure name="25Δ skew" value={signed(data.iv_skew)} note="25-delta put less 25-delta call, vol points" />
        <Figure name="IV rank" value={number(data.iv_rank, 0)} note={`over ${data.iv_days} sessions`} />
        <Figure name="IV percentile" value={number(data.iv_percentile, 0)} />
        <Figure name="Volatility index" value={number(data.volatility_index)} />
        <Figure name="Straddle" value={number(data.straddle_price)} />
        <Figure name="Expected range" value={`${number(range.low, 0)} – ${number(range.high, 0)}`} note="one standard deviation to expiry" />
        <Figure name="Basis" value={signed(data.basis)} />
        <Figure name="Call OI" value={compact(data.total_ce_oi)} note={`change ${signedCompact(data.total_ce_oi_change)}`} />
        <Figure name="Put OI" value={compact(data.total_pe_oi)} note={`change ${signedCompact(data.total_pe_oi_change)}`} />
        <Figure name="Sentiment" value={sentiment.word ?? "–"} note={`votes of PCR, move and max pain: ${sentiment.score}`} />
        <Figure name="Quoted" value={`${data.coverage.quoted} / ${2 * data.coverage.strikes}`} note="legs with a price, of all listed: the figures are of the whole expiry" />
      </dl>
      <p className="quiet">
        Support {data.support.map((wall) => `${number(wall.strike_price, 0)} (${compact(wall.oi)})`).join(", ") || "–"} · Resistance{" "}
        {data.resistance.map((wall) => `${number(wall.strike_price, 0)} (${compact(wall.oi)})`).join(", ") || "–"}
      </p>
    </>
  );
}
