import type { MarketError, Scenario } from "indian-options-client";
import { useAnswer, useFeedStatus, useMarket, useQuote } from "indian-options-client/react";
import { useEffect, useState } from "react";

import { dayAndTime, number } from "../format.ts";
import { useShownChain } from "../market.ts";
import { Figure, Panel, Stated } from "../parts/panel.tsx";
import { go, useRoute } from "../route.ts";
import { Choice } from "./chain.tsx";

const MINUTE_MS = 60_000;
const SPEEDS = [1, 5, 15, 60];
const STEP_MS = MINUTE_MS;
const MONTH_MS = 30 * 24 * 60 * MINUTE_MS;
const dayInIndia = (instant: string) => new Date(Date.parse(instant) + 19_800_000).toISOString().slice(0, 10);

export function ReplayPage() {
  return (
    <>
      <TimePanel />
      <ScenarioPanel />
      <FaultPanel />
    </>
  );
}

/** What is recorded of the chain that is shown: the days, and of one of them from when to when. */
function useCovered(day: string | undefined): { days: string[]; from: number; to: number } | null {
  const { symbol, expiry } = useRoute();
  const of = expiry ? { expiry } : {};
  const asOf = useQuote(symbol).asOf; // the market's clock may be another than this browser's
  const today = asOf?.slice(0, 10);
  const nowMs = asOf ? Date.parse(asOf) : 0;
  const days = useAnswer(
    today ? JSON.stringify([symbol, expiry, today]) : null,
    (rest) => rest.dashboardHistory(symbol, { interval: "1h", from: new Date(nowMs - MONTH_MS).toISOString(), per_page: 1000, ...of } as never),
    60_000,
  );
  const known = [...new Set((days.data?.points ?? []).map((point) => dayInIndia(point.date)))];
  const shown = day && known.includes(day) ? day : known.at(-1);
  const points = useAnswer(
    shown ? JSON.stringify([symbol, expiry, shown]) : null,
    (rest) => rest.dashboardHistory(symbol, { interval: "1m", from: `${shown}T00:00:00+05:30`, to: `${shown}T23:59:59+05:30`, per_page: 1000, ...of } as never),
    15_000,
  );
  const all = points.data?.points ?? [];
  if (!all.length) return null;
  const end = Math.min(Date.parse(all.at(-1)!.date) + STEP_MS, nowMs);
  return { days: known, from: Math.min(Date.parse(all[0]!.date) + STEP_MS, end), to: end };
}

function TimePanel() {
  const { at, symbol } = useRoute();
  const covered = useCovered(at ? dayInIndia(at) : undefined);
  const shown = useShownChain();
  const [speed, setSpeed] = useState(0);
  const atMs = at ? Date.parse(at) : covered?.to;
  useEffect(() => {
    if (!speed || !atMs || !covered) return;
    const timer = setTimeout(() => {
      const next = atMs + speed * MINUTE_MS;
      if (next >= covered.to) setSpeed(0);
      go({ at: new Date(Math.min(next, covered.to)).toISOString() }, true);
    }, 1_000);
    return () => clearTimeout(timer);
  }, [speed, atMs, covered]);
  return (
    <Panel title="Time" curl={`/api/option_chain?symbol=${encodeURIComponent(symbol)}${at ? `&at=${encodeURIComponent(at)}` : ""}`}>
      {!covered && <p className="word" role="status">Nothing is recorded of this chain yet: the first minute is there when it has closed.</p>}
      {covered && (
        <>
          <label className="slider">
            <span>{at ? dayAndTime(at) : "live"}</span>
            <input
              type="range" min={covered.from} max={covered.to} step={MINUTE_MS} value={Math.min(covered.to, Math.max(covered.from, atMs ?? covered.to))}
              aria-label="Time" aria-valuetext={at ? dayAndTime(at) : "live"}
              onChange={(event) => go({ at: new Date(Number(event.target.value)).toISOString() }, true)}
            />
          </label>
          <div className="tools">
            <Choice
              label="Day" value={at ? dayInIndia(at) : (covered.days.at(-1) as string)} options={covered.days}
              onChange={(day) => go({ at: new Date(Date.parse(`${day}T12:00:00+05:30`)).toISOString() }, true)}
            />
            <span className="quiet">{dayAndTime(new Date(covered.from).toISOString())} – {dayAndTime(new Date(covered.to).toISOString())}</span>
            {SPEEDS.map((minutes) => (
              <button key={minutes} type="button" aria-pressed={speed === minutes} onClick={() => {
                if (!at) go({ at: new Date(covered.from).toISOString() }, true);
                setSpeed(speed === minutes ? 0 : minutes);
              }}>{minutes} min/s</button>
            ))}
            {speed > 0 && <button type="button" onClick={() => setSpeed(0)}>Pause</button>}
            {at && <button type="button" onClick={() => { setSpeed(0); go({ at: undefined }); }}>Back to live</button>}
          </div>
          <p className="quiet">Every page shows the market as of this instant.</p>
          <Stated shown={shown}>
            {(chain) => (
              <dl className="figures">
                <Figure name="Spot" value={number(chain.spot_price)} />
                <Figure name="PCR" value={number(chain.pcr_oi)} />
                <Figure name="Max pain" value={number(chain.max_pain, 0)} />
                <Figure name="Forward" value={number(chain.forward)} />
              </dl>
            )}
          </Stated>
        </>
      )}
    </Panel>
  );
}

function ScenarioPanel() {
  const { rest } = useMarket();
  const feed = useFeedStatus();
  const [turn, setTurn] = useState(0);
  const asked = useAnswer(`scenario ${turn} ${feed?.scenario}`, (asking) => asking.scenario());
  const [refusal, setRefusal] = useState<string | null>(null);
  if (asked.error) return null;
  const set = (scenario: Scenario) => {
    rest.setScenario(scenario).then(() => { setRefusal(null); setTurn(turn + 1); }, (error: MarketError) => setRefusal(error.message));
  };
  return (
    <Panel title="Scenario of the simulated market" curl="/api/simulation/scenario">
      <div className="tools">
        {asked.data?.scenarios.map((scenario) => (
          <button key={scenario} type="button" aria-pressed={asked.data?.scenario === scenario} onClick={() => set(scenario as Scenario)}>{scenario.replaceAll("_", " ")}</button>
        ))}
      </div>
      {refusal && <p className="word bad" role="status">{refusal}</p>}
    </Panel>
  );
}

function FaultPanel() {
  const { rest } = useMarket();
  const { symbol } = useRoute();
  const [turn, setTurn] = useState(0);
  const asked = useAnswer(`faults ${turn}`, (asking) => asking.faults(), 2_000);
  const chain = useShownChain().data;
  const [refusal, setRefusal] = useState<string | null>(null);
  const done = () => { setRefusal(null); setTurn((before) => before + 1); };
  const failed = (error: MarketError) => setRefusal(error.message);
  const bring = (kind: string) => {
    const more = { stale_chain: { symbol, expiry: chain?.expiry }, sequence_gap: {}, drop_sockets: {}, latency: { latency_ms: 1500 } }[kind] ?? {};
    const lasts = kind === "sequence_gap" || kind === "drop_sockets" ? {} : { seconds: 30 };
    rest.bringAbout({ kind, ...lasts, ...more }).then(done, failed);
  };
  return (
    <Panel title="Faults on purpose" curl="/api/simulation/faults">
      <div className="tools">
        {asked.data?.kinds.map((kind) => <button key={kind} type="button" onClick={() => bring(kind)}>{kind.replaceAll("_", " ")}</button>)}
        {Boolean(asked.data?.faults.length) && <button type="button" onClick={() => void rest.clearFaults().then(done, failed)}>Clear all</button>}
      </div>
      {asked.data?.faults.map((fault) => (
        <p key={fault.kind} className="word">{fault.kind.replaceAll("_", " ")} {fault.until ? `until ${dayAndTime(fault.until)}` : ""}</p>
      ))}
      {(refusal ?? asked.error) && <p className="word bad" role="status">{refusal ?? asked.error?.message}</p>}
    </Panel>
  );
}
