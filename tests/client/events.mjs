// Every event of the contract: all that a client can send, and all that the server sends of its own.

import { ask, connect, next, options, progress, report, settled } from "./market.mjs";

const { symbol } = options;
const socket = connect({ reconnection: false });
const counts = {};
progress.counts = counts;
socket.onAny((event) => {
  counts[event] = (counts[event] ?? 0) + 1;
});

const phases = [];
socket.on("market_status", (status) => phases.push(status.exchanges.map((row) => row.phase).join()));
const closed = next(socket, "candle_update", (candle) => candle.closed);
const paused = next(socket, "feed_status", (status) => status.state === "market_closed");
const ended = next(socket, "server_shutdown");
const gone = next(socket, "disconnect");
const moves = [
  next(socket, "symbol_update", (update) => update.kind === "delta"),
  next(socket, "option_chain_delta"),
  next(socket, "option_chain_update"),
];

const greeting = await next(socket, "connection_status");
const transport = await settled(socket);
const acknowledged = {};
progress.acknowledged = acknowledged;
const send = async (event, payload) => {
  acknowledged[event] = await ask(socket, event, payload);
};

await send("subscribe_symbol", { symbol });
await send("subscribe_option_chain", { symbol });
await send("subscribe_dashboard", { symbol });
await send("subscribe_candles", { symbol, interval: "1m" });
await send("get_option_chain", { symbol, strikes: 3 });
await send("get_dashboard_data", { symbol });
await send("get_market_status");
await send("list_subscriptions");
await send("subscribe_alert", { symbol: "NIFTY", field: "spot_price", op: "above", value: 1 });
await send("list_alerts");
const { data: late } = await ask(socket, "subscribe_alert", { symbol, field: "pcr_oi", op: "above", value: 1e6 });
await send("unsubscribe_alert", { alert_id: late.alert_id });
await send("ping", { sent: "by JavaScript" });
await send("unsubscribe_symbol", { symbol });
const { epoch, seq } = acknowledged.unsubscribe_symbol.data.streams[0];
await send("resume", { streams: [{ stream: `symbol:${symbol}`, epoch, seq }] });
const refused = await ask(socket, "subscribe_symbol", { symbol: "NOSUCH" });
await moves[0];
await moves[1];
await ask(socket, "subscribe_option_chain", { symbol, mode: "full" });
await moves[2];
await closed;
await paused;
await send("unsubscribe_option_chain", { symbol });
await send("unsubscribe_dashboard", { symbol });
await send("unsubscribe_candles", { symbol, interval: "1m" });
// a server that stops takes no new polls: let the next one, which follows the last answer, be open
await new Promise((resolve) => setTimeout(resolve, 250));
process.stdout.write("waiting for the end\n");
const farewell = await ended;
const reason = await gone;
report({
  transport,
  greeting,
  counts,
  phases: new Set(phases).size,
  refused,
  failed: Object.entries(acknowledged).filter(([, answer]) => !answer.success),
  acknowledged: Object.keys(acknowledged),
  reconnect_after_ms: farewell.reconnect_after_ms,
  reason,
});
