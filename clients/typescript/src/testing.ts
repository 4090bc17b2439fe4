import { MarketClient } from "./client.js";
import type { SocketLike } from "./client.js";
import { chainAfter } from "./delta.js";
import type { Chain, ClientEvents, Quote, ServerEvents } from "./types.js";

type Handler = (payload: any) => unknown;

/** A server in memory, for unit tests of what is built on the client: nothing goes over a network. */
export class FakeServer {
  /** What the client sent, in order. */
  readonly received: { event: string; payload: any }[] = [];
  readonly chains = new Map<string, Chain>();
  readonly quotes = new Map<string, Quote>();
  private readonly answers = new Map<string, Handler>();
  private readonly sockets = new Set<FakeSocket>();

  /** A client of it. */
  client(options: ConstructorParameters<typeof MarketClient>[0] = {}): MarketClient {
    const client = new MarketClient({ lingerMs: 0, ...options, socket: this.socket() });
    return client;
  }

  socket(): SocketLike {
    const socket = new FakeSocket(this);
    this.sockets.add(socket);
    return socket;
  }

  /** Answer an event in a way of your own: data, or an `Error` to refuse with its message. */
  answer<E extends keyof ClientEvents>(event: E, handler: (payload: ClientEvents[E]["payload"]) => unknown): void {
    this.answers.set(event, handler as Handler);
  }

  /** Send an event to everybody. */
  send<E extends keyof ServerEvents>(event: E, payload: Partial<ServerEvents[E]> & object): void {
    for (const socket of this.sockets) if (socket.connected) socket.receive(event, payload);
  }

  /** Change a chain, and send what changed as the server does. */
  changeChain(symbol: string, expiry: string, change: { rows?: object[]; removed?: number[]; [field: string]: unknown }): void {
    const key = `chain:${symbol}:${expiry}`;
    const chain = this.chains.get(key);
    if (!chain) throw new Error(`The fake server has no chain ${key}.`);
    const delta = { symbol, expiry, epoch: chain.epoch, prev_seq: chain.seq, seq: chain.seq + 1, as_of: chain.as_of, ...change };
    this.chains.set(key, chainAfter(chain, delta));
    this.send("option_chain_delta", delta as never);
  }

  /** Cut every line; the client is let in again by `reconnect`. */
  disconnect(): void {
    for (const socket of this.sockets) socket.drop();
  }

  reconnect(): void {
    for (const socket of this.sockets) socket.connect();
  }

  /** @internal */
  respond(socket: FakeSocket, event: string, payload: any): unknown {
    this.received.push({ event, payload });
    const own = this.answers.get(event);
    if (own) {
      const data = own(payload);
      if (data instanceof Error) {
        return { success: false, message: data.message, error: { code: (data as any).code ?? "VALIDATION_ERROR", details: {} } };
      }
      return { success: true, message: "OK", data };
    }
    return { success: true, message: "OK", data: this.standard(socket, event, payload) };
  }

  private standard(socket: FakeSocket, event: string, payload: any): unknown {
    if (event === "subscribe_option_chain") {
      const key = [...this.chains.keys()].find((name) => name.startsWith(`chain:${payload.symbol}:${payload.expiry ?? ""}`));
      if (key) queueMicrotask(() => socket.receive("option_chain_data", this.chains.get(key)));
      return { stream: key ?? null, status: "subscribed", rolls: !payload.expiry };
    }
    if (event === "subscribe_symbol") {
      const quote = this.quotes.get(payload.symbol);
      if (quote) queueMicrotask(() => socket.receive("symbol_update", { kind: "snapshot", ...quote }));
      return { streams: [{ stream: `symbol:${payload.symbol}`, status: "subscribed" }] };
    }
    if (event === "resume") {
      for (const { stream } of payload.streams) {
        const chain = this.chains.get(stream);
        if (chain) queueMicrotask(() => socket.receive("option_chain_data", { reason: "resync", ...chain }));
      }
      return { streams: payload.streams.map((item: any) => ({ ...item, recovered: false })) };
    }
    return {};
  }
}

class FakeSocket implements SocketLike {
  connected = false;
  private readonly listeners = new Map<string, ((...values: any[]) => void)[]>();

  constructor(private readonly server: FakeServer) {}

  on(event: string, listener: (...values: any[]) => void): this {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return this;
  }

  emit(event: string, payload: unknown, acknowledge?: (answer: unknown) => void): this {
    const answer = this.server.respond(this, event, payload);
    if (acknowledge) queueMicrotask(() => acknowledge(answer));
    return this;
  }

  /** As a real one: the line is there a little later, and not before it is asked for. */
  connect(): this {
    queueMicrotask(() => {
      if (this.connected) return;
      this.connected = true;
      this.receive("connect");
    });
    return this;
  }

  disconnect(): this {
    return this.drop();
  }

  drop(): this {
    if (this.connected) {
      this.connected = false;
      this.receive("disconnect", "transport close");
    }
    return this;
  }

  receive(event: string, payload?: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(payload);
  }
}
