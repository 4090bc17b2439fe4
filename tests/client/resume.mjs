// A connection that breaks: the client comes back by itself, resumes, and is where REST is.

import { deepStrictEqual } from "node:assert";

import { ask, connect, key, next, report, rest, settled, State } from "./market.mjs";

const STREAM = "symbol:NIFTY";

const watcher = connect({ transports: ["websocket"] }); // keeps the stream alive meanwhile
await next(watcher, "connection_status");
await ask(watcher, "subscribe_symbol", { symbol: "NIFTY" });

const socket = connect({ reconnectionDelay: 300, reconnectionDelayMax: 300, randomizationFactor: 0 });
await next(socket, "connection_status");
const transport = await settled(socket);
const state = new State();
const held = new Map();
socket.on("symbol_update", (payload) => {
  state.take(payload);
  held.set(key(state.values), state.values);
});
await ask(socket, "subscribe_symbol", { symbol: "NIFTY" });
await next(socket, "symbol_update");

const lost = next(socket, "disconnect");
const back = next(socket, "connection_status");
socket.io.engine.close();
await lost;
const { epoch, seq } = state.values;
await back;
const delta = next(socket, "symbol_update");
const answer = await ask(socket, "resume", { streams: [{ stream: STREAM, epoch, seq }] });
const first = await delta;

let compared = 0;
while (compared < 5) {
  const served = await rest("/api/spot_price/NIFTY");
  const mine = held.get(key(served));
  if (mine === undefined) continue;
  deepStrictEqual(mine, served);
  held.delete(key(served));
  compared += 1;
}
report({ transport, recovered: answer.data.streams[0].recovered, kind: first.kind, from: first.prev_seq === seq });
