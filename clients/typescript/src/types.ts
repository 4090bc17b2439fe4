import type { components } from "./generated/wire.js";

export type { ClientEvents, ServerEvents } from "./generated/wire.js";

type Shapes = components["schemas"];
export type Quote = Shapes["SpotPrice"];
export type ChainRow = Shapes["ChainRow"];
export type Chain = Shapes["Chain"];
export type Dashboard = Shapes["Dashboard"];
export type Candle = Omit<Shapes["HistoricalCandle"], "closed"> & { closed?: boolean };
export type CandleUpdate = Shapes["CandleUpdate"];
export type MarketStatus = Shapes["MarketStatus"];
export type FeedStatus = Shapes["FeedStatus"];
export type ConnectionStatus = Shapes["ConnectionStatus"];
export type Strategy = Shapes["Strategy"];
export type StrategyRequest = Shapes["StrategyRequest"];
export type SymbolInfo = Shapes["Symbol"];
export type Expiry = Shapes["Expiry"];
export type Interval = Shapes["Interval"];
export type OptionType = Shapes["OptionType"];
export type FeedState = Shapes["FeedState"];
export type Phase = Shapes["Phase"];
export type Scenario = Shapes["Scenario"];
export type Source = Shapes["Source"];
export type Health = Shapes["Health"];

/** How a stream stands. Old prices are never `live`. */
export type Status = "connecting" | "live" | "stale" | "reconnecting" | "refused" | "expired";

/** What one stream holds; a new object whenever anything of it changes. */
export interface StreamState<T> {
  readonly status: Status;
  /** The latest, or null before the first snapshot. It is kept, and marked by `status`, while a line is lost. */
  readonly data: T | null;
  /** Time of the newest input, on the market's clock. */
  readonly asOf: string | null;
  readonly error: MarketError | null;
}

/** A value that changes: what `useSyncExternalStore` takes. */
export interface Store<T> {
  getSnapshot(): T;
  /** What a page that is rendered on a server shows: that nothing came yet. */
  getServerSnapshot(): T;
  /** Hear of changes, once a frame. What is returned ends it; the last one leaves the stream on the server. */
  subscribe(listener: () => void): () => void;
}

/** A refusal of the server, or of the line to it, with the code of the table of errors. */
export class MarketError extends Error {
  override readonly name = "MarketError";
  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly status = 0,
  ) {
    super(message);
  }
}
