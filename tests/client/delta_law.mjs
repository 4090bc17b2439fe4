// Snapshot and deltas against what REST answers for the same (epoch, seq), field for field.

import { deepStrictEqual } from "node:assert";

import { ask, connect, key, next, options, progress, report, rest, settled, State } from "./market.mjs";

const KEPT_STATES = 200;

const streams = {
  spot: {
    subscribe: ["subscribe_symbol", { symbol: "NIFTY" }],
    events: ["symbol_update"],
    path: () => "/api/spot_price/NIFTY",
  },
  chain: {
    subscribe: ["subscribe_option_chain", { symbol: "NIFTY" }],
    events: ["option_chain_data", "option_chain_delta"],
    path: () => "/api/option_chain?symbol=NIFTY",
  },
  window: {
    subscribe: ["subscribe_option_chain", { symbol: "NIFTY", strikes: 10 }],
    events: ["option_chain_data", "option_chain_delta"],
    path: () => "/api/option_chain?symbol=NIFTY&strikes=10",
  },
};

/** Follow a stream on a connection of its own until enough of its states were compared with REST. */
async function follow({ subscribe, events, path }) {
  const socket = connect();
  await next(socket, "connection_status");
  const state = new State();
  const held = new Map(); // states the client was in
  const served = new Map(); // answers of REST it was not in yet
  const compared = new Set();
  const compare = (name) => {
    if (!held.has(name) || !served.has(name)) return;
    deepStrictEqual(held.get(name), served.get(name));
    compared.add(name);
    progress[path()] = compared.size;
    served.delete(name);
  };
  for (const event of events) {
    socket.on(event, (payload) => {
      state.take(payload);
      const name = key(state.values);
      held.set(name, state.values);
      if (held.size > KEPT_STATES) held.delete(held.keys().next().value);
      compare(name);
    });
  }
  const transport = await settled(socket);
  const acknowledged = await ask(socket, ...subscribe);
  if (!acknowledged.success) throw new Error(acknowledged.message);
  while (compared.size < options.updates || state.updates < options.updates) {
    const answer = await rest(path());
    served.set(key(answer), answer);
    compare(key(answer));
    await next(socket, events.at(-1)); // asked more often than it changes it would say the same
  }
  socket.disconnect();
  const rows = state.values.option_chain?.length ?? 0;
  return { transport, updates: state.updates, compared: compared.size, rows };
}

const names = Object.keys(streams);
const results = await Promise.all(names.map((name) => follow(streams[name])));
report(Object.fromEntries(names.map((name, i) => [name, results[i]])));
