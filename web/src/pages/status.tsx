import { useAnswer, useConnection, useFeedStatus, useMarketStatus } from "indian-options-client/react";

import { compact, dayAndTime, number } from "../format.ts";
import { Figure, Panel } from "../parts/panel.tsx";

const EACH_MS = 3_000;

export function StatusPage() {
  const health = useAnswer("health", (rest) => rest.health(), EACH_MS);
  const statistics = useAnswer("statistics", (rest) => rest.statistics(), EACH_MS);
  const market = useMarketStatus();
  const feed = useFeedStatus();
  const connection = useConnection();
  const parts = health.data?.parts;
  return (
    <>
      <Panel title="Feed" curl="/health" hook="const feed = useFeedStatus();">
        {health.error && <p className="word bad" role="status">{health.error.message}</p>}
        <dl className="figures">
          <Figure name="Service" value={health.data?.status ?? "–"} tone={health.data?.status === "ok" ? "up" : "down"} />
          <Figure name="Feed" value={feed?.state ?? parts?.feed.state ?? "–"} />
          <Figure name="Source" value={feed?.source ?? connection?.source ?? "–"} />
          <Figure name="Version" value={connection?.version ?? "–"} />
          <Figure name="Clients" value={parts?.clients.connected ?? "–"} />
          <Figure name="Loop lag p99" value={`${number(parts?.event_loop.lag_p99_ms, 1)} ms`} />
          <Figure name="Last input" value={`${number(parts?.feed.last_tick_age_ms, 0)} ms ago`} />
        </dl>
        {feed && <p className={feed.state === "live" ? "quiet" : "word"} role="status">{feed.problem?.message ?? feed.reason}</p>}
        {parts && (
          <table>
            <thead><tr><th scope="col">Part</th><th scope="col">Status</th><th scope="col">Why</th></tr></thead>
            <tbody>
              {Object.entries(parts).map(([name, part]) => <tr key={name}><th scope="row">{name.replace("_", " ")}</th><td>{part.status}</td><td>{part.reason}</td></tr>)}
            </tbody>
          </table>
        )}
      </Panel>
      <div className="grid">
        <Panel title="Exchanges" curl="/api/market-status" hook="const market = useMarketStatus();">
          <table>
            <thead><tr><th scope="col">Exchange</th><th scope="col">Phase</th><th scope="col">Feed</th><th scope="col">Next</th></tr></thead>
            <tbody>
              {market?.exchanges.map((one) => (
                <tr key={one.exchange}><th scope="row">{one.exchange}</th><td>{one.holiday ?? one.phase.replace("_", " ")}</td><td>{one.feed.replace("_", " ")}</td><td>{one.next_phase.replace("_", " ")} {dayAndTime(one.next_change)}</td></tr>
              ))}
            </tbody>
          </table>
        </Panel>
        <Panel title="Streams" curl="/api/websocket/stats">
          {statistics.error && <p className="word bad">{statistics.error.message}</p>}
          <dl className="figures">
            <Figure name="Connected" value={statistics.data?.connections.now ?? "–"} />
            <Figure name="Messages" value={compact(statistics.data?.messages_out)} />
            <Figure name="Sent" value={`${number((statistics.data?.bytes_out ?? 0) / 1e6, 1)} MB`} />
            <Figure name="Conflated" value={compact(statistics.data?.conflated)} />
            <Figure name="Resyncs" value={compact(statistics.data?.resyncs)} />
            <Figure name="Fan-out p99" value={`${number(statistics.data?.fan_out_ms.p99, 2)} ms`} />
          </dl>
          <table>
            <thead><tr><th scope="col">Room</th><th scope="col">Clients</th></tr></thead>
            <tbody>
              {statistics.data?.rooms.slice(0, 12).map((room, index) => <tr key={index}><th scope="row">{room.stream}</th><td>{room.subscribers}</td></tr>)}
            </tbody>
          </table>
        </Panel>
        <Panel title="For programmers">
          <ul>
            <li><a href="docs/">Handbook</a></li>
            <li><a href="api/docs">Routes and events</a></li>
            <li><a href="api/openapi.json">OpenAPI</a>, <a href="api/asyncapi.json">AsyncAPI</a></li>
            <li><a href="metrics">Metrics for Prometheus</a></li>
          </ul>
          <p className="quiet">Keys: 1 to 7 open pages, / goes to the symbol, [ and ] to the expiry before and after, c changes columns.</p>
        </Panel>
      </div>
    </>
  );
}
