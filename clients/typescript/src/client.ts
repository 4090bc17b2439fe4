import { io } from "socket.io-client";

import { chainAfter, follows, quoteAfter, stateOf } from "./delta.js";
import { Frame } from "./frame.js";
import type {
  CandleUpdate, Chain, ConnectionStatus, Dashboard, FeedStatus, Interval, MarketStatus, Quote, Status, Store, StreamState,
} from "./types.js";
import { MarketError } from "./types.js";

/** What this client needs of a socket: socket.io-client's, or the fake of `./testing`. */
export interface SocketLike {
  readonly connected: boolean;
  on(event: string, listener: (...values: any[]) => void): unknown;
  emit(event: string, ...values: any[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export interface MarketClientOptions {
  /** Of the server; by default where the page is from. */
  url?: string;
  /** Where Socket.IO is, behind a proxy's prefix: `/md/socket.io/`. */
  path?: string;
  /** An API key, where the operator configured some. */
  token?: string;
  transports?: ("websocket" | "polling")[];
  /** Nothing for so long and a stream is stale: more than two heartbeats (`feed.heartbeat_s`) of the server. */
  silentAfterMs?: number;
  /** How long a stream is kept after its last listener has gone, so that a page that is mounted again finds it. */
  lingerMs?: number;
  /** A socket of your own, or a fake. */
  socket?: SocketLike;
  /** Connect at once; else at `open()`. */
  connect?: boolean;
}

export interface ChainArguments {
  symbol: string;
  /** Without it the nearest one, and the next when that has passed. */
  expiry?: string | undefined;
  /** So many on each side of the money; all without it. */
  strikes?: 5 | 10 | 20 | 40 | undefined;
  /** A set of fields, or names of them, without `ce_` and `pe_`. */
  fields?: "all" | "quotes" | "greeks" | "positioning" | string[] | undefined;
}

type Payload = Record<string, any>;
interface Answer {
  success: boolean;
  message: string;
  data?: any;
  error?: { code: string; details: Record<string, unknown> };
}

const FATAL = new Set(["UNAUTHORIZED", "FORBIDDEN_ORIGIN"]);
const RETRY_MS = 2_000;
const WINDOWS = [5, 10, 20, 40];

const NOTHING: StreamState<never> = { status: "connecting", data: null, asOf: null, error: null };

/** One stream of the server, shared by all who listen to it here. */
abstract class Stream<T extends { as_of?: string; stale?: boolean; epoch?: string; seq?: number }>
  implements Store<StreamState<T>>
{
  protected state: StreamState<T> = NOTHING;
  private readonly listeners = new Set<() => void>();
  private leaving: ReturnType<typeof setTimeout> | null = null;
  private retrying: ReturnType<typeof setTimeout> | null = null;
  private heardMs = 0;
  protected isFollowed = false;
  /** Named by the server once it is followed. */
  name: string | null = null;
  private readonly waiting = new Map<string, [event: string, payload: Payload]>();

  constructor(protected readonly client: MarketClient, readonly symbol: string) {}

  abstract readonly topic: string;
  protected abstract request(): Payload;
  abstract matches(payload: Payload): boolean;
  abstract take(event: string, payload: Payload): void;
  protected readonly hasHeartbeat: boolean = true;

  getSnapshot = (): StreamState<T> => this.state;
  getServerSnapshot = (): StreamState<T> => NOTHING;

  subscribe = (listener: () => void): (() => void) => {
    if (this.leaving !== null) clearTimeout(this.leaving);
    this.leaving = null;
    this.listeners.add(listener);
    this.client.hold(this);
    if (!this.isFollowed) this.begin();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size || this.leaving !== null) return;
      this.leaving = setTimeout(() => this.end(), this.client.lingerMs);
    };
  };

  /** Follow it anew: at first, after a refusal that may pass, or where nothing is held. */
  begin(): void {
    if (!this.client.isConnected) return;
    this.isFollowed = true;
    this.name = null;
    void this.client.ask(`subscribe_${this.topic}`, this.request()).then((answer) => {
      if (answer === null || !this.isFollowed) return;
      if (answer.success) {
        const status = answer.data?.streams?.[0] ?? answer.data;
        this.name = status?.stream ?? null;
        const came = this.waiting.get(this.name ?? "");
        this.waiting.clear();
        if (came) this.take(...came);
        return;
      }
      this.refuse(new MarketError(answer.error?.code ?? "INTERNAL_ERROR", answer.message, answer.error?.details));
    });
  }

  /** Whether a payload is of the expiry that this stream has now; before the server has named that, it waits. */
  protected isMine(event: string, name: string, payload: Payload): boolean {
    if (this.name === null) this.waiting.set(name, [event, payload]);
    return this.name === name;
  }

  /** What `resume` is asked with; null where a fresh subscription says as much. */
  place(): Payload | null {
    return null;
  }

  private end(): void {
    this.leaving = null;
    if (this.retrying !== null) clearTimeout(this.retrying);
    this.client.release(this);
    this.isFollowed = false;
    this.state = { ...this.state, status: "connecting" };
  }

  /** What the server is told when nobody here listens any more. */
  leaveRequest(): Payload {
    const { mode: _mode, strikes: _strikes, fields: _fields, ...rest } = this.request();
    return rest;
  }

  refuse(error: MarketError): void {
    this.isFollowed = false;
    this.set({ status: "refused", error });
    const passes = !FATAL.has(error.code) && (error.code === "FEED_UNAVAILABLE" || error.code === "RATE_LIMITED");
    if (!passes || this.retrying !== null) return;
    this.retrying = setTimeout(() => {
      this.retrying = null;
      if (this.listeners.size) this.begin();
    }, RETRY_MS);
  }

  protected show(data: T): void {
    this.heardMs = this.client.now();
    this.isFollowed = true;
    const status: Status = data.stale ? "stale" : "live";
    this.set({ status, data, asOf: data.as_of ?? null, error: null });
  }

  /** A sign of life that changes nothing. */
  protected heard(): void {
    this.heardMs = this.client.now();
  }

  lose(): void {
    this.isFollowed = false;
    if (this.state.status !== "refused") this.set({ status: this.state.data ? "reconnecting" : "connecting" });
  }

  judge(nowMs: number, silentAfterMs: number): void {
    if (this.hasHeartbeat && this.state.status === "live" && nowMs - this.heardMs > silentAfterMs) {
      this.set({ status: "stale" });
    }
  }

  protected set(change: Partial<StreamState<T>>): void {
    this.state = { ...this.state, ...change };
    this.client.frame.schedule(this.listeners);
  }
}

class QuoteStream extends Stream<Quote> {
  readonly topic = "symbol";
  protected request = () => ({ symbol: this.symbol });
  matches = (payload: Payload) => payload["symbol"] === this.symbol;

  override place(): Payload | null {
    const held = this.state.data;
    return held && this.name ? { stream: this.name, epoch: held.epoch, seq: held.seq } : null;
  }

  take(event: string, payload: Payload): void {
    if (event !== "symbol_update") return;
    if (payload["kind"] === "snapshot") return this.show(stateOf<Quote>(payload));
    const held = this.state.data;
    if (held && follows(held, payload as never)) return this.show(quoteAfter(held, payload as never));
    if (held) this.client.recover(this);
  }
}

class ChainStream extends Stream<Chain> {
  readonly topic = "option_chain";
  private readonly wanted = new Map<symbol, ChainArguments>();
  private asked = "";

  constructor(client: MarketClient, symbol: string, readonly expiry: string | undefined) {
    super(client, symbol);
  }

  /** A view of it by somebody who wants some strikes and fields: the stream has what all of them want. */
  view(wanted: ChainArguments): Store<StreamState<Chain>> {
    const mark = Symbol();
    return {
      getSnapshot: this.getSnapshot,
      getServerSnapshot: this.getServerSnapshot,
      subscribe: (listener) => {
        this.wanted.set(mark, wanted);
        const before = this.asked;
        const leave = this.subscribe(listener);
        if (this.isFollowed && JSON.stringify(this.request()) !== before && before) this.begin();
        return () => {
          this.wanted.delete(mark);
          leave();
        };
      },
    };
  }

  protected request(): Payload {
    const all = [...this.wanted.values()];
    const strikes = all.some((one) => one.strikes === undefined)
      ? undefined
      : WINDOWS.find((window) => all.every((one) => (one.strikes as number) <= window));
    const request: Payload = { symbol: this.symbol };
    if (this.expiry) request["expiry"] = this.expiry;
    if (strikes) request["strikes"] = strikes;
    const sets = new Set(all.map((one) => JSON.stringify(one.fields ?? "all")));
    if (sets.size === 1 && !sets.has('"all"')) request["fields"] = JSON.parse([...sets][0] as string);
    return request;
  }

  override begin(): void {
    this.asked = JSON.stringify(this.request());
    super.begin();
  }

  matches(payload: Payload): boolean {
    if (payload["symbol"] !== this.symbol) return false;
    return this.expiry ? payload["expiry"] === this.expiry : true;
  }

  override place(): Payload | null {
    const held = this.state.data;
    if (!held || !this.name) return null;
    const { symbol: _symbol, expiry: _expiry, ...shown } = this.request();
    return { stream: this.name, epoch: held.epoch, seq: held.seq, ...shown, ...(this.expiry ? {} : { rolls: true }) };
  }

  take(event: string, payload: Payload): void {
    const held = this.state.data;
    if (event === "option_chain_data" || event === "option_chain_update") {
      // without an expiry of its own it shows the nearest: a snapshot of another one is another stream's
      const name = `chain:${this.symbol}:${payload["expiry"]}`;
      if (!this.expiry && payload["reason"] === "expired") this.name = name;
      if (!this.expiry && !this.isMine(event, name, payload)) return;
      return this.show(stateOf<Chain>(payload));
    }
    if (event === "subscription_status") return this.takeStatus(payload);
    if (event !== "option_chain_delta" || !held || payload["expiry"] !== held.expiry) return;
    if (follows(held, payload as never)) return this.show(chainAfter(held, payload as never));
    this.client.recover(this);
  }

  private takeStatus(payload: Payload): void {
    if (payload["stream"] !== this.name || payload["status"] !== "expired") return;
    if (this.expiry || payload["successor"] === null) {
      this.isFollowed = false;
      this.set({ status: "expired" });
    } else {
      this.name = payload["successor"];
      if (!payload["rolls"]) this.begin();
    }
  }
}

class DashboardStream extends Stream<Dashboard> {
  readonly topic = "dashboard";
  protected override readonly hasHeartbeat = false;

  constructor(client: MarketClient, symbol: string, readonly expiry: string | undefined) {
    super(client, symbol);
  }

  protected request = () => ({ symbol: this.symbol, ...(this.expiry ? { expiry: this.expiry } : {}) });

  matches(payload: Payload): boolean {
    if (payload["symbol"] !== this.symbol) return false;
    return this.expiry ? payload["expiry"] === this.expiry : true;
  }

  take(event: string, payload: Payload): void {
    if (event === "dashboard_data") {
      const name = `dashboard:${this.symbol}:${payload["expiry"]}`;
      if (!this.expiry && payload["reason"] === "expired") this.name = name;
      return this.expiry || this.isMine(event, name, payload) ? this.show(stateOf<Dashboard>(payload)) : undefined;
    }
    if (event !== "subscription_status" || payload["stream"] !== this.name || payload["status"] !== "expired") return;
    if (this.expiry || payload["successor"] === null) {
      this.isFollowed = false;
      this.set({ status: "expired" });
    } else {
      this.name = payload["successor"];
    }
  }
}

class CandleStream extends Stream<CandleUpdate> {
  readonly topic = "candles";
  protected override readonly hasHeartbeat = false;

  constructor(client: MarketClient, symbol: string, readonly interval: Interval) {
    super(client, symbol);
  }

  protected request = () => ({ symbol: this.symbol, interval: this.interval });
  matches = (payload: Payload) => payload["symbol"] === this.symbol && payload["interval"] === this.interval;

  take(event: string, payload: Payload): void {
    if (event === "candle_update") this.show(payload as never);
  }
}

/** A value that is pushed to every client. */
class Pushed<T> implements Store<T | null> {
  private value: T | null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly frame: Frame, private readonly first: T | null = null) {
    this.value = first;
  }

  getSnapshot = (): T | null => this.value;
  getServerSnapshot = (): T | null => this.first;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  set(value: T | null): void {
    this.value = value;
    this.frame.schedule(this.listeners);
  }
}

/** The line itself: whether it is there, and what refused it. */
export interface Line {
  readonly status: "connecting" | "connected" | "reconnecting" | "refused";
  readonly error: MarketError | null;
}

/** One connection to a server, and every stream that a page follows over it. */
export class MarketClient {
  readonly frame = new Frame();
  readonly lingerMs: number;
  readonly line: Store<Line | null>;
  readonly connection: Store<ConnectionStatus | null>;
  readonly marketStatus: Store<MarketStatus | null>;
  readonly feedStatus: Store<FeedStatus | null>;
  readonly now = () => Date.now();
  private readonly socket: SocketLike;
  private readonly pushed: Record<string, Pushed<any>>;
  private readonly streams = new Map<string, Stream<any>>();
  private readonly held = new Set<Stream<any>>();
  private readonly recovering = new Set<Stream<any>>();
  private readonly silentAfterMs: number;
  private readonly url: string;
  private judging: ReturnType<typeof setInterval> | null = null;

  constructor(options: MarketClientOptions = {}) {
    this.url = options.url ?? "";
    this.lingerMs = options.lingerMs ?? 500;
    this.silentAfterMs = options.silentAfterMs ?? 12_000;
    const line = new Pushed<Line>(this.frame, { status: "connecting", error: null });
    this.pushed = {
      connection_status: new Pushed<ConnectionStatus>(this.frame),
      market_status: new Pushed<MarketStatus>(this.frame),
      feed_status: new Pushed<FeedStatus>(this.frame),
    };
    this.line = line;
    this.connection = this.pushed["connection_status"] as Store<ConnectionStatus | null>;
    this.marketStatus = this.pushed["market_status"] as Store<MarketStatus | null>;
    this.feedStatus = this.pushed["feed_status"] as Store<FeedStatus | null>;
    this.socket = options.socket ?? (io(this.url, {
      ...(options.path ? { path: options.path } : {}),
      ...(options.token ? { auth: { token: options.token } } : {}),
      transports: options.transports ?? ["websocket", "polling"],
      autoConnect: false,
    }) as unknown as SocketLike);
    this.listen(line);
    if (options.connect ?? true) this.open();
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  /** The latest price and the day's range of an underlying. */
  quote(of: string): Store<StreamState<Quote>> {
    const symbol = of.toUpperCase(); // as the server takes any case, and tells it so
    return this.stream(`symbol:${symbol}`, () => new QuoteStream(this, symbol));
  }

  /** An option chain. */
  chain(wanted: ChainArguments): Store<StreamState<Chain>> {
    const { expiry } = wanted;
    const symbol = wanted.symbol.toUpperCase();
    return this.stream(`chain:${symbol}:${expiry ?? ""}`, () => new ChainStream(this, symbol, expiry)).view(wanted);
  }

  /** The figures of an expiry. */
  dashboard({ symbol: of, expiry }: { symbol: string; expiry?: string | undefined }): Store<StreamState<Dashboard>> {
    const symbol = of.toUpperCase();
    return this.stream(`dashboard:${symbol}:${expiry ?? ""}`, () => new DashboardStream(this, symbol, expiry));
  }

  /** The candle that is being formed, and each once more when it is final. */
  candle(of: string, interval: Interval): Store<StreamState<CandleUpdate>> {
    const symbol = of.toUpperCase();
    return this.stream(`candles:${symbol}:${interval}`, () => new CandleStream(this, symbol, interval));
  }

  /** Connect, at first or after `close`. */
  open(): void {
    if (this.judging !== null) return;
    this.judging = setInterval(() => {
      for (const stream of this.held) stream.judge(this.now(), this.silentAfterMs);
    }, 1_000);
    if (!this.socket.connected) this.socket.connect();
  }

  /** Hang up. */
  close(): void {
    if (this.judging !== null) clearInterval(this.judging);
    this.judging = null;
    this.socket.disconnect();
  }

  /** @internal */
  ask(event: string, payload: Payload): Promise<Answer | null> {
    return new Promise((resolve) => {
      if (!this.socket.connected) return resolve(null);
      this.socket.emit(event, payload, (answer: Answer) => resolve(answer));
    });
  }

  /** @internal */
  hold(stream: Stream<any>): void {
    this.held.add(stream);
  }

  /** @internal Leave a stream on the server, unless another one here is the same there. */
  release(stream: Stream<any>): void {
    this.held.delete(stream);
    const isShared = [...this.held].some((other) => other.name !== null && other.name === stream.name);
    if (this.socket.connected && !isShared) void this.ask(`unsubscribe_${stream.topic}`, stream.leaveRequest());
  }

  /** @internal Something was missed: ask for it, once. */
  recover(stream: Stream<any>): void {
    if (this.recovering.has(stream)) return;
    this.recovering.add(stream);
    void this.resume([stream]).finally(() => this.recovering.delete(stream));
  }

  private stream<S extends Stream<any>>(key: string, make: () => S): S {
    let stream = this.streams.get(key);
    if (stream === undefined) this.streams.set(key, (stream = make()));
    return stream as S;
  }

  private async resume(streams: Stream<any>[]): Promise<void> {
    const placed = streams.flatMap((stream) => {
      const place = stream.place();
      return place ? [{ stream, place }] : [];
    });
    for (const stream of streams) if (!placed.some((item) => item.stream === stream)) stream.begin();
    if (!placed.length) return;
    const answer = await this.ask("resume", { streams: placed.map((item) => item.place) });
    if (answer === null) return;
    if (!answer.success) {
      for (const { stream } of placed) stream.begin(); // all or nothing: each says what is the matter with it
      return;
    }
    const told = new Map<string, Payload>();
    for (const item of answer.data?.streams ?? []) told.set(item.expired ?? item.stream, item);
    for (const { stream, place } of placed) {
      const item = told.get(place["stream"]);
      if (!item || item["epoch"] === null) stream.begin();
      else stream.name = item["stream"];
    }
  }

  private listen(line: Pushed<Line>): void {
    const { socket } = this;
    socket.on("connect", () => {
      line.set({ status: "connected", error: null });
      void this.resume([...this.held]);
    });
    socket.on("disconnect", (reason: string) => {
      line.set({ status: "reconnecting", error: null });
      for (const stream of this.held) stream.lose();
      // the server's own goodbye is not followed by a try of socket.io-client's
      if (reason === "io server disconnect") setTimeout(() => this.socket.connect(), 1_000);
    });
    socket.on("connect_error", (error: Error & { data?: { code?: string; details?: Record<string, unknown> } }) => {
      void this.explain(line, error);
    });
    for (const [event, store] of Object.entries(this.pushed)) socket.on(event, (value: unknown) => store.set(value));
    for (const event of [
      "symbol_update", "option_chain_data", "option_chain_delta", "option_chain_update", "dashboard_data", "candle_update",
      "subscription_status",
    ]) {
      socket.on(event, (payload: Payload) => {
        for (const stream of this.held) if (stream.matches(payload)) stream.take(event, payload);
      });
    }
    if (socket.connected) {
      line.set({ status: "connected", error: null });
    }
  }

  /** A refusal with its code; one that a browser may not read is found out about by asking `/health`. */
  private async explain(line: Pushed<Line>, error: Error & { data?: { code?: string; details?: any } }): Promise<void> {
    const code = error.data?.code;
    if (code) {
      const refusal = new MarketError(code, error.message, error.data?.details);
      line.set({ status: FATAL.has(code) ? "refused" : "reconnecting", error: refusal });
      if (FATAL.has(code)) for (const stream of this.held) stream.refuse(refusal);
      return;
    }
    const isThere = await fetch(`${this.url}/health`, { mode: "no-cors" }).then(() => true, () => false);
    const message = isThere
      ? "The server is there and refuses this page: is its origin in FRONTEND_URL?"
      : "The server cannot be reached; trying again.";
    line.set({ status: "reconnecting", error: new MarketError(isThere ? "FORBIDDEN_ORIGIN" : "UNREACHABLE", message) });
  }
}
