// What every script here shares: arguments, connecting, and the state of a stream as the contract says it.

import { io } from "socket.io-client";

export const options = JSON.parse(process.argv[2]);

const BOOKKEEPING = new Set(["kind", "prev_seq", "conflated", "removed", "rows", "reason"]);
const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };

/** Connect with the transport that was asked for; `more` are options of socket.io-client. */
export function connect(more = {}) {
  return io(options.url, {
    transports: TRANSPORTS[options.transport ?? "websocket"],
    forceNew: true,
    ...more,
  });
}

/** Resolve with the first payload of an event for which `accept` holds. */
export function next(socket, event, accept = () => true) {
  return new Promise((resolve) => {
    const take = (payload) => {
      if (!accept(payload)) return;
      socket.off(event, take);
      resolve(payload);
    };
    socket.on(event, take);
  });
}

/** Resolve with the acknowledgement of an event. */
export function ask(socket, event, payload) {
  return payload === undefined ? socket.emitWithAck(event) : socket.emitWithAck(event, payload);
}

/** Wait until the transport is the one that was asked for: an upgrade takes a moment. */
export async function settled(socket) {
  const engine = socket.io.engine;
  if (options.transport === "upgrade" && engine.transport.name !== "websocket") {
    await new Promise((resolve) => engine.once("upgrade", resolve));
  }
  return socket.io.engine.transport.name;
}

export async function rest(path) {
  const answer = await fetch(options.url + path);
  const body = await answer.json();
  if (!body.success) throw new Error(`${path}: ${body.message}`);
  return body.data;
}

export const key = (state) => `${state.epoch}/${state.seq}`;

/** The state of one stream: a snapshot replaces it, a delta assigns to it; a gap is an error. */
export class State {
  values = null;
  updates = 0;

  take(payload) {
    const isDelta = "prev_seq" in payload;
    if (isDelta) this.#apply(payload);
    else this.values = fieldsOf(payload);
    return isDelta && payload.seq > payload.prev_seq;
  }

  #apply(delta) {
    const before = this.values;
    if (delta.epoch !== before.epoch || delta.prev_seq !== before.seq) {
      throw new Error(`a delta from ${delta.epoch}/${delta.prev_seq} came at ${key(before)}`);
    }
    this.updates += delta.seq > delta.prev_seq ? 1 : 0;
    this.values = { ...before, ...fieldsOf(delta) };
    if (before.option_chain) this.values.option_chain = chainAfter(before.option_chain, delta);
  }
}

function fieldsOf(payload) {
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !BOOKKEEPING.has(name)));
}

function chainAfter(chain, delta) {
  const rows = new Map(chain.map((row) => [row.strike_price, row]));
  for (const strike of delta.removed ?? []) rows.delete(strike);
  for (const row of delta.rows ?? []) {
    rows.set(row.strike_price, { ...rows.get(row.strike_price), ...row });
  }
  return [...rows.values()].sort((a, b) => a.strike_price - b.strike_price);
}

/** What a script that is given up tells of itself. */
export const progress = {};
process.on("SIGTERM", () => {
  process.stderr.write(`${JSON.stringify(progress)}\n`, () => process.exit(1));
});

/** Print the one line that the test reads, and end. */
export function report(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
